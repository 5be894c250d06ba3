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

"""What somebody can do who may write traits, and means harm.

nova-compute's user may: placement's policy knows no owners. The numbers are
those of an ordinary run; MDEV_COMPAT_HOSTILE=10000 takes longer.
"""

from collections.abc import Iterator
import gc
import itertools
import json
import os
import pathlib
import random
import time
import tracemalloc
import types
from typing import Any

import fixtures

from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.approved import Directory
from nova_mdev_compat.placement import deadline
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement import documents
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.kept import Lifetime
from nova_mdev_compat.placement import newcomers
from nova_mdev_compat.placement.trait_cache import TraitCache
from nova_mdev_compat.placement.verdicts import Question
from tests.functional import placement_bulk
from tests.functional import placement_cloud as cloud

HOSTILE = int(os.environ.get('MDEV_COMPAT_HOSTILE', 1500))
TTL, MAX_AGE, TIMEOUT = 60.0, 3600.0, 30.0
LIVE = Question('live')
KINDS = 20
#: Bytes of documents that a store keeps, and in a test of memory.
BOUND, MAX_KEPT = documents.MAX_KEPT, 1 << 17
ANYTHING = {'attributes': {name: {'any': True} for name in ('n', 'who')}}


def legitimate(number: int) -> Document:
    """One of several kinds that all accept each other."""
    return cloud.document(number, {'attributes': {
        'n': {'minimum': 0, 'maximum': KINDS - 1}}})


def largest() -> Iterator[traits.TraitNames]:
    """Valid documents near the limits of the format, each another one, that
    claim to accept everything.
    """
    form = loading.load(json.dumps({
        'format': 1, 'self': {
            'device_api': 'vfio-pci', 'mdev_type': 'acme-t',
            'attributes': {'n': 1, 'who': '#' * 8}},
        'compatible': [ANYTHING, *[
            {'variables': {name: {'minimum': 0, 'maximum': 9}
                           for name in ('a', 'b')},
             'attributes': {'n': '${a}', 'who': 'x${b}'}}] * 59],
    })).canonical
    for number in itertools.count():
        # Loading each would take a tenth of a second.
        named: Any = types.SimpleNamespace(canonical=form.replace(
            b'#' * 8, b'%08d' % number))
        yield traits.encode(named)


class HostileTestCase(cloud.PlacementTestCase):
    """A cloud of 20 kinds of device, three of each."""

    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0
        self.documents = [legitimate(number) for number in range(KINDS)]
        self.names = [traits.encode(one) for one in self.documents]
        self.providers = [placement_bulk.make_providers(3)
                          for _ in self.documents]
        placement_bulk.make_traits(itertools.chain.from_iterable(
            (names.marker, *names.chunks) for names in self.names))
        placement_bulk.mark([
            (provider, names.marker) for names, providers
            in zip(self.names, self.providers) for provider in providers])
        self.everybody = {*itertools.chain(*self.providers)}
        self.hostile: list[str] = []
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.restart_scheduler()

    def restart_scheduler(self, **options: Any) -> None:
        self.settle()
        self.cache = TraitCache(
            self.client, DocumentStore(self.client, **options),
            lambda: Lifetime(TTL, MAX_AGE, TIMEOUT), lambda: self.now)

    def approve(self) -> Directory:
        """The operator keeps the cloud's documents at the scheduler."""
        for number, document in enumerate(self.documents):
            (self.path / f'{number}.json').write_bytes(document.canonical)
        return Directory(str(self.path))

    def flood(self, count: int) -> None:
        """So many providers with a document each."""
        names = list(itertools.islice(largest(), count))
        placement_bulk.make_traits(itertools.chain.from_iterable(
            (one.marker, *one.chunks) for one in names))
        self.hostile = placement_bulk.make_providers(count)
        placement_bulk.mark([(provider, one.marker) for provider, one
                             in zip(self.hostile, names)])

    def move(self) -> set[str]:
        """What a move of a device of the first kind can go to, when half of
        the candidates are somebody's who means harm.
        """
        self.now += 1
        began = self.now
        source = self.providers[0][0]
        offered = [*self.everybody, *self.hostile[:len(self.everybody)]]
        random.Random(7).shuffle(offered)
        with deadline.within(TIMEOUT):
            published = self.cache.document(source)
            self.assertIsNotNone(published)
            digest, document = published or ('', self.documents[0])
            found = self.cache.accepting(document, digest, LIVE)
            if self.cache.find_newer(
                    [one for one in offered if one not in found], began):
                found = self.cache.accepting(document, digest, LIVE)
        self.settle()
        return found.intersection(offered)


class TestFlood(HostileTestCase):
    """Thousands of documents, the largest allowed, each another."""

    def test_legitimate_ones_still_work(self) -> None:
        self.flood(HOSTILE)
        counts = []
        for number in range(6):
            self.restart()
            began = time.monotonic()
            found = self.move()
            counts.append(len(found & self.everybody))
            print(f'figure: {HOSTILE} documents, move {number}: '
                  f'{time.monotonic() - began:.1f} s, '
                  f'{len(self.placement.requests)} requests, {counts[-1]} of '
                  f'{len(self.everybody)} legitimate providers')
            # Those of the source's own kind need no second document.
            self.assertLessEqual({*self.providers[0]}, found)
            self.now += TTL * (number % 2)
        self.assertEqual(1, self.said('documents are in use, over the limit'))
        # Those that moves were offered come back by and by.
        self.assertGreater(counts[-1], 3 * counts[0])

    def test_memory(self) -> None:
        """What is kept of the largest documents, up to a smaller bound."""
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.documents.MAX_KEPT', MAX_KEPT))
        self.flood(4 * MAX_KEPT // 8000)
        self.cache.accepting(legitimate(0), self.names[0].digest, LIVE)
        self.restart_scheduler()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        store = self.cache._store
        for _ in range(3):
            # The bound on time is another matter.
            store.in_use(Deadline(600))
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
        size = documents._size(store._known)
        print(f'figure: {len(store._known)} documents of {size >> 10} KiB '
              f'take {kept >> 10} KiB, so {BOUND >> 20} MiB of '
              f'them take {kept * BOUND // size >> 20} MiB')
        self.assertLess(size, MAX_KEPT + 8192)
        self.assertLess(kept, 40 * size)

    def test_directory(self) -> None:
        """What the operator keeps comes first."""
        self.flood(documents.MAX_DOCUMENTS + 1)
        self.restart_scheduler(directory=self.approve())
        self.assertEqual(self.everybody, self.move() & self.everybody)

    def test_approved_only(self) -> None:
        self.flood(documents.MAX_DOCUMENTS + 1)
        self.restart_scheduler(directory=self.approve(), approved_only=True)
        self.restart()
        self.assertEqual(self.everybody, self.move())
        print(f'figure: approved only: {len(self.placement.requests)} '
              'requests')
        self.assertEqual([], self.asked('GET', '_DOC_'))

    def test_churn(self) -> None:
        """New documents all the time leave nothing behind."""
        store, names = self.cache._store, largest()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.documents.MAX_KEPT', 1 << 16))
        for _ in range(4):
            some = list(itertools.islice(names, 24))
            placement_bulk.make_traits(itertools.chain.from_iterable(
                (one.marker, *one.chunks[:number % 2]) for number, one
                in enumerate(some)))
            owners = placement_bulk.make_providers(24)
            placement_bulk.mark([(owner, one.marker) for owner, one
                                 in zip(owners, some)])
            self.move()
            self.now += TTL
            for owner in owners:
                self.placement.set_traits(owner)
        self.assertLess(documents._size(store._known), 1 << 18)
        self.assertGreaterEqual(34, self.said('unusable'))


class TestBodies(HostileTestCase):

    def test_deleted(self) -> None:
        self.assertEqual(self.everybody, self.move())
        self.delete_bodies()
        for _ in range(3):
            self.now += TTL
            self.assertEqual(self.everybody, self.move())
        self.restart_scheduler()
        with deadline.within(TIMEOUT):
            self.assertIsNone(self.cache.document(self.providers[0][0]))
        self.restart_scheduler(directory=self.approve())
        self.assertEqual(self.everybody, self.move())

    def delete_bodies(self) -> None:
        for names in self.names:
            self.placement.delete_traits(*names.chunks)

    def test_hidden_among_strays(self) -> None:
        """Thousands of chunks that belong to no body."""
        stem, _, chunk = self.names[1].chunks[0].rpartition('_')
        placement_bulk.make_traits(
            f'{stem}_{chunk[:150]}{text}' for text in (
                ''.join(letters) for letters in itertools.islice(
                    itertools.product('ABCDEFGHIJ', repeat=4), 6000)))
        self.restart()
        self.assertEqual(self.everybody - {*self.providers[1]}, self.move())
        self.assertEqual(1, self.said('it has too many body traits'))
        self.restart_scheduler(directory=self.approve())
        self.assertEqual(self.everybody, self.move())


class TestMarkers(HostileTestCase):

    def claim(self) -> traits.TraitNames:
        """A document that accepts everything."""
        names = next(largest())
        self.placement.make_traits(names.marker, *names.chunks)
        return names

    def test_second_ones(self) -> None:
        """They make a provider unusable, which is told; and that is all."""
        names = self.claim()
        placement_bulk.mark([(provider, names.marker)
                             for provider in self.providers[1]])
        # Where all markers say the same, the first move does not wait.
        self.move()
        self.assertEqual(self.everybody - {*self.providers[1]}, self.move())
        self.restart_scheduler(directory=self.approve(), approved_only=True)
        self.assertEqual(self.everybody, self.move())

    def test_second_one_at_the_source(self) -> None:
        names = self.claim()
        placement_bulk.mark([(self.providers[0][0], names.marker)])
        with deadline.within(TIMEOUT):
            self.assertIsNone(self.cache.document(self.providers[0][0]))
            self.assertEqual(1, self.said('carries 2 markers'))
            self.restart_scheduler(directory=self.approve(),
                                   approved_only=True)
            self.assertEqual(
                (self.names[0].digest, self.documents[0]),
                self.cache.document(self.providers[0][0]))

    def test_second_ones_everywhere(self) -> None:
        names = self.claim()
        placement_bulk.mark([(provider, names.marker)
                             for provider in self.everybody
                             if provider != self.providers[0][0]])
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.trait_cache._MAX_READ_AGAIN', 10))
        self.move()
        self.assertEqual({self.providers[0][0]}, self.move())
        self.assertEqual(1, self.said('more providers carry several markers'))
        lines = self.said('markers')
        # Those that are read again, and those that are looked up.
        self.assertGreaterEqual(1 + 10 + 2 * newcomers.MAX_A_REQUEST, lines)
        for _ in range(3):
            self.now += TTL
            self.assertEqual({self.providers[0][0]}, self.move())
        self.assertEqual(lines, self.said('markers'))

    def test_claims_to_accept_everything(self) -> None:
        names = self.claim()
        self.hostile = placement_bulk.make_providers(1)
        placement_bulk.mark([(self.hostile[0], names.marker)])
        self.assertEqual({*self.everybody, *self.hostile}, self.move())
        self.restart_scheduler(directory=self.approve(), approved_only=True)
        self.assertEqual(self.everybody, self.move())

    def test_thousands_of_traits_on_a_provider(self) -> None:
        names = [f'CUSTOM_{"X" * 240}_{number}' for number in range(1500)]
        placement_bulk.make_traits(names)
        provider = self.providers[1][0]
        placement_bulk.mark([(provider, name) for name in names])
        with deadline.within(TIMEOUT):
            self.assertIsNone(self.cache.document(provider))
        self.assertEqual(1, self.said('carries too many traits'))
        self.assertEqual(self.everybody, self.move())
