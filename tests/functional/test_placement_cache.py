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

"""The trait cache, against the real placement: answers, and requests."""

import uuid

from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement import errors
from nova_mdev_compat.placement.kept import Lifetime
from nova_mdev_compat.placement.trait_cache import TraitCache
from nova_mdev_compat.placement.verdicts import Question
from tests.functional import placement_cloud as cloud

TTL, MAX_AGE = 60.0, 3600.0
LIVE, COLD = Question('live'), Question('cold')
MARKERS = 'GET /traits?name=startswith:CUSTOM_MDEV_COMPAT1_&associated=true'
BODY = 'GET /traits?name=startswith:CUSTOM_MDEV_COMPAT1_DOC_'
SET = 'GET /resource_providers?required=in:'

#: Accepts its own kind alone.
ONE, TWO = cloud.document(1), cloud.document(2)
#: Accepts any number, and a three when it is cold only.
ANY = cloud.document(0, {'attributes': {'n': {'minimum': 0, 'maximum': 2}}},
                     {'attributes': {'n': 3}, 'level': 'cold'})
THREE = cloud.document(3)


def digest(document: Document) -> str:
    return traits.encode(document).digest


def for_several(request: str) -> bool:
    """Whether a request looks for providers with several markers."""
    return request.count('required=in:') > 1


class CacheTestCase(cloud.PlacementTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0
        self.cache = self.make_cache()
        make = self.placement.make_provider
        self.first, self.second, self.third = make(), make(), make()
        self.unpublished = make()
        self.placement.publish(ONE, self.first)
        self.placement.publish(TWO, self.second)
        self.placement.publish(ANY, self.third)

    def assert_asked(self, *beginnings: str) -> None:
        """These requests, beside those that look for several markers."""
        self.assert_requests(*beginnings, passed_over=for_several)

    def make_cache(self) -> TraitCache:
        return TraitCache(
            self.client, DocumentStore(self.client),
            lambda: Lifetime(TTL, MAX_AGE, cloud.TIMEOUT), lambda: self.now)

    def accepting(self, source: Document,
                  question: Question = LIVE) -> set[str]:
        return set(self.cache.accepting(source, digest(source), question))

    def refusing(self, source: Document,
                 question: Question = LIVE) -> set[str]:
        return set(self.cache.refusing(source, digest(source), question))

    def expire(self) -> None:
        self.now += TTL

    def warm_up(self, *sources: Document) -> None:
        for source in sources:
            self.accepting(source)
        self.restart()


class TestRequests(CacheTestCase):

    def test_first_move_ever(self) -> None:
        self.assertEqual({self.first, self.third}, self.accepting(ONE))
        # Each document's body, once.
        self.assert_asked(MARKERS, BODY, BODY, BODY, SET)

    def test_cold_move(self) -> None:
        self.warm_up(ONE)
        self.expire()
        self.accepting(ONE)
        self.assert_asked(MARKERS, SET)

    def test_warm_move(self) -> None:
        self.warm_up(ONE)
        self.now += TTL * 0.7
        self.assertEqual({self.first, self.third}, self.accepting(ONE))
        self.assert_requests()

    def test_source_that_is_new(self) -> None:
        self.warm_up(ONE)
        self.assertEqual({self.second, self.third}, self.accepting(TWO))
        self.assert_asked(SET)

    def test_sources_with_equal_verdicts_share_an_accept_set(self) -> None:
        self.warm_up(ONE)
        unknown = cloud.document(1, {'level': 'cold'})
        self.assertEqual({self.first, self.third}, self.accepting(unknown))
        self.assert_requests()

    def test_nobody_accepts(self) -> None:
        self.warm_up(ONE)
        self.assertEqual(set(), self.accepting(THREE))
        self.assert_requests()

    def test_nothing_is_published(self) -> None:
        for provider in (self.first, self.second, self.third):
            self.placement.set_traits(provider)
        self.assertEqual(set(), self.accepting(ONE))
        self.assert_asked(MARKERS)

    def test_refusing_and_accepting(self) -> None:
        self.assertEqual({self.second}, self.refusing(ONE))
        self.assertEqual({self.first, self.third}, self.accepting(ONE))

    def test_question(self) -> None:
        self.assertEqual(set(), self.accepting(THREE, LIVE))
        self.assertEqual({self.third}, self.accepting(THREE, COLD))

    def test_provider_of_a_source(self) -> None:
        self.warm_up(ONE)
        path = f'GET /resource_providers/{self.first}'
        self.assertEqual((digest(ONE), ONE), self.cache.document(self.first))
        self.assert_requests(f'{path}/traits')
        self.assertEqual(self.first, self.cache.root(self.first))
        self.assert_requests(path)
        self.cache.document(self.first)
        self.cache.root(self.first)
        self.assert_requests()
        # A provider never leaves its tree.
        self.now += MAX_AGE * 10
        self.cache.root(self.first)
        self.assert_requests()

    def test_root_of_a_child(self) -> None:
        child = self.placement.make_provider(self.first)
        self.assertEqual(self.first, self.cache.root(child))

    def test_allocations_are_never_kept(self) -> None:
        consumer, other = str(uuid.uuid4()), str(uuid.uuid4())
        for provider in (self.first, self.second):
            path = f'/resource_providers/{provider}'
            self.placement.call('PUT', f'{path}/inventories', {
                'resource_provider_generation':
                    self.placement.call('GET', path)['generation'],
                'inventories': {'VGPU': {'total': 8}}})
        for provider in (self.first, self.second):
            self.placement.call('PUT', f'/allocations/{consumer}', {
                'allocations': {provider: {'resources': {'VGPU': 2}}},
                'consumer_generation':
                    None if provider == self.first else 1,
                'project_id': other, 'user_id': other,
                'consumer_type': 'INSTANCE'})
            self.restart()
            self.assertEqual({provider: {'VGPU': 2}},
                             self.cache.allocations(consumer))
            self.assertEqual(1, len(self.placement.requests))
        self.assertEqual({}, self.cache.allocations(other))


class TestChanges(CacheTestCase):

    def test_changed_marker_is_seen_after_ttl(self) -> None:
        self.warm_up(ONE)
        self.placement.publish(ONE, self.second)
        self.now += TTL * 0.7
        self.assertEqual({self.first, self.third}, self.accepting(ONE))
        self.now += TTL * 0.3
        self.assertEqual({self.first, self.second, self.third},
                         self.accepting(ONE))

    def test_changed_marker_of_a_source(self) -> None:
        self.assertEqual((digest(ONE), ONE), self.cache.document(self.first))
        self.placement.publish(TWO, self.first)
        self.assertEqual((digest(ONE), ONE), self.cache.document(self.first))
        self.expire()
        self.assertEqual((digest(TWO), TWO), self.cache.document(self.first))

    def test_source_newer_than_the_markers_in_use(self) -> None:
        self.warm_up(ONE)
        self.placement.publish(THREE, self.unpublished)
        self.assertEqual((digest(THREE), THREE),
                         self.cache.document(self.unpublished))
        self.assert_requests('GET /resource_providers/', BODY)

    def test_unpublished_source(self) -> None:
        self.assertIsNone(self.cache.document(self.unpublished))

    def test_provider_that_is_gone(self) -> None:
        gone = str(uuid.uuid4())
        self.assertRaises(errors.NotFound, self.cache.document, gone)
        self.assertRaises(errors.NotFound, self.cache.root, gone)

    def delete_marker(self, document: Document, provider: str) -> None:
        self.placement.set_traits(provider)
        self.placement.delete_traits(traits.marker(digest(document)))

    def test_deleted_trait(self) -> None:
        self.warm_up(ONE)
        self.delete_marker(TWO, self.second)
        self.assertEqual({self.third}, self.accepting(TWO))
        # The first answer is a 400.
        self.assert_asked(SET, MARKERS, SET)
        self.assertEqual(1, self.said('Reading the markers again'))

    def test_deleted_trait_among_the_unwanted(self) -> None:
        self.warm_up(ONE)
        self.delete_marker(ONE, self.first)
        self.assertEqual({self.second, self.third}, self.accepting(TWO))
        self.assert_asked(SET, MARKERS, SET)

    def test_deleted_trait_when_all_are_asked_for(self) -> None:
        self.warm_up(ONE)
        self.delete_marker(TWO, self.second)
        self.assertEqual({self.first: (digest(ONE), ONE),
                          self.third: (digest(ANY), ANY)},
                         self.cache.published())

    def test_members(self) -> None:
        self.placement.publish(ONE, self.second)
        self.assertEqual({self.first, self.second},
                         self.cache.members(digest(ONE)))

    def test_published(self) -> None:
        self.assertEqual({self.first: (digest(ONE), ONE),
                          self.second: (digest(TWO), TWO),
                          self.third: (digest(ANY), ANY)},
                         self.cache.published())
        # One for each document, and none when all of it is known.
        self.assert_asked(MARKERS, *[BODY] * 3, *[SET] * 3)
        self.restart()
        self.cache.published()
        self.assert_requests()


class TestUnusable(CacheTestCase):

    def test_corrupt_body(self) -> None:
        names = traits.encode(THREE)
        wrong = names.chunks[0][:-8] + 'AAAAAAAA'
        self.placement.set_traits(self.unpublished, names.marker)
        self.placement.make_traits(wrong)
        for _ in range(3):
            # Counts as unpublished, at both ends.
            self.assertEqual(set(), self.accepting(THREE))
            self.assertEqual({self.first, self.third}, self.accepting(ONE))
            self.assertNotIn(self.unpublished, self.refusing(ONE))
            self.assertIsNone(self.cache.document(self.unpublished))
            self.assertNotIn(self.unpublished, self.cache.published())
            self.expire()
        self.assertEqual(1, self.said('is unusable'))
        self.placement.delete_traits(wrong)
        self.placement.make_traits(*names.chunks)
        self.assertEqual({self.unpublished}, self.accepting(THREE))
        self.assertEqual((names.digest, THREE),
                         self.cache.document(self.unpublished))

    def test_body_that_vanishes(self) -> None:
        self.warm_up(ONE)
        self.placement.delete_traits(*traits.encode(ONE).chunks)
        self.expire()
        self.assertEqual({self.first, self.third}, self.accepting(ONE))
        self.assertEqual((digest(ONE), ONE), self.cache.document(self.first))


class TestOutOfOrder(CacheTestCase):

    def out_of_order(self) -> None:
        self.placement.hook = lambda method, path: cloud.answer(
            503, 'out of order')

    def test_nothing_kept(self) -> None:
        self.out_of_order()
        error = self.assertRaises(errors.UnexpectedAnswer, self.accepting,
                                  ONE)
        self.assertEqual(503, error.status)

    def test_what_is_kept_serves_and_is_told_of_once(self) -> None:
        self.warm_up(ONE)
        self.out_of_order()
        for _ in range(5):
            self.expire()
            self.assertEqual({self.first, self.third}, self.accepting(ONE))
        # Several values are old, and it is one outage.
        self.assertEqual(1, self.said('Could not refresh'))
        self.assertEqual(1, self.said('Could not refresh the markers'))
        self.placement.hook = None
        self.expire()
        self.accepting(ONE)
        self.settle()
        self.assertEqual(1, self.said('answers again'))
        self.assertEqual(1, self.said('answers again for the markers'))

    def test_not_for_ever(self) -> None:
        self.warm_up(ONE)
        self.out_of_order()
        self.now += MAX_AGE + 1
        self.assertRaises(errors.PlacementError, self.accepting, ONE)
