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

"""Collecting bodies, against the real placement."""

import io
import logging

import ddt
import fixtures
import testtools

from nova_mdev_compat.cmd import main
from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec.tombstones import Tombstone
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.collection import Collector
from nova_mdev_compat.placement.collection import Fate
from nova_mdev_compat.placement.deadline import Deadline
from tests.functional import collection
from tests.functional.collection import collect
from tests.functional.collection import GRACE
from tests.functional.collection import NOW
from tests.functional import placement_cloud as cloud
from tests.functional import test_placement_publication as one_provider

FOREIGN = ('CUSTOM_GOLD', 'CUSTOM_MDEV_COMPAT2_' + 'A' * 26,
           'CUSTOM_MDEV_COMPAT1_SOMETHING')


class CollectionTestCase(cloud.PlacementTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.used = self.placement.publish(
            cloud.document(), self.placement.make_provider())
        self.unused = self.placement.publish(
            cloud.document(1, **one_provider.LONG))
        self.placement.make_traits(self.unused.marker, *FOREIGN)
        self.before = self.placement.custom_traits()
        self.stone = Tombstone(self.unused.digest, NOW).name
        self.restart()

    def added(self) -> set[str]:
        return self.placement.custom_traits() - self.before

    def gone(self) -> set[str]:
        return self.before - self.placement.custom_traits()

    def assert_writes(self, *requests: str) -> None:
        self.assertEqual(list(requests), [
            request for request in self.placement.requests
            if not request.startswith('GET ')])


class TestCollection(CollectionTestCase):

    def test_first_sight(self) -> None:
        self.assertEqual([Fate.SEEN], collect(self.client))
        self.assertEqual(({self.stone}, set()), (self.added(), self.gone()))

    def test_thousands_of_bodies(self) -> None:
        """That is when it is needed most."""
        self.placement.hook = cloud.crowded(self.placement, 2000)
        collector = Collector(self.client, GRACE, False, lambda: NOW,
                              lambda: Deadline(cloud.TIMEOUT))
        self.assertEqual(2001, len(collector.look().unused))

    def test_tombstones_are_nothing_to_readers(self) -> None:
        self.assertIsNone(traits.read_marker(self.stone))
        self.assertIsNone(traits.read_chunk(self.stone))
        self.assertEqual((set(), set()), traits.digests([self.stone]))

    def test_within_the_grace_period(self) -> None:
        collect(self.client)
        self.restart()
        self.assertEqual([Fate.WAITING],
                         collect(self.client, now=NOW + GRACE - 1))
        self.assert_writes()

    def test_after_it(self) -> None:
        collect(self.client)
        self.restart()
        self.assertEqual([Fate.COLLECTED],
                         collect(self.client, now=NOW + GRACE))
        self.assert_writes(
            *(f'DELETE /traits/{name}'
              for name in sorted(self.unused.chunks)),
            f'DELETE /traits/{self.stone}')
        # The marker trait stays: see --markers.
        self.assertEqual((set(), {*self.unused.chunks}),
                         (self.added(), self.gone()))
        self.assertEqual([], collect(self.client, now=NOW + 9 * GRACE))

    def test_markers(self) -> None:
        collect(self.client, markers=True)
        self.assertEqual(
            [Fate.COLLECTED],
            collect(self.client, markers=True, now=NOW + GRACE))
        self.assertEqual(
            (set(), {*self.unused.chunks, self.unused.marker}),
            (self.added(), self.gone()))

    def test_marker_without_a_body(self) -> None:
        self.placement.delete_traits(*self.unused.chunks)
        self.assertEqual([], collect(self.client))
        self.assertEqual([Fate.SEEN], collect(self.client, markers=True))
        collect(self.client, markers=True, now=NOW + GRACE)
        self.assertEqual((set(), {*self.unused.chunks, self.unused.marker}),
                         (self.added(), self.gone()))

    def test_marker_comes_into_use(self) -> None:
        collect(self.client)
        provider = self.placement.make_provider()
        self.placement.set_traits(provider, self.unused.marker)
        self.assertEqual([], collect(self.client, now=NOW + GRACE))
        # And the time begins anew when it goes.
        self.assertEqual((set(), set()), (self.added(), self.gone()))
        self.placement.set_traits(provider)
        self.assertEqual([Fate.SEEN], collect(self.client, now=NOW + GRACE))

    def test_half_a_body(self) -> None:
        # Whoever wrote it was stopped.
        self.placement.delete_traits(self.unused.chunks[0])
        collect(self.client)
        self.assertEqual([Fate.COLLECTED],
                         collect(self.client, now=NOW + GRACE))
        self.assertEqual({*self.unused.chunks}, self.gone())

    def test_tombstone_of_a_wrong_clock(self) -> None:
        self.placement.make_traits(
            Tombstone(self.unused.digest, NOW + 1000 * GRACE).name)
        self.assertEqual([Fate.SEEN], collect(self.client))
        self.assertEqual({self.stone}, self.added())

    def test_tombstone_that_was_left_behind(self) -> None:
        self.placement.delete_traits(*self.unused.chunks)
        self.placement.make_traits(self.stone)
        self.assertEqual([], collect(self.client))
        self.assertEqual(set(), self.added())

    def test_after_a_crash(self) -> None:
        collect(self.client)
        self.placement.hook = lambda method, path: (
            cloud.answer(503, 'out of order') if method == 'DELETE'
            and path.endswith(self.unused.chunks[1]) else None)
        self.assertRaises(Exception, collect, self.client,  # noqa: H202
                          now=NOW + GRACE)
        self.placement.hook = None
        # It does not have to wait again.
        self.assertEqual([Fate.COLLECTED],
                         collect(self.client, now=NOW + GRACE))
        self.assertEqual((set(), {*self.unused.chunks}),
                         (self.added(), self.gone()))

    def test_marker_comes_amid_collecting(self) -> None:
        collect(self.client)
        provider = self.placement.make_provider()
        self.placement.hook = cloud.once(
            lambda: self.placement.set_traits(provider, self.unused.marker),
            'DELETE', self.unused.chunks[1])
        self.assertEqual([Fate.RESTORED],
                         collect(self.client, now=NOW + GRACE))
        self.assertEqual((set(), set()), (self.added(), self.gone()))

    def test_marker_comes_just_before_it_is_deleted(self) -> None:
        collect(self.client, markers=True)
        provider = self.placement.make_provider()
        self.placement.hook = cloud.once(
            lambda: self.placement.set_traits(provider, self.unused.marker),
            'DELETE', self.unused.marker)
        self.assertEqual(
            [Fate.RESTORED],
            collect(self.client, markers=True, now=NOW + GRACE))
        self.assertEqual((set(), set()), (self.added(), self.gone()))

    def test_publisher_comes_just_before(self) -> None:
        collect(self.client)
        self.placement.hook = cloud.once(
            lambda: self.placement.delete_traits(self.stone),
            'GET', tombstones.PREFIX)
        self.restart()
        self.assertEqual([Fate.USED_AGAIN],
                         collect(self.client, now=NOW + GRACE))
        self.assert_writes()

    def test_two_collectors(self) -> None:
        collect(self.client)
        self.placement.hook = cloud.once(
            lambda: collect(self.client, now=NOW + GRACE),
            'DELETE', '/traits/')
        self.assertEqual([Fate.COLLECTED],
                         collect(self.client, now=NOW + GRACE))
        self.assertEqual((set(), {*self.unused.chunks}),
                         (self.added(), self.gone()))


@ddt.ddt
class TestCommand(CollectionTestCase):

    def run_gc(self, *options: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with fixtures.MonkeyPatch('sys.stdout', out), \
                fixtures.MonkeyPatch('sys.stderr', err), \
                fixtures.MonkeyPatch('logging.root.handlers', []):
            status = main.main(['gc', '--config-file', str(
                self.placement.configuration), *options])
        self.assertNotIn('Traceback', err.getvalue())
        return status, out.getvalue(), err.getvalue()

    def test_twice(self) -> None:
        status, said, _ = self.run_gc()
        self.assertEqual(0, status)
        self.assertIn('seen for the first time', said)
        self.assertEqual(1, len(self.added()))
        _, said, _ = self.run_gc()
        self.assertIn('in its grace period', said)
        _, said, _ = self.run_gc('--grace', '0', '--dry-run')
        self.assertIn(self.unused.chunks[0], said)
        self.assertIn('nothing was written', said)
        self.assertEqual(set(), self.gone())
        _, said, warned = self.run_gc('--grace', '0')
        self.assertIn('1 collected.', said)
        self.assertNotIn('race', warned)
        self.assertEqual({*self.unused.chunks}, self.gone())
        _, said, _ = self.run_gc('--grace', '0')
        self.assertIn('0 documents without a marker in use.', said)

    def test_dry_run_writes_nothing(self) -> None:
        self.run_gc('--dry-run')
        self.assert_writes()

    def test_markers(self) -> None:
        self.run_gc('--markers')
        status, _, warned = self.run_gc('--markers', '--grace', '0')
        self.assertEqual(0, status)
        self.assertIn('placement can lose a race', warned)
        self.assertIn(self.unused.marker, self.gone())

    @ddt.data('-1', 'nan', 'inf', 'soon')
    def test_grace(self, grace: str) -> None:
        error = self.assertRaises(SystemExit, self.run_gc,
                                  f'--grace={grace}')
        self.assertEqual(2, error.code)

    def test_placement_that_is_out_of_order(self) -> None:
        self.placement.hook = lambda method, path: cloud.answer(
            503, 'out of order')
        status, _, warned = self.run_gc()
        self.assertEqual(3, status)
        self.assertIn('503: out of order', warned)


class TestEveryOrder(cloud.PlacementTestCase):
    """A publisher and a collector of the same document, at once."""

    def test_body_is_whole(self) -> None:
        self.follow(chunks=1)

    def follow(self, chunks: int = 1, marker: bool = True,
               collect_markers: bool = False) -> None:
        """Every order, where some chunks and the marker's trait are there.
        """
        self.useFixture(fixtures.MonkeyPatch(
            'tenacity.nap.sleep', lambda seconds: None))
        # Thousands of requests.
        logging.disable()
        self.addCleanup(logging.disable, logging.NOTSET)
        meeting = collection.Meeting(
            self.placement.call, self.placement.send, cloud.document(),
            chunks, marker, collect_markers)
        orders = meeting.orders()
        orders.follow_all()
        self.addDetail('orders', testtools.content.text_content(
            f'{orders.ends} ends, {orders.states} states, {meeting.fates}'))
        self.assertLess(100, orders.states)
        self.assertIn(Fate.RESTORED, meeting.fates)
