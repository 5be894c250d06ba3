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

"""Collecting the mappings of labels that no provider carries.

As with documents: at the second sight, when a grace period has passed since
the first, which a tombstone trait records; and who collects looks again after
deleting, and puts back what is needed after all. Nova may put a label on a
provider at any time.

Mappings that do not count, because a higher one is there, serve nobody, and
go at once.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import dataclasses

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec.tombstones import LabelTombstone
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import Conflict
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement.fate import due
from nova_mdev_compat.placement.fate import Fate
from nova_mdev_compat.placement import labels as placed


@dataclasses.dataclass(frozen=True, slots=True)
class UnusedLabel:
    """A label that no provider carries.

    :param mappings: what it stands for, the one that counts first.
    :param seen: its tombstones, the oldest first.
    """

    label: str
    mappings: tuple[labels.Mapping, ...]
    seen: tuple[LabelTombstone, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.mappings)


@dataclasses.dataclass(frozen=True, slots=True)
class SeenLabels:
    """The labels that placement had when it was looked at.

    :param superseded: labels in use with mappings that do not count.
    :param stale: tombstones of labels that are in use, or gone.
    """

    unused: tuple[UnusedLabel, ...] = ()
    superseded: tuple[str, ...] = ()
    stale: tuple[LabelTombstone, ...] = ()


def sort_out(names: Iterable[str], carried: Iterable[str]) -> SeenLabels:
    """What is to be done about labels.

    :param names: of all our traits.
    :param carried: of those that providers carry, read later.
    """
    known = list(names)
    mappings = labels.by_label(known)
    stones = tombstones.by_label(known)
    used = set(map(labels.read, carried))
    unused = sorted(mappings.keys() - used)
    return SeenLabels(
        tuple(UnusedLabel(label, tuple(mappings[label]),
                          tuple(stones.get(label, ()))) for label in unused),
        tuple(sorted(label for label, some in mappings.items()
                     if label in used and len(some) > 1)),
        tuple(stone for label, some in sorted(stones.items())
              if label not in unused for stone in some))


class LabelCollector:
    """Collects, one label after another.

    :param grace: seconds between the first sight and collecting.
    :param now: seconds since 1970.
    :param deadline: begins anew for each label.
    """

    def __init__(self, client: Client, grace: float,
                 now: Callable[[], float],
                 deadline: Callable[[], Deadline]) -> None:
        self._client = client
        self._grace = grace
        self._now = now
        self._deadline = deadline

    def fate(self, unused: UnusedLabel) -> Fate:
        """What is due for a label, by its tombstones."""
        return due([stone.since for stone in unused.seen], self._now(),
                   self._grace)

    def tidy(self, seen: SeenLabels) -> int:
        """Deletes stale tombstones and mappings that do not count.

        :returns: how many mappings that were.
        """
        for stone in seen.stale:
            self._delete(stone.name, self._deadline())
        return sum(len(placed.remove_superseded(
            self._client, label, self._deadline()))
            for label in seen.superseded)

    def collect(self, unused: UnusedLabel) -> Fate:
        """Does what is due for a label.

        :raises PlacementError: placement could not be read or written. The
            next run goes on from there.
        """
        fate = self.fate(unused)
        deadline = self._deadline()
        if fate is Fate.SEEN:
            self._forget(unused, deadline)
            self._client.put_trait(
                LabelTombstone(unused.label, int(self._now())).name, deadline)
        if fate is Fate.COLLECTED:
            fate = self._collect(unused, deadline)
        return fate

    def _collect(self, unused: UnusedLabel, deadline: Deadline) -> Fate:
        if not self._still_unused(unused, deadline):
            return Fate.USED_AGAIN
        # The one that counts goes last, so that none of the others ever does.
        for name in reversed(unused.names):
            self._delete(name, deadline)
        fate = Fate.COLLECTED
        if self._in_use(unused.label, deadline) \
                or self._written_again(unused, deadline):
            if not placed.read(self._client, unused.label, deadline):
                self._client.put_trait(unused.names[0], deadline)
            fate = Fate.RESTORED
        self._forget(unused, deadline)
        return fate

    def _still_unused(self, unused: UnusedLabel, deadline: Deadline) -> bool:
        # Whoever maps the label takes the tombstones away first.
        if not self._written_again(unused, deadline) \
                and not self._in_use(unused.label, deadline):
            return True
        self._forget(unused, deadline)
        return False

    def _written_again(self, unused: UnusedLabel,
                       deadline: Deadline) -> bool:
        found = tombstones.by_label(self._client.traits(
            f'{tombstones.LABEL_PREFIX}{unused.label}_', deadline))
        return set(found.get(unused.label, ())) != set(unused.seen)

    def _in_use(self, label: str, deadline: Deadline) -> bool:
        name = labels.trait(label)
        return name in self._client.traits(name, deadline, associated=True)

    def _forget(self, unused: UnusedLabel, deadline: Deadline) -> None:
        for stone in unused.seen:
            self._delete(stone.name, deadline)

    def _delete(self, name: str, deadline: Deadline) -> None:
        with contextlib.suppress(NotFound, Conflict):
            self._client.delete_trait(name, deadline)
