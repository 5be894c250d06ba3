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

"""Providers with more than one marker, which are unusable."""

from collections.abc import Callable
from typing import Any

from nova_mdev_compat.codec import traits
from tests.functional.test_placement_cache import ANY
from tests.functional.test_placement_cache import CacheTestCase
from tests.functional.test_placement_cache import digest
from tests.functional.test_placement_cache import for_several
from tests.functional.test_placement_cache import ONE
from tests.functional.test_placement_cache import THREE
from tests.functional.test_placement_cache import TWO


class TestTwoMarkers(CacheTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.both = [traits.marker(digest(one)) for one in (ONE, TWO)]
        self.placement.set_traits(self.first, *self.both)
        self.path = f'GET /resource_providers/{self.first}/traits'

    def test_in_no_accept_set_when_they_disagree(self) -> None:
        self.assertEqual({self.third}, self.accepting(ONE))
        self.assertEqual({self.second, self.third}, self.accepting(TWO))

    def test_in_no_refuse_set_when_they_disagree(self) -> None:
        self.assertEqual({self.second}, self.refusing(ONE))

    def test_unusable_document_disagrees(self) -> None:
        self.placement.set_traits(
            self.second, traits.marker(digest(TWO)),
            traits.marker(digest(THREE)))
        self.assertEqual({self.third}, self.accepting(TWO))

    def test_published(self) -> None:
        self.assertEqual({self.second, self.third},
                         set(self.cache.published()))

    def test_source_is_read_again_and_unpublished(self) -> None:
        self.assertIsNone(self.cache.document(self.first))
        self.assert_requests(self.path, self.path)

    def test_source_is_warned_of_once(self) -> None:
        for _ in range(3):
            self.assertIsNone(self.cache.document(self.first))
            self.expire()
        self.assertEqual(1, self.said(f'Provider {self.first} carries 2 '
                                      'markers'))
        for marker in self.both:
            self.assertEqual(1, self.said(marker))

    def test_source_was_read_between_two_writes(self) -> None:
        left: list[Callable[[], Any] | None] = [
            None, lambda: self.placement.set_traits(
                self.first, self.both[1])]

        def hook(method: str, path: str) -> None:
            if path.endswith('/traits'):
                change = left.pop(0)
                if change:
                    change()
        self.placement.hook = hook
        self.assertEqual((digest(TWO), TWO), self.cache.document(self.first))
        self.assertEqual(0, self.said('markers'))

    def test_source_is_mended(self) -> None:
        self.assertIsNone(self.cache.document(self.first))
        self.expire()
        self.placement.set_traits(self.first, self.both[0])
        self.assertEqual((digest(ONE), ONE), self.cache.document(self.first))

    def test_in_no_set_when_they_agree(self) -> None:
        self.placement.set_traits(
            self.second, traits.marker(digest(ONE)),
            traits.marker(digest(ANY)))
        # The first move does not wait until they are known.
        self.assertEqual({self.second, self.third}, self.accepting(ONE))
        self.settle()
        self.assertEqual({self.third}, self.accepting(ONE))
        self.assertEqual({self.third}, set(self.cache.published()))
        self.assertEqual({self.first, self.second}, self.cache.doubles())

    def test_looked_for_in_the_background(self) -> None:
        self.accepting(ONE)
        self.restart()
        self.expire()
        self.placement.set_traits(self.first, self.both[0])
        # A move does not wait for it; the next one knows.
        self.assertEqual({self.third}, self.accepting(ONE))
        self.settle()
        self.assertEqual({self.first, self.third}, self.accepting(ONE))
        # A request a bit of the number of documents.
        self.assertEqual(2, sum(map(for_several, self.placement.requests)))

    def test_they_come_later(self) -> None:
        self.accepting(TWO)
        self.placement.set_traits(self.second, *self.both)
        self.expire()
        # Those that disagree are refused at once.
        self.assertEqual({self.third}, self.accepting(TWO))

    def test_deleted_trait_while_looking(self) -> None:
        self.warm_up(ONE)
        self.placement.set_traits(self.first, self.both[0])
        self.placement.set_traits(self.second)
        self.placement.delete_traits(self.both[1])
        self.cache._doubles.drop()
        self.now += 1
        self.accepting(ONE)
        self.settle()
        self.assertEqual({self.first, self.third}, self.accepting(ONE))
