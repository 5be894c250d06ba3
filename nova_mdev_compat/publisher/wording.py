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

"""Many names in few words: a host may have 256 devices."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

# Whoever wants all of them asks the health file.
_NAMED = 3


def named(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    found = sorted(names)
    more = len(found) - _NAMED
    if more <= 0:
        return ', '.join(found)
    return f'{", ".join(found[:_NAMED])} and {more} more'


def by_reason(reasons: Iterable[tuple[str, str]]
              ) -> Iterator[tuple[str, list[str]]]:
    """Each reason, with the names of all that it is the reason for.

    :param reasons: a name and a reason each.
    """
    found: dict[str, list[str]] = {}
    for name, why in sorted(reasons):
        found.setdefault(why, []).append(name)
    yield from found.items()
