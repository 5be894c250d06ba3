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

"""The trait cache: who carries which document, and who accepts a device.

What cannot change is kept for good: documents and compiled matchers by
digest, verdicts by pairs of digests. What can is asked for narrowly and kept
for a while: the markers in use, and for each set of accepting markers the
providers that carry one of them.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Hashable
from collections.abc import Sequence
import dataclasses
import functools
import math
import threading
import time
from typing import TypeAlias
from typing import TypeVar

from oslo_log import log as logging

from nova_mdev_compat.codec import labels
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement import deadline as asking
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.documents import InUse
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.placement.errors import Unreachable
from nova_mdev_compat.placement.kept import Kept
from nova_mdev_compat.placement.kept import Lifetime
from nova_mdev_compat.placement.kept import Outage
from nova_mdev_compat.placement import labels as label_reading
from nova_mdev_compat.placement import memberships
from nova_mdev_compat.placement.newcomers import Newcomers
from nova_mdev_compat.placement.tags import TagReader
from nova_mdev_compat.placement.verdicts import Question
from nova_mdev_compat.placement.verdicts import Verdicts

LOG = logging.getLogger(__name__)

T = TypeVar('T')

#: Digest and document by provider.
Published: TypeAlias = dict[str, tuple[str, Document]]

#: Accept sets, memberships and providers' markers that are kept, the least
#: used ones going first.
MAX_SETS = 64
MAX_PROVIDERS = 1024
# A placement that never ends an answer keeps a thread for each of these; so
# many moves at a time a worker does not see.
MAX_ASKING = 256
# Providers with several markers that are read again, each by itself.
_MAX_READ_AGAIN = 64
# Two answers count as of one moment if no more than this part of their life is
# between them. A cold move reads them one after the other, and need not read
# the first one again.
_AT_ONCE = 1 / 60
# Labels that stand for nothing whose carriers are asked for: to explain.
_MAX_UNMAPPED = 16


class _Shelf:
    """Kept values by key; the least recently used one makes room."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: collections.OrderedDict[Hashable, Kept[object]] = \
            collections.OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Kept[T]]) -> Kept[T]:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                kept = self._kept[key] = make()  # type: ignore[assignment]
                if len(self._kept) > self._size:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return kept  # type: ignore[return-value]

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


class TraitCache:
    """What placement says of devices, kept. Threads share it.

    Every method may raise PlacementError when nothing kept serves.

    :param lifetime: read at each use, so that options can change.
    """

    def __init__(self, client: Client, store: DocumentStore,
                 lifetime: Callable[[], Lifetime],
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._store = store
        self._lifetime = lifetime
        self.clock = clock
        self._outage = Outage(clock)
        self._in_use = Kept('the markers in use', store.in_use, lifetime,
                            clock, provisional=lambda found: found.hasty,
                            outage=self._outage)
        self._sets = _Shelf(MAX_SETS)
        self._named = label_reading.NONE
        self._tags = _Shelf(MAX_PROVIDERS)
        self._labels = _Shelf(MAX_PROVIDERS)
        self._roots = _Shelf(MAX_PROVIDERS)
        self._documents = _Shelf(MAX_PROVIDERS)
        self._doubles = Kept('the providers with several markers',
                             self._find_doubles, lifetime, clock,
                             patient=False, outage=self._outage)
        self._reader = TagReader(client, store, self._digest_of_label)
        self._warned_of_others = False
        self._asking = threading.BoundedSemaphore(MAX_ASKING)
        self._newcomers = Newcomers(self.document, lifetime, clock)
        self.verdicts = Verdicts()

    def in_use(self) -> InUse:
        """The documents that providers carry."""
        reading = self._in_use.read()
        asking.note(reading.asked)
        return reading.value

    def catch_up(self) -> bool:
        """Reads the markers in use again, if an answer that the request went
        by is newer.

        A provider that came to carry a document in between which nobody had
        met is in no set, whatever that document says.

        :returns: whether there may be documents that were not there before.
        """
        before = self._in_use.read()
        moment = asking.newest()
        if before.asked > moment:
            # Another request has renewed it since this one went by it.
            return True
        if moment - before.asked <= self._lifetime().ttl * _AT_ONCE:
            return False
        return not self._in_use.renew(
            moment).value.digests <= before.value.digests

    def document(self, provider: str) -> tuple[str, Document] | None:
        """A provider's digest and document; None: it is unpublished."""
        digest = self._reader.digest(provider, self._tags.get(
            provider, lambda: self._keep(
                f'the marker of provider {provider}',
                lambda deadline: self._reader.read(provider, deadline)
            )).get())
        if digest is None:
            return None
        self._store.see(digest)
        # What is kept can be older than the marker.
        found = self.in_use().documents.get(digest) or self._documents.get(
            digest, lambda: self._keep(
                f'the document {digest}',
                lambda deadline: self._store.get(digest, deadline))).get()
        return None if found is None else (digest, found)

    def _digest_of_label(self, label: str) -> str | None:
        # What is kept can be older than the label.
        return self.in_use().labels.digests.get(label) or self._labels.get(
            label, lambda: self._keep(
                f'the label {label}',
                lambda deadline: self._store.label(label, deadline))).get()

    def doubts(self, offered: Sequence[str], began: float) -> bool:
        """Whether some providers need a look by `find_newer`.

        :param offered: all that a request was offered, other ones too.
        :param began: when the request began, on the cache's clock.
        """
        return self._newcomers.doubts(offered, began, asking.as_of(),
                                      self.in_use().partial)

    def find_newer(self, providers: Sequence[str], began: float) -> bool:
        """Looks up providers that may have come since what is kept was read.

        What is found counts from now on, in every answer.

        :param providers: those that a request was offered and that are in no
            set that decided, in the order of looking.
        :param began: when the request began, on the cache's clock.
        :returns: whether a document was found.
        """
        return self._newcomers.look(providers, began, asking.as_of(),
                                    self.in_use().partial)

    def root(self, provider: str) -> str:
        """UUID of the root of a provider's tree."""
        return self._roots.get(provider, lambda: Kept(
            f'the root of provider {provider}',
            lambda deadline: self._client.root(provider, deadline),
            self._for_good, self.clock, outage=self._outage)).get()

    def allocations(self, consumer: str) -> dict[str, dict[str, int]]:
        """What a consumer holds now: amounts by class, by provider.

        Never kept: it is what changes with every move.
        """
        def ask(deadline: Deadline) -> dict[str, dict[str, int]]:
            if not self._asking.acquire(blocking=False):
                raise Unreachable(f'{MAX_ASKING} requests for allocations '
                                  'are under way already')
            try:
                return self._client.allocations(consumer, deadline)
            finally:
                self._asking.release()
        return self._keep(f'the allocations of {consumer}', ask).get()

    def accepting(self, source: Document, digest: str,
                  question: Question) -> frozenset[str]:
        """UUIDs of the published providers that accept a source device."""
        return self._judged(source, digest, question, True)

    def refusing(self, source: Document, digest: str,
                 question: Question) -> frozenset[str]:
        """UUIDs of the published providers that refuse a source device."""
        return self._judged(source, digest, question, False)

    def _judged(self, source: Document, digest: str, question: Question,
                accepted: bool) -> frozenset[str]:
        def carriers() -> frozenset[str]:
            in_use = self.in_use()
            some = frozenset(
                other for other, document in in_use.documents.items()
                if accepts(other, document) is accepted)
            found = self.carriers(in_use, some, in_use.counting - some)
            found = self._with_newer(
                found, lambda *newer: accepts(*newer) is accepted)
            doubles = self._known_doubles()
            # As a rule there are none, and a copy would cost more than
            # all the rest.
            return found - doubles if doubles else found

        def accepts(other: str, document: Document) -> bool:
            return self.verdicts.of(question, digest, source, other,
                                    document).accepted
        return self._again_if_gone(carriers)

    def _with_newer(self, found: frozenset[str],
                    belongs: Callable[[str, Document], bool]
                    ) -> frozenset[str]:
        newer = self._newcomers.since(asking.as_of())
        if not newer:
            return found
        more = {provider for provider, published in newer.items()
                if belongs(*published)}
        return (found | more) - (newer.keys() - more)

    def doubles(self) -> frozenset[str]:
        """UUIDs of the providers with several markers, which are unusable.

        That is a fault of whoever publishes, and rare; so nobody waits for
        the answer where there is an older one.
        """
        return self._doubles.get()

    def _known_doubles(self) -> frozenset[str]:
        """The providers with several markers, as far as that is known.

        The first move does not wait for an answer that takes a request for
        each bit of the number of documents. A provider whose markers
        disagree about its source is in no set anyhow; so until it is known,
        one counts as published whose markers all say the same.
        """
        try:
            with asking.within(0):
                return self.doubles()
        except BadRequest:
            raise
        except PlacementError:
            return frozenset()

    def members(self, digest: str) -> frozenset[str]:
        """UUIDs of the providers that carry a document's marker or label."""
        def carriers() -> frozenset[str]:
            in_use = self.in_use()
            found = self.carriers(in_use, [digest]) \
                if digest in in_use.digests else frozenset()
            return self._with_newer(
                found, lambda other, document: other == digest)
        return self._again_if_gone(carriers)

    def unmapped(self) -> dict[str, str]:
        """Labels that stand for no document, by provider. Not of many.

        A request for each.
        """
        found = {}
        for label in sorted(self.in_use().labels.unmapped)[:_MAX_UNMAPPED]:
            carrying = self._keep(
                f'the providers with label {label}',
                functools.partial(self._client.providers,
                                  ['in:' + labels.trait(label)])).get()
            found.update(dict.fromkeys(carrying, label))
        return found

    def published(self) -> Published:
        """Digest and document of every provider that has a usable one.

        A request for each document in use: for moves that an accept set
        does not decide.
        """
        return self._again_if_gone(self._published)

    def _published(self) -> Published:
        in_use = self.in_use()
        found = {provider: (digest, document)
                 for digest, document in in_use.documents.items()
                 for provider in self.carriers(in_use, [digest])}
        found.update(self._newcomers.since(asking.as_of()))
        for provider in self.doubles():
            found.pop(provider, None)
        return found

    def carriers(self, in_use: InUse, some: Collection[str],
                 none: Collection[str] = ()) -> frozenset[str]:
        """UUIDs of the providers with one of some documents and none of
        others, all given by digest.
        """
        if not some:
            return frozenset()
        named = in_use.labels
        if named is not self._named:
            # No key of another time is asked for again, and each would keep
            # what was said then.
            self._named = named
            self._sets.clear()
        wanted, unwanted = tuple(sorted(some)), tuple(sorted(none))
        reading = self._sets.get((wanted, unwanted, named), lambda: self._keep(
            'the providers that accept a device',
            lambda deadline: memberships.carriers(
                self._client, named.carried(wanted), named.carried(unwanted),
                deadline))).read()
        asking.note(reading.asked)
        return reading.value

    def _again_if_gone(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except BadRequest as error:
            # A marker that was in use has been deleted meanwhile.
            LOG.info('Reading the markers again: %s', error)
            self._in_use.drop()
            self._doubles.drop()
            return ask()

    def _find_doubles(self, deadline: Deadline) -> frozenset[str]:
        in_use = self.in_use()
        seen = memberships.doubles(
            self._client, [in_use.labels.carried([digest])
                           for digest in sorted(in_use.counting)], deadline)
        again, others = (sorted(seen)[:_MAX_READ_AGAIN],
                         sorted(seen)[_MAX_READ_AGAIN:])
        found = {provider for provider in again
                 if self._reader.is_double(provider, deadline)}
        if others and not self._warned_of_others:
            LOG.warning('%d more providers carry several markers, and count '
                        'as unpublished.', len(others))
        self._warned_of_others = bool(others)
        return frozenset(found.union(others))

    def _keep(self, name: str, fetch: Callable[[Deadline], T]) -> Kept[T]:
        return Kept(name, fetch, self._lifetime, self.clock,
                    outage=self._outage)

    def _for_good(self) -> Lifetime:
        # Nova makes a provider under its root and never moves it.
        return dataclasses.replace(self._lifetime(), ttl=math.inf,
                                   max_age=math.inf)

    def _deadline(self) -> Deadline:
        return Deadline(self._lifetime().timeout, self.clock)
