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

"""Names that say since when a document was seen without a marker in use.

Placement does not know since when a trait is unused. Whoever collects bodies
leaves such a trait at the first sight, and its next run reads there how long
that is ago. For readers of documents these names are nothing: neither a marker
nor a part of a body. Labels that no provider carries get such names too.
"""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses
import re

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits

PREFIX = traits.PREFIX + 'UNUSED_'
LABEL_PREFIX = PREFIX + 'LABEL_'

# Seconds up to the year 5138: more digits are nobody's time.
_SECONDS = r'(0|[1-9][0-9]{0,10})'
_NAME = re.compile(PREFIX + r'([A-Z2-7]{26})_' + _SECONDS)
_LABEL_NAME = re.compile(LABEL_PREFIX + r'([A-Z0-9]+)_' + _SECONDS)


@dataclasses.dataclass(frozen=True, slots=True)
class Tombstone:
    """One such trait, taken apart.

    :param digest: of the document.
    :param since: seconds since 1970, by the clock of whoever saw it.
    """

    digest: str
    since: int

    @property
    def name(self) -> str:
        return f'{PREFIX}{self.digest}_{self.since}'


def read(name: str) -> Tombstone | None:
    """What a trait says, or None for any other trait."""
    found = _NAME.fullmatch(name)
    return found and Tombstone(found[1], int(found[2]))


def by_digest(names: Iterable[str]) -> dict[str, list[Tombstone]]:
    """The tombstones among trait names, those of a document together and the
    oldest first.
    """
    found: dict[str, list[Tombstone]] = {}
    for one in map(read, names):
        if one is not None:
            found.setdefault(one.digest, []).append(one)
    return {digest: sorted(some, key=lambda one: one.since)
            for digest, some in found.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class LabelTombstone:
    """Since when a label was seen on no provider.

    :param since: seconds since 1970, by the clock of whoever saw it.
    """

    label: str
    since: int

    @property
    def name(self) -> str:
        return f'{LABEL_PREFIX}{self.label}_{self.since}'


def read_label(name: str) -> LabelTombstone | None:
    """What a trait says of a label, or None for any other trait."""
    found = _LABEL_NAME.fullmatch(name)
    if found is None or not labels.is_label(found[1]):
        return None
    return LabelTombstone(found[1], int(found[2]))


def by_label(names: Iterable[str]) -> dict[str, list[LabelTombstone]]:
    """The same as `by_digest`, for labels."""
    found: dict[str, list[LabelTombstone]] = {}
    for one in map(read_label, names):
        if one is not None:
            found.setdefault(one.label, []).append(one)
    return {label: sorted(some, key=lambda one: one.since)
            for label, some in found.items()}
