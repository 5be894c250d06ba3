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

"""Labels in placement: what those in use map to, and mapping one anew."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Set
import contextlib
import dataclasses
import types

from oslo_log import log as logging
import tenacity

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import Conflict
from nova_mdev_compat.placement.errors import NotFound

LOG = logging.getLogger(__name__)

#: Labels in use that are looked at: fifteen requests for an accept set that
#: has all of them. Whoever has more should share some among hosts.
MAX_LABELS = 2048
# Writers that meet at one label step back; so often one tries.
_TRIES = 3
_ATTEMPTS = 12
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 3.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LabelsInUse:
    """What the labels say that providers carry, at one moment.

    Two of these are equal when they are the same: whoever keeps answers by
    one of them need not compare thousands of labels.

    :param digests: by label.
    :param unmapped: labels that stand for nothing.
    :param traits: by digest, the traits of its labels.
    :param unmarked: digests that labels alone name: their markers need not
        exist, and what does not exist cannot be asked for.
    :param partial: whether there are more, that were not looked at.
    """

    digests: Mapping[str, str]
    unmapped: frozenset[str]
    traits: Mapping[str, tuple[str, ...]]
    unmarked: frozenset[str]
    partial: bool = False

    def carried(self, digests: Iterable[str]) -> list[str]:
        """Names of the traits by which providers carry some documents."""
        if not self.traits:
            return list(map(traits.marker, digests))
        return [name for digest in digests for name in (
            *(() if digest in self.unmarked else (traits.marker(digest),)),
            *self.traits.get(digest, ()))]

    def says_the_same(self, other: LabelsInUse) -> bool:
        return (self.digests == other.digests
                and self.unmapped == other.unmapped
                and self.unmarked == other.unmarked
                and self.partial == other.partial)


_EMPTY: Mapping[str, str] = types.MappingProxyType({})
NONE = LabelsInUse(_EMPTY, frozenset(), types.MappingProxyType({}),
                   frozenset())


class LabelReader:
    """Reads what labels map to; threads may share it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last = NONE
        self._told = False

    def in_use(self, names: Iterable[str], marked: Set[str],
               deadline: Deadline) -> LabelsInUse:
        """What the labels among some traits map to.

        No request where there is no label, and else one.

        :param names: the traits that providers carry.
        :param marked: digests of the markers among them.
        """
        found = {label for label in map(labels.read, names)
                 if label is not None}
        if not found:
            self._last = NONE
            return NONE
        self._tell(len(found))
        # Those that are known first: whoever comes with very many others
        # must not displace them.
        known = self._last.digests
        chosen = sorted(found, key=lambda label: (label not in known, label))
        del chosen[MAX_LABELS:]
        now = self._read(chosen, marked, len(found) > MAX_LABELS, deadline)
        if not now.says_the_same(self._last):
            self._last = now
        return self._last

    def digest(self, label: str, deadline: Deadline) -> str | None:
        """What one label maps to; None: nothing."""
        found = read(self._client, label, deadline)
        return found[0].digest if found else None

    def _read(self, chosen: list[str], marked: Set[str], partial: bool,
              deadline: Deadline) -> LabelsInUse:
        mappings = labels.by_label(self._client.traits(
            labels.MAPPING_PREFIX, deadline, many=True))
        digests = {label: mappings[label][0].digest for label in chosen
                   if label in mappings}
        by_digest: dict[str, list[str]] = {}
        for label, digest in digests.items():
            by_digest.setdefault(digest, []).append(labels.trait(label))
        return LabelsInUse(
            types.MappingProxyType(digests),
            frozenset(chosen) - digests.keys(),
            types.MappingProxyType({digest: tuple(sorted(some))
                                    for digest, some in by_digest.items()}),
            frozenset(by_digest.keys() - marked), partial)

    def _tell(self, count: int) -> None:
        if count > MAX_LABELS and not self._told:
            LOG.warning(
                '%d labels are in use, over the limit of %d. Providers with '
                'others count as unpublished. Let hosts that are upgraded '
                'together share a label.', count, MAX_LABELS)
        self._told = count > MAX_LABELS


def read(client: Client, label: str,
         deadline: Deadline) -> list[labels.Mapping]:
    """A label's mappings, the one that counts first. One request."""
    return labels.by_label(client.traits(
        f'{labels.MAPPING_PREFIX}{label}_', deadline)).get(label, [])


@dataclasses.dataclass(frozen=True, slots=True)
class Mapped:
    """What became of a label.

    :param current: the mapping that counts now.
    :param written: whether it, or one that lost against it, was written.
    """

    current: labels.Mapping
    written: bool


def may_map(current: labels.Mapping | None, owner: str, mine: bool) -> bool:
    """Whether somebody may map a label to another document.

    Only who wrote the mapping changes it. Hosts that share a label and do
    not agree would otherwise take turns.

    :param current: what counts now.
    :param mine: whether the label is the asker's alone.
    """
    return current is None or mine or current.owner == owner


def map_label(client: Client, label: str, digest: str, owner: str,
              mine: bool, deadline: Deadline) -> Mapped:
    """Maps a label to a document, if it may be; its body should be there.

    The new mapping is written before the old ones go, and then read back. So
    a reader finds the old document or the new one.

    :param mine: as `may_map` has it.
    :raises PlacementError: placement could not be read or written.
    """
    written = False
    for _ in range(_TRIES):
        found = read(client, label, deadline)
        current = found[0] if found else None
        if current is not None and (
                current.digest == digest
                or not may_map(current, owner, mine)
                or current.sequence >= labels.MAX_SEQUENCE):
            return Mapped(current, written)
        new = labels.Mapping(
            label, current.sequence + 1 if current else 1, owner, digest)
        _retrying()(client.put_trait, new.name, deadline)
        written = True
    found = read(client, label, deadline)
    return Mapped(found[0] if found else new, written)


def remove_superseded(client: Client, label: str,
                      deadline: Deadline) -> tuple[str, ...]:
    """Takes the mappings of a label away that do not count.

    The one that counts is never taken away: nobody does that as long as the
    label is in use.

    :returns: their names.
    """
    names = tuple(one.name for one in read(client, label, deadline)[1:])
    for name in names:
        with contextlib.suppress(NotFound, Conflict):
            client.delete_trait(name, deadline)
    return names


def _retrying() -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Conflict),
        wait=tenacity.wait_random_exponential(_FIRST_WAIT, _LONGEST_WAIT),
        stop=tenacity.stop_after_attempt(_ATTEMPTS), reraise=True)
