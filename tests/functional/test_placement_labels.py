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

"""What readers make of labels."""

import pathlib
import time

import fixtures

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.approved import Directory
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.kept import Lifetime
from nova_mdev_compat.placement import labels as placed
from nova_mdev_compat.placement import memberships
from nova_mdev_compat.placement.trait_cache import TraitCache
from tests.functional import placement_bulk
from tests.functional import placement_cloud as cloud
from tests.functional import test_placement_cache as cache_tests
from tests.functional.test_placement_cache import ANY
from tests.functional.test_placement_cache import digest
from tests.functional.test_placement_cache import ONE
from tests.functional.test_placement_cache import TTL
from tests.functional.test_placement_cache import TWO

MAPPINGS = f'GET /traits?name=startswith:{labels.MAPPING_PREFIX}'
MARKERS, BODY, SET = (cache_tests.MARKERS, cache_tests.BODY, cache_tests.SET)
FOUR = cloud.document(4)
OWNER = 'HOSTHOST'


class LabelTestCase(cache_tests.CacheTestCase):
    """Beside three marked providers, some with labels."""

    def setUp(self) -> None:
        super().setUp()
        self.labelled = self.with_label('A')

    def with_label(self, label: str, *others: str) -> str:
        provider = self.placement.make_provider()
        self.placement.set_traits(provider, labels.trait(label), *others)
        return provider

    def map(self, label: str, sequence: int, document: Document,
            body: bool = True) -> str:
        """Writes a mapping, and the body before it."""
        names = traits.encode(document)
        name = labels.Mapping(label, sequence, OWNER, names.digest).name
        self.placement.make_traits(*(names.chunks if body else ()), name)
        return name


class TestRequests(LabelTestCase):

    def test_first_and_cold_and_warm(self) -> None:
        self.map('A', 1, ONE)
        expected = {self.first, self.third, self.labelled}
        self.assertEqual(expected, self.accepting(ONE))
        self.assert_asked(MARKERS, MAPPINGS, BODY, BODY, BODY, SET)
        self.expire()
        self.assertEqual(expected, self.accepting(ONE))
        self.assert_asked(MARKERS, MAPPINGS, SET)
        self.assertEqual(expected, self.accepting(ONE))
        self.assert_requests()

    def test_no_label(self) -> None:
        self.map('A', 1, ONE)
        self.placement.set_traits(self.labelled)
        self.accepting(ONE)
        self.assert_asked(MARKERS, BODY, BODY, BODY, SET)

    def test_source(self) -> None:
        self.map('A', 1, ONE)
        self.warm_up(ONE)
        self.assertEqual((digest(ONE), ONE),
                         self.cache.document(self.labelled))
        self.assert_asked(f'GET /resource_providers/{self.labelled}/traits')

    def test_source_with_a_new_label(self) -> None:
        self.warm_up(ONE)
        new = self.with_label('NEW')
        self.map('NEW', 1, TWO)
        self.restart()
        self.assertEqual((digest(TWO), TWO), self.cache.document(new))
        self.assert_asked(f'GET /resource_providers/{new}/traits',
                          f'{MAPPINGS}NEW_')


class TestMeaning(LabelTestCase):

    def test_label_alone(self) -> None:
        """The marker of its document is no trait at all."""
        self.map('A', 1, FOUR)
        self.assertNotIn(traits.marker(digest(FOUR)),
                         self.placement.custom_traits())
        self.assertEqual({self.labelled}, self.accepting(FOUR))
        self.assertEqual({self.labelled}, self.cache.members(digest(FOUR)))
        self.assertEqual({self.first, self.second, self.third},
                         self.refusing(FOUR))
        self.assertEqual((digest(FOUR), FOUR),
                         self.cache.published()[self.labelled])

    def test_new_mapping_is_seen_in_time(self) -> None:
        old = self.map('A', 1, ONE)
        self.assertIn(self.labelled, self.accepting(ONE))
        self.map('A', 2, TWO)
        self.expire()
        self.assertNotIn(self.labelled, self.accepting(ONE))
        self.assertIn(self.labelled, self.accepting(TWO))
        self.assertEqual((digest(TWO), TWO),
                         self.cache.document(self.labelled))
        self.placement.delete_traits(old)
        self.expire()
        self.assertIn(self.labelled, self.accepting(TWO))

    def test_mappings_cannot_be_read(self) -> None:
        """What was read serves, and labels are not taken for unmapped."""
        self.map('A', 1, ONE)
        expected = self.accepting(ONE)
        self.map('A', 2, TWO)
        self.expire()
        self.placement.hook = lambda method, path: cloud.answer(
            503, 'out of order') if labels.MAPPING_PREFIX in path else None
        self.assertEqual(expected, self.accepting(ONE))
        self.assertEqual((digest(ONE), ONE),
                         self.cache.document(self.labelled))
        self.placement.hook = None
        self.now += TTL
        self.assertNotIn(self.labelled, self.accepting(ONE))

    def test_source_that_was_known(self) -> None:
        self.map('A', 1, ONE)
        self.cache.document(self.labelled)
        self.map('A', 2, TWO)
        self.expire()
        self.assertEqual((digest(TWO), TWO),
                         self.cache.document(self.labelled))

    def test_label_without_a_mapping(self) -> None:
        self.assertEqual({self.first, self.third}, self.accepting(ONE))
        self.assertIsNone(self.cache.document(self.labelled))
        self.assertEqual({self.labelled: 'A'}, self.cache.unmapped())

    def test_mapping_without_a_body(self) -> None:
        """An older one does not come to count again."""
        self.map('A', 1, ONE)
        self.map('A', 2, FOUR, body=False)
        self.assertEqual({self.first, self.third}, self.accepting(ONE))
        self.assertIsNone(self.cache.document(self.labelled))

    def test_hostile_names(self) -> None:
        self.map('A', 1, ONE)
        self.placement.make_traits(
            self.map('AB', 7, TWO), f'{labels.MAPPING_PREFIX}A_9_X_'
            + digest(TWO), f'{labels.MAPPING_PREFIX}A_9_{OWNER}_X',
            f'{labels.MAPPING_PREFIX}A', f'{labels.LABEL_PREFIX}A_B')
        self.assertEqual({self.first, self.third, self.labelled},
                         self.accepting(ONE))
        self.assertEqual(digest(ONE), placed.LabelReader(self.client).digest(
            'A', self.deadline))

    def test_marker_and_label_of_one_document(self) -> None:
        both = self.with_label('A', traits.marker(digest(ONE)))
        self.map('A', 1, ONE)
        self.assertIn(both, self.accepting(ONE))
        self.assertEqual((digest(ONE), ONE), self.cache.document(both))
        self.assertEqual(set(), self.cache.doubles())
        self.assertIn(both, self.cache.published())

    def test_marker_and_label_of_two(self) -> None:
        both = self.with_label('A', traits.marker(digest(ANY)))
        self.map('A', 1, ONE)
        self.assertEqual({both}, self.cache.doubles())
        self.assertNotIn(both, self.accepting(ONE))
        self.assertIsNone(self.cache.document(both))
        self.assertNotIn(both, self.cache.published())
        self.assertEqual(1, self.said('markers and labels of 2 documents'))

    def test_two_labels(self) -> None:
        both = self.with_label('A', labels.trait('B'))
        self.map('A', 1, ONE)
        self.map('B', 1, TWO)
        self.assertEqual({both}, self.cache.doubles())
        self.map('B', 2, ONE)
        self.expire()
        self.cache.doubles()
        self.settle()
        self.assertEqual(set(), self.cache.doubles())

    def test_sets_of_another_time_are_not_kept(self) -> None:
        for number in range(5):
            self.map('A', number, ONE if number % 2 else TWO)
            self.accepting(ONE)
            self.expire()
        self.assertEqual(1, len(self.cache._sets._kept))


class TestApprovedOnly(LabelTestCase):

    def make_cache(self) -> TraitCache:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (folder / 'one.json').write_bytes(ONE.canonical)
        store = DocumentStore(self.client, Directory(str(folder)), True)
        return TraitCache(
            self.client, store,
            lambda: Lifetime(TTL, cache_tests.MAX_AGE, cloud.TIMEOUT),
            lambda: self.now)

    def test_highest_mapping_counts_though_it_is_not_approved(self) -> None:
        self.map('A', 1, ONE)
        self.assertEqual({self.first, self.labelled}, self.accepting(ONE))
        self.map('A', 2, ANY)
        self.expire()
        self.assertEqual({self.first}, self.accepting(ONE))
        self.assertIsNone(self.cache.document(self.labelled))

    def test_label_that_is_not_approved_beside_a_marker(self) -> None:
        both = self.with_label('A', traits.marker(digest(ONE)))
        self.map('A', 1, TWO)
        self.assertEqual((digest(ONE), ONE), self.cache.document(both))
        self.assertIn(both, self.accepting(ONE))


class TestVeryMany(LabelTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.map('A', 1, ONE)
        self.others = {}
        for number in range(10):
            label = f'L{number}'
            self.others[label] = self.with_label(label)
            self.map(label, 1, FOUR if number % 3 else ONE)

    def expected(self) -> set[str]:
        return {self.first, self.third, self.labelled, *(
            self.others[f'L{number}'] for number in (0, 3, 6, 9))}

    def test_more_than_a_request_holds(self) -> None:
        for size, crossings in ((4, 16), (4, 1), (6, 16), (140, 16)):
            self.patch('memberships._NAMES_A_REQUEST', size)
            self.patch('memberships._MAX_CROSSINGS', crossings)
            self.expire()
            self.assertEqual(self.expected(), self.accepting(ONE))

    def test_doubles(self) -> None:
        names = [[f'CUSTOM_{group}{number}' for number in range(size)]
                 for group, size in (('A', 1), ('B', 7), ('C', 3), ('D', 1),
                                     ('E', 1), ('F', 1), ('G', 1))]
        self.placement.make_traits(*(name for some in names for name in some))
        make = self.placement.make_provider
        one, two, same, none = make(), make(), make(), make()
        self.placement.set_traits(one, 'CUSTOM_B6', 'CUSTOM_C0')
        self.placement.set_traits(two, 'CUSTOM_A0', 'CUSTOM_G0')
        self.placement.set_traits(same, 'CUSTOM_B1', 'CUSTOM_B2')
        self.placement.set_traits(none, 'CUSTOM_C2')
        for size in (2, 4, 12, 140):
            self.patch('memberships._NAMES_A_REQUEST', size)
            self.assertEqual({one, two}, memberships.doubles(
                self.client, names, self.deadline))

    def test_over_the_limit(self) -> None:
        self.patch('labels.MAX_LABELS', 3)
        self.accepting(ONE)
        in_use = self.cache.in_use()
        self.assertEqual({'A', 'L0', 'L1'}, set(in_use.labels.digests))
        self.assertTrue(in_use.partial)
        self.assertEqual(1, self.said('11 labels are in use'))
        # Those that come with names before these do not displace them.
        self.map('0', 1, ONE)
        self.with_label('0')
        self.expire()
        self.accepting(ONE)
        self.assertEqual({'A', 'L0', 'L1'},
                         set(self.cache.in_use().labels.digests))
        self.assertEqual(1, self.said('labels are in use'))
        # A source is looked up by itself.
        self.assertEqual((digest(ONE), ONE),
                         self.cache.document(self.others['L9']))

    def patch(self, name: str, value: int) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            f'nova_mdev_compat.placement.{name}', value))


class TestThousand(LabelTestCase):
    """As many hosts with a label each, of ten kinds."""

    def test_requests(self) -> None:
        documents = [cloud.document(number, {'attributes': {
            'n': {'minimum': number, 'maximum': number + 4}}})
            for number in range(10)]
        for one in documents:
            self.placement.publish(one)
        names = [f'L{number:019}' for number in range(1000)]
        providers = placement_bulk.make_providers(len(names))
        placement_bulk.make_traits([
            *map(labels.trait, names),
            *(labels.Mapping(label, labels.MAX_SEQUENCE, OWNER, digest(
                documents[number % 10])).name
              for number, label in enumerate(names))])
        placement_bulk.mark([(provider, labels.trait(label)) for
                             provider, label in zip(providers, names)])
        source = documents[4]
        self.warm_up(source)
        self.cache.doubles()
        self.expire()
        self.restart()
        with fixtures.MonkeyPatch(
                'nova_mdev_compat.placement.trait_cache.TraitCache.doubles',
                lambda cache: frozenset()):
            began = time.monotonic()
            found = self.accepting(source)
            seconds = time.monotonic() - began
            asked = len(self.placement.requests)
            self.accepting(source)
        # Five of ten kinds have a range with 4 in it, and no other one.
        self.assertEqual({provider for number, provider
                          in enumerate(providers) if number % 10 < 5}, found)
        # 500 wanted and 503 unwanted names, 140 a request; and none warm.
        self.assertEqual(2 + 4 + 4, asked)
        self.assertEqual(asked, len(self.placement.requests))
        self.cache.doubles()
        self.settle()
        self.assertLess(max(map(len, self.placement.requests)), 8000)
        print(f'figure: 1000 labels, cold: {seconds:.2f} s, {asked} requests; '
              f'{len(self.placement.requests) - asked} look for several '
              'documents on one provider, in the background')
