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

"""Where documents come from: placement's traits, and a directory."""

import json
import os
import pathlib
from typing import Any

import ddt
import fixtures

from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.approved import Directory
from nova_mdev_compat.placement import documents
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.documents import InUse
from tests.functional import placement_cloud as cloud

MARKERS = 'GET /traits?name=startswith:CUSTOM_MDEV_COMPAT1_&associated=true'
BODY = 'GET /traits?name=startswith:CUSTOM_MDEV_COMPAT1_DOC_'
NO_BODY = 'none of its body traits is there'


class StoreTestCase(cloud.PlacementTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.provider = self.placement.make_provider()
        self.one, self.two = cloud.document(1), cloud.document(2)
        self.names = traits.encode(self.one)
        self.other_names = traits.encode(self.two)
        self.store = DocumentStore(self.client)

    def in_use(self) -> InUse:
        return self.store.in_use(self.deadline)

    def assert_usable(self, *expected: Document) -> None:
        self.assertEqual(
            {traits.encode(one).digest: one for one in expected},
            dict(self.in_use().documents))

    def assert_unusable(self, why: str, digest: str = '') -> None:
        unusable = self.in_use().unusable
        self.assertEqual({digest or self.names.digest}, set(unusable))
        self.assertIn(why, unusable[digest or self.names.digest])


@ddt.ddt
class TestInUse(StoreTestCase):

    def test_nothing_is_published(self) -> None:
        self.assertEqual(InUse({}, {}), self.in_use())
        self.assert_requests(MARKERS)

    def test_body_is_fetched_once(self) -> None:
        self.placement.publish(self.one, self.provider)
        self.assert_usable(self.one)
        self.assert_requests(MARKERS, f'{BODY}{self.names.digest}_')
        self.assert_usable(self.one)
        self.assert_requests(MARKERS)

    def test_new_document(self) -> None:
        self.placement.publish(self.one, self.provider)
        self.in_use()
        self.placement.publish(self.two, self.placement.make_provider())
        self.restart()
        self.assert_usable(self.one, self.two)
        self.assert_requests(MARKERS, f'{BODY}{self.other_names.digest}_')

    def test_document_that_nobody_carries(self) -> None:
        self.placement.publish(self.one)
        self.placement.make_traits(self.names.marker)
        self.assert_usable()
        self.assert_requests(MARKERS)

    def test_marker_that_was_taken_off(self) -> None:
        self.placement.publish(self.one, self.provider)
        self.in_use()
        self.placement.set_traits(self.provider)
        self.assert_usable()

    def test_several_providers_of_a_document(self) -> None:
        self.placement.publish(self.one, self.provider,
                               self.placement.make_provider())
        self.assert_usable(self.one)
        self.assertEqual(2, len(self.placement.requests))

    @ddt.data(
        # What an SQL LIKE takes for the prefix.
        'CUSTOM_MDEV_COMPAT1X' + 'A' * 26,
        'CUSTOM_MDEVXCOMPAT1_' + 'A' * 26,
        # Too short, too long, no base32.
        'CUSTOM_MDEV_COMPAT1_' + 'A' * 25,
        'CUSTOM_MDEV_COMPAT1_' + 'A' * 27,
        'CUSTOM_MDEV_COMPAT1_' + 'A' * 25 + '1',
        'CUSTOM_MDEV_COMPAT1_DOC_' + 'A' * 26,
        'CUSTOM_MDEV_COMPAT2_' + 'A' * 26,
    )
    def test_traits_that_are_no_markers(self, name: str) -> None:
        self.placement.set_traits(self.provider, name)
        self.assertEqual(InUse({}, {}), self.in_use())
        self.assert_requests(MARKERS)

    def test_too_many_documents(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.documents.MAX_DOCUMENTS', 1))
        self.placement.publish(self.one, self.provider)
        self.placement.publish(self.two, self.placement.make_provider())
        found = self.in_use()
        first, second = sorted([self.names.digest, self.other_names.digest])
        self.assertEqual([first], list(found.documents))
        self.assertEqual({second: 'there are too many documents'},
                         dict(found.unusable))
        self.assertEqual({first, second}, found.digests)
        self.assertEqual(2, len(self.placement.requests))


class TestUnusable(StoreTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.placement.set_traits(self.provider, self.names.marker)

    def corrupt(self) -> str:
        """Instead of the body, one whose last characters are others."""
        name = self.names.chunks[-1][:-8] + 'AAAAAAAA'
        self.placement.make_traits(*self.names.chunks[:-1], name)
        return name

    def test_no_body(self) -> None:
        self.assert_unusable(NO_BODY)
        self.assertEqual(1, self.said(
            f'The document of {self.names.marker} is unusable'))

    def test_corrupt_body_is_warned_of_once(self) -> None:
        self.corrupt()
        for _ in range(3):
            self.assert_unusable('its chunks do not belong together')
        self.assertEqual(1, self.said('is unusable'))

    def test_another_reason_is_news(self) -> None:
        self.assert_unusable(NO_BODY)
        self.corrupt()
        self.assert_unusable('its chunks do not belong together')
        self.assertEqual(2, self.said('is unusable'))

    def test_mended_body_is_seen(self) -> None:
        wrong = self.corrupt()
        self.in_use()
        self.placement.delete_traits(wrong)
        self.placement.make_traits(*self.names.chunks)
        self.assert_usable(self.one)
        self.assertEqual({}, dict(self.in_use().unusable))

    def test_body_that_is_there_after_all(self) -> None:
        self.corrupt()
        self.in_use()
        self.placement.make_traits(*self.names.chunks)
        self.assert_usable(self.one)

    def test_others_stay_usable(self) -> None:
        self.corrupt()
        self.placement.publish(self.two, self.placement.make_provider())
        self.assert_usable(self.two)
        self.assert_unusable('its chunks do not belong together')

    def test_body_that_vanishes_stays_usable(self) -> None:
        self.placement.make_traits(*self.names.chunks)
        self.assert_usable(self.one)
        self.placement.delete_traits(*self.names.chunks)
        self.assert_usable(self.one)
        self.assertEqual(0, self.said('is unusable'))

    def test_few_second_looks_in_a_refresh(self) -> None:
        self.placement.set_traits(self.provider, *(
            traits.encode(cloud.document(number)).marker
            for number in range(20)))
        self.in_use()
        self.restart()
        self.assertEqual(20, len(self.in_use().unusable))
        self.assertEqual(1 + documents._MAX_SECOND_LOOKS,
                         len(self.placement.requests))


class TestDirectory(StoreTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.store = DocumentStore(self.client, Directory(str(self.path)))

    def write(self, name: str, content: Any) -> None:
        path = self.path / name
        path.write_bytes(content.canonical if isinstance(content, Document)
                         else content)

    def approved_only(self) -> None:
        self.store = DocumentStore(self.client, Directory(str(self.path)),
                                   approved_only=True)

    def test_marker_alone_is_enough(self) -> None:
        self.write('one.json', self.one)
        self.placement.set_traits(self.provider, self.names.marker)
        self.assert_usable(self.one)
        # No body is asked for.
        self.assert_requests(MARKERS)

    def test_both_sources(self) -> None:
        self.write('one.json', self.one)
        self.placement.set_traits(self.provider, self.names.marker)
        self.placement.publish(self.two, self.placement.make_provider())
        self.assert_usable(self.one, self.two)

    def test_file_that_nobody_carries(self) -> None:
        self.write('one.json', self.one)
        self.assert_usable()

    def test_spelling_of_the_file_does_not_matter(self) -> None:
        self.write('one.json', json.dumps(
            json.loads(self.one.canonical), indent=8).encode())
        self.placement.set_traits(self.provider, self.names.marker)
        self.assert_usable(self.one)

    def test_file_that_comes_later(self) -> None:
        self.placement.set_traits(self.provider, self.names.marker)
        self.assert_unusable(NO_BODY)
        self.write('one.json', self.one)
        self.assert_usable(self.one)

    def test_other_files_are_passed_over(self) -> None:
        self.write('one.json.orig', self.one)
        self.write('README', b'hello')
        (self.path / 'directory.json').mkdir()
        self.placement.set_traits(self.provider, self.names.marker)
        self.assert_unusable(NO_BODY)
        self.assertEqual(0, self.said('is not used'))

    def test_approved_only(self) -> None:
        self.approved_only()
        self.write('one.json', self.one)
        self.placement.publish(self.one, self.provider)
        self.placement.publish(self.two, self.placement.make_provider())
        self.assert_usable(self.one)
        self.assert_unusable('documents_dir has no file for it',
                             self.other_names.digest)
        # What is in placement is not even asked for.
        self.assertEqual([], self.asked('GET', '_DOC_'))

    def test_approval_that_is_withdrawn(self) -> None:
        self.approved_only()
        self.write('one.json', self.one)
        self.placement.publish(self.one, self.provider)
        self.assert_usable(self.one)
        (self.path / 'one.json').unlink()
        self.assert_usable()
        self.assert_unusable('documents_dir has no file for it')

    def test_approved_document_that_is_changed(self) -> None:
        self.approved_only()
        self.write('one.json', self.one)
        self.placement.set_traits(self.provider, self.other_names.marker)
        self.assert_usable()
        self.write('one.json', self.two)
        os.utime(self.path / 'one.json', (1, 1))
        self.assert_usable(self.two)

    def test_wrong_file_is_warned_of_once(self) -> None:
        self.write('one.json', self.one)
        self.write('wrong.json', b'hello')
        self.placement.set_traits(self.provider, self.names.marker)
        for _ in range(3):
            self.assert_usable(self.one)
        self.assertEqual(1, self.said('wrong.json is not used'))
        self.assertEqual(1, self.said('it is not JSON'))

    def test_directory_that_cannot_be_read(self) -> None:
        self.store = DocumentStore(self.client,
                                   Directory(str(self.path / 'later')))
        self.placement.publish(self.two, self.provider)
        for _ in range(2):
            self.assert_usable(self.two)
        self.assertEqual(1, self.said('cannot be read'))
