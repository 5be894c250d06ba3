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

"""Publishing, against the real placement."""

import io
import types
from typing import Any
import uuid

import fixtures
import webob

from nova_mdev_compat.cmd import main
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement import errors
from nova_mdev_compat.placement import publication
from tests.functional import placement_cloud as cloud

FOREIGN = ('HW_NIC_SRIOV', 'CUSTOM_GOLD', 'CUSTOM_MDEV_COMPAT2_' + 'A' * 26)
#: Long enough for several chunks.
LONG: dict[str, Any] = {
    f'text{number}': f'{number * 7919 ** 9:x}' * 6
    for number in range(1, 12)}


class PublicationTestCase(cloud.PlacementTestCase):

    def setUp(self) -> None:
        super().setUp()
        # tenacity waits between attempts.
        self.waits: list[float] = []
        self.useFixture(fixtures.MonkeyPatch(
            'tenacity.nap.time',
            types.SimpleNamespace(sleep=self.waits.append)))
        self.provider = self.placement.make_provider()
        self.traits_path = f'/resource_providers/{self.provider}/traits'
        self.names = traits.encode(cloud.document(**LONG))
        self.assertGreater(len(self.names.chunks), 2)
        self.older = traits.encode(cloud.document(1))

    def publish(self, provider: str | None = None,
                seconds: float = cloud.TIMEOUT) -> publication.Publication:
        return publication.publish(
            self.client, provider or self.provider, self.names,
            Deadline(seconds))

    def assert_published(self, *others: str) -> None:
        """The provider carries the marker and these traits, and the body is
        whole.
        """
        self.assertEqual({self.names.marker, *others},
                         self.placement.traits_of(self.provider))
        traits.decode(self.placement.custom_traits(), self.names.digest)

    def before_marking(self, hook: Any) -> None:
        """Do something between reading the provider and writing it."""
        self.placement.hook = cloud.once(hook, 'PUT', self.traits_path)


class TestPublication(PublicationTestCase):

    def test_first_time(self) -> None:
        done = self.publish()
        self.assertEqual(publication.Publication(
            self.names.digest, (), self.names.chunks, True), done)
        self.assertTrue(done.changed)
        self.assert_published()
        self.assertEqual({self.names.marker, *self.names.chunks},
                         self.placement.custom_traits())

    def test_body_comes_before_marker(self) -> None:
        self.publish()
        self.assertEqual(
            [*(f'PUT /traits/{name}' for name in self.names.chunks),
             f'PUT /traits/{self.names.marker}', f'PUT {self.traits_path}'],
            self.asked('PUT'))
        # It is read back at the end.
        self.assertIn(self.names.digest, self.placement.requests[-1])
        self.assertEqual('GET', self.placement.requests[-1][:3])

    def test_again_writes_nothing(self) -> None:
        self.publish()
        self.restart()
        done = self.publish()
        self.assertEqual(publication.Publication(
            self.names.digest, (), (), False), done)
        self.assertFalse(done.changed)
        self.assertEqual(self.placement.requests, self.asked('GET'))

    def test_older_marker_is_replaced_in_the_same_write(self) -> None:
        self.placement.add_traits(self.provider, self.older.marker)
        done = self.publish()
        self.assertEqual((self.older.digest,), done.replaced)
        self.assert_published()
        self.assertEqual(1, len(self.asked('PUT', self.traits_path)))

    def test_several_older_markers(self) -> None:
        others = [traits.encode(cloud.document(number))
                  for number in (1, 2)]
        self.placement.set_traits(
            self.provider, self.names.marker,
            *(names.marker for names in others))
        done = self.publish()
        self.assertEqual(tuple(sorted(names.digest for names in others)),
                         done.replaced)
        self.assert_published()

    def test_older_marker_keeps_its_trait_and_body(self) -> None:
        # It may be on other providers, or on its way there.
        self.placement.publish(cloud.document(1), self.provider)
        self.publish()
        self.assertLessEqual({self.older.marker, *self.older.chunks},
                             self.placement.custom_traits())

    def test_foreign_traits_stay(self) -> None:
        self.placement.set_traits(self.provider, *FOREIGN,
                                  self.older.marker)
        self.publish()
        self.assert_published(*FOREIGN)

    def test_other_providers_stay(self) -> None:
        other = self.placement.make_provider()
        self.placement.publish(cloud.document(1), other)
        self.publish()
        self.assertEqual({self.older.marker},
                         self.placement.traits_of(other))

    def test_half_a_body_is_completed(self) -> None:
        self.placement.make_traits(self.names.chunks[1])
        done = self.publish()
        self.assertEqual((self.names.chunks[0], *self.names.chunks[2:]),
                         done.written)
        self.assert_published()

    def test_body_of_another_encoder_serves(self) -> None:
        one = traits.encode(cloud.document(1))
        (name,) = one.chunks
        read = traits.read_chunk(name)
        assert read is not None
        half = len(read.data) // 2
        stem = f'{traits.BODY_PREFIX}{one.digest}_{read.body}'
        other = (f'{stem}_0_2_{read.data[:half]}',
                 f'{stem}_1_2_{read.data[half:]}')
        self.placement.make_traits(*other)
        self.names = one
        self.assertEqual((), self.publish().written)
        self.assert_published()
        self.assertEqual({one.marker, *other},
                         self.placement.custom_traits())

    def test_stray_chunk_does_no_harm(self) -> None:
        self.placement.make_traits(self.names.chunks[0][:-8] + 'AAAAAAAA')
        self.assertEqual(self.names.chunks, self.publish().written)
        self.assert_published()

    def test_wrong_provider_leaves_nothing_behind(self) -> None:
        self.assertRaises(errors.NotFound, self.publish, str(uuid.uuid4()))
        self.assertEqual(set(), self.placement.custom_traits())


class TestRaces(PublicationTestCase):

    def test_another_writer_of_traits(self) -> None:
        self.before_marking(lambda: self.placement.add_traits(
            self.provider, 'CUSTOM_GOLD'))
        done = self.publish()
        self.assertTrue(done.marked)
        self.assert_published('CUSTOM_GOLD')
        self.assertEqual(2, len(self.asked('PUT', self.traits_path)))
        self.assertEqual(1, len(self.waits))

    def test_another_writer_takes_traits_off(self) -> None:
        self.placement.set_traits(self.provider, *FOREIGN)
        self.before_marking(lambda: self.placement.set_traits(
            self.provider, FOREIGN[0]))
        self.publish()
        self.assert_published(FOREIGN[0])

    def test_another_publisher(self) -> None:
        self.before_marking(lambda: self.placement.publish(
            cloud.document(1), self.provider))
        self.assertEqual((self.older.digest,), self.publish().replaced)
        self.assert_published()

    def test_the_very_same_publisher(self) -> None:
        self.before_marking(lambda: self.placement.set_traits(
            self.provider, self.names.marker))
        self.assertFalse(self.publish().marked)
        self.assert_published()

    def test_another_writer_of_inventory(self) -> None:
        self.before_marking(lambda: self.placement.call(
            'PUT', f'/resource_providers/{self.provider}/inventories', {
                'resource_provider_generation': 0,
                'inventories': {'VGPU': {'total': 8}}}))
        self.publish()
        self.assert_published()

    def test_race_that_is_lost_inside_placement(self) -> None:
        self.before_marking(lambda: cloud.answer(
            500, 'The resource provider was concurrently updated.'))
        self.publish()
        self.assert_published()

    def test_deadlock_in_the_database(self) -> None:
        # As placement on MariaDB tells it.
        words = ("(1213, 'Deadlock found when trying to get lock; try "
                 "restarting transaction')")
        self.before_marking(lambda: cloud.answer(500, words))
        self.publish()
        self.assert_published()
        self.assertEqual(1, len(self.waits))

    def test_deadlock_while_the_body_is_written(self) -> None:
        self.placement.hook = cloud.once(
            lambda: cloud.answer(500, 'Deadlock found'), 'PUT', '/traits/')
        self.publish()
        self.assert_published()

    def test_other_errors_are_not_tried_again(self) -> None:
        self.before_marking(lambda: cloud.answer(500, 'out of order'))
        error = self.assertRaises(errors.UnexpectedAnswer, self.publish)
        self.assertEqual((500, 'out of order'), (error.status, error.detail))
        self.assertEqual(1, len(self.asked('PUT', self.traits_path)))

    def test_body_that_was_collected_meanwhile(self) -> None:
        gone = self.names.chunks[1:]
        self.before_marking(lambda: self.placement.delete_traits(*gone))
        done = self.publish()
        self.assertEqual((*self.names.chunks, *gone), done.written)
        self.assert_published()

    def test_marker_that_was_collected_meanwhile(self) -> None:
        self.before_marking(
            lambda: self.placement.delete_traits(self.names.marker))
        self.publish()
        self.assert_published()
        self.assertEqual(1, len(self.waits))

    def test_others_keep_writing(self) -> None:
        self.placement.hook = self._always_first
        self.assertRaises(errors.Conflict, self.publish)
        self.assertEqual(12, len(self.asked('PUT', self.traits_path)))
        self.assertLessEqual(max(self.waits), 3)
        # Bodies without a marker are what gets collected.
        self.assertNotIn(self.names.marker,
                         self.placement.traits_of(self.provider))

    def _always_first(self, method: str, path: str) -> webob.Response | None:
        if method == 'PUT' and path == self.traits_path:
            self.placement.add_traits(self.provider,
                                      f'CUSTOM_{len(self.waits)}')
        return None

    def test_no_time_left(self) -> None:
        self.placement.hook = self._always_first
        self.useFixture(fixtures.MonkeyPatch(
            'tenacity.nap.time.sleep', lambda seconds: None))
        error = self.assertRaises(errors.Unreachable, self.publish,
                                  seconds=1e-9)
        self.assertIn('no answer within', str(error))

    def test_provider_that_goes_meanwhile(self) -> None:
        self.before_marking(lambda: self.placement.call(
            'DELETE', f'/resource_providers/{self.provider}'))
        self.assertRaises(errors.NotFound, self.publish)


class TestCommand(PublicationTestCase):

    def run_publish(self, provider: str | None = None) -> tuple[int, str]:
        path = self.placement.configuration.with_name('document.json')
        path.write_bytes(cloud.document(**LONG).canonical)
        out = io.StringIO()
        with fixtures.MonkeyPatch('sys.stdout', out), \
                fixtures.MonkeyPatch('sys.stderr', out), \
                fixtures.MonkeyPatch('logging.root.handlers', []):
            status = main.main([
                'publish', '--config-file',
                str(self.placement.configuration), '--provider',
                provider or self.provider, str(path)])
        self.assertNotIn('Traceback', out.getvalue())
        return status, out.getvalue()

    def test_first_time_and_again(self) -> None:
        status, said = self.run_publish()
        self.assertEqual(0, status)
        self.assertIn(f'{self.provider} carries document '
                      f'{self.names.digest}; ', said)
        self.assertIn(f'{len(self.names.chunks)} body traits written', said)
        self.assert_published()
        self.restart()
        status, said = self.run_publish()
        self.assertEqual(0, status)
        self.assertIn('already', said)
        self.assertEqual([], self.asked('PUT'))

    def test_replaced(self) -> None:
        self.placement.publish(cloud.document(1), self.provider)
        status, said = self.run_publish()
        self.assertEqual(0, status)
        self.assertIn(f'in place of {self.older.digest}', said)
        self.assert_published()

    def test_no_such_provider(self) -> None:
        status, said = self.run_publish(str(uuid.uuid4()))
        self.assertEqual(2, status)
        self.assertIn('no such resource provider', said)

    def test_wrong_token(self) -> None:
        self.placement.configuration.write_text(
            self.placement.configuration.read_text().replace(
                'token = admin', 'token = nobody'))
        status, said = self.run_publish()
        self.assertEqual(3, status)
        self.assertIn('403', said)
        self.assertEqual(set(), self.placement.custom_traits())

    def test_placement_that_is_out_of_order(self) -> None:
        self.placement.hook = lambda method, path: cloud.answer(
            503, 'out of order')
        status, said = self.run_publish()
        self.assertEqual(3, status)
        self.assertIn('503: out of order', said)
