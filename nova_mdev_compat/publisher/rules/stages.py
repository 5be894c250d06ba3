#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Stages of new attributes: what entries say while a fleet is upgraded.

The default test of an attribute makes "absent on one side only" a mismatch,
in both directions, and a host that has not been upgraded has no entry that
mentions a new attribute.  So the attribute comes in steps, each of which is
done on every host before the next one begins:

===========  ==================  ==============================
stage        `self` has it       accepted from a source
===========  ==================  ==============================
(none yet)   no                  absent
`accept`     no                  absent, or the own value
`publish`    yes                 absent, or the own value
`require`    yes                 the own value
===========  ==================  ==============================

Any two neighbouring lines of the table accept each other's devices, so hosts
may take each step one by one, and back.

The language has no "absent or equal", so an entry becomes two: one for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import itertools
from typing import Any

from nova_mdev_compat.publisher.rules.rule import Stage

_ABSENT = {'absent': True}
_ANY = {'any': True}


class NewAttribute:
    """An attribute that is not required yet.

    :param value: the device's value, as an entry would have it; None: it is
        not known, so nothing can be said against any.
    """

    def __init__(self, name: str, stage: Stage, value: Any) -> None:
        self.name = name
        self._stage = stage
        self._value = value

    def patches(self, named: Mapping[str, Any]) -> list[Any]:
        """What entries say of it, None standing for "does not name it".

        :param named: what the rule's entry says of attributes.
        """
        if self.name in named:
            return self._of_named(named[self.name])
        if self._value is None:
            return [_ANY]
        if isinstance(self._value, list):
            # The default test of a set takes its absence for the empty one.
            return [self._value if self._stage == 'accept' else None]
        return [None, self._value if self._stage == 'accept' else _ABSENT]

    @staticmethod
    def _of_named(patch: Any) -> list[Any]:
        if isinstance(patch, list) or patch in (_ANY, _ABSENT):
            return [patch]
        if isinstance(patch, str) and '${' in patch:
            # Its variables are bound by a value or not at all.
            return [patch]
        return [patch, _ABSENT]


def expand(entry: Mapping[str, Any],
           new: list[NewAttribute]) -> Iterator[dict[str, Any]]:
    """The entries that one entry becomes: every combination, in order."""
    named = entry.get('attributes', {})
    for choice in itertools.product(
            *(attribute.patches(named) for attribute in new)):
        attributes = {**named, **{
            attribute.name: patch
            for attribute, patch in zip(new, choice) if patch is not None}}
        found = dict(entry)
        if attributes:
            found['attributes'] = attributes
        yield found
