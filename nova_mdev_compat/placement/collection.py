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

"""Collecting the bodies of documents whose marker is on no provider.

A document is collected at the second sight, when a grace period has passed
since the first, which a tombstone trait records. A publisher that comes to
carry the document in between takes the tombstone away. One that comes at the
very moment of collecting meets the rule that both sides keep: write first,
then look. The publisher puts its marker on and then reads the body back; the
collector deletes the body and then looks for the marker. Whoever looks last
sees what the other did, and mends the body.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import dataclasses

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec.tombstones import Tombstone
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import Conflict
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement.fate import due
from nova_mdev_compat.placement.fate import Fate
from nova_mdev_compat.placement import label_collection
from nova_mdev_compat.placement.label_collection import SeenLabels


@dataclasses.dataclass(frozen=True, slots=True)
class Unused:
    """A document, or what is left of one, without a marker in use.

    :param chunks: names of its body's traits.
    :param marker: whether its marker trait is there and to be collected.
    :param seen: its tombstones, the oldest first.
    """

    digest: str
    chunks: tuple[str, ...]
    marker: bool
    seen: tuple[Tombstone, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All that is to be deleted but the tombstones."""
        return self.chunks + ((traits.marker(self.digest),)
                              if self.marker else ())


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What placement had when it was looked at.

    :param stale: tombstones of documents that are in use, or gone.
    :param labels: what there is to do about labels.
    """

    unused: tuple[Unused, ...]
    stale: tuple[Tombstone, ...]
    labels: SeenLabels = SeenLabels()


class Collector:
    """Collects, one document after another.

    :param grace: seconds between the first sight and collecting.
    :param markers: collect marker traits too. Placement can lose a race
        between that and somebody's putting one on a provider.
    :param now: seconds since 1970.
    :param deadline: begins anew for each document.
    """

    def __init__(self, client: Client, grace: float, markers: bool,
                 now: Callable[[], float],
                 deadline: Callable[[], Deadline]) -> None:
        self._client = client
        self._grace = grace
        self._markers = markers
        self._now = now
        self._deadline = deadline

    def look(self) -> Seen:
        """What has no marker in use, and no label; nothing is written."""
        # First all names and then the markers in use: whatever comes between
        # is not among the names.
        names = self._client.traits(traits.PREFIX, self._deadline(),
                                    many=True)
        carried = self._client.traits(traits.PREFIX, self._deadline(),
                                      associated=True)
        # A mapping holds its body until it goes itself, whether or not a
        # provider carries the label now: Nova may put it on at any time.
        used = {*map(traits.read_marker, carried), *_mapped(names)}
        found = {digest: one for digest, one in self._by_digest(names)
                 if digest not in used}
        return Seen(
            tuple(one for _, one in sorted(found.items())),
            tuple(stone for digest, some
                  in tombstones.by_digest(names).items()
                  if digest not in found for stone in some),
            label_collection.sort_out(names, carried))

    def _by_digest(self, names: list[str]) -> Iterator[tuple[str, Unused]]:
        chunks: dict[str, list[str]] = {}
        for name in names:
            chunk = traits.read_chunk(name)
            if chunk is not None:
                chunks.setdefault(chunk.digest, []).append(name)
        markers = {digest for digest in map(traits.read_marker, names)
                   if digest is not None} if self._markers else set()
        seen = tombstones.by_digest(names)
        for digest in {*chunks, *markers}:
            yield digest, Unused(digest, tuple(chunks.get(digest, ())),
                                 digest in markers,
                                 tuple(seen.get(digest, ())))

    def fate(self, unused: Unused) -> Fate:
        """What is due for a document, by its tombstones."""
        return due([stone.since for stone in unused.seen], self._now(),
                   self._grace)

    def forget(self, stale: Iterable[Tombstone]) -> None:
        """Deletes tombstones."""
        for stone in stale:
            self._delete(stone.name, self._deadline())

    def collect(self, unused: Unused) -> Fate:
        """Does what is due for a document.

        :raises PlacementError: placement could not be read or written. The
            next run goes on from there.
        """
        fate = self.fate(unused)
        if fate is Fate.SEEN:
            self.forget(unused.seen)
            self._client.put_trait(
                Tombstone(unused.digest, int(self._now())).name,
                self._deadline())
        if fate is Fate.COLLECTED:
            deadline = self._deadline()
            fate = self._collect(unused, deadline)
        return fate

    def _collect(self, unused: Unused, deadline: Deadline) -> Fate:
        if not self._still_unused(unused, deadline):
            return Fate.USED_AGAIN
        for name in unused.chunks:
            self._delete(name, deadline)
        if self._in_use(unused.digest, deadline) or (
                unused.marker and not self._delete(
                    traits.marker(unused.digest), deadline)):
            for name in unused.chunks:
                self._client.put_trait(name, deadline)
            fate = Fate.RESTORED
        else:
            fate = Fate.COLLECTED
        # The last: whoever goes on after a crash need not wait again.
        for stone in unused.seen:
            self._delete(stone.name, deadline)
        return fate

    def _still_unused(self, unused: Unused, deadline: Deadline) -> bool:
        stones = tombstones.by_digest(self._client.traits(
            f'{tombstones.PREFIX}{unused.digest}_', deadline))
        # Whoever comes to carry the document takes them away first.
        if set(stones.get(unused.digest, ())) != set(unused.seen):
            return False
        if not self._in_use(unused.digest, deadline):
            return True
        for stone in unused.seen:
            self._delete(stone.name, deadline)
        return False

    def _in_use(self, digest: str, deadline: Deadline) -> bool:
        marker = traits.marker(digest)
        if marker in self._client.traits(marker, deadline, associated=True):
            return True
        return digest in _mapped(self._client.traits(
            labels.MAPPING_PREFIX, deadline, many=True))

    def _delete(self, name: str, deadline: Deadline) -> bool:
        """Whether the trait is gone; not where a provider carries it."""
        try:
            with contextlib.suppress(NotFound):
                self._client.delete_trait(name, deadline)
        except Conflict:
            return False
        return True


def _mapped(names: Iterable[str]) -> set[str]:
    """The digests that labels map to."""
    return {one.digest for one in map(labels.read_mapping, names)
            if one is not None}
