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

"""Providers that are newer than what is kept, against the real placement."""

from collections.abc import Sequence
import random

import fixtures

from nova_mdev_compat.placement import deadline
from nova_mdev_compat.placement import newcomers
from tests.functional import placement_bulk
from tests.functional import placement_cloud as cloud
from tests.functional.test_placement_cache import ANY
from tests.functional.test_placement_cache import CacheTestCase
from tests.functional.test_placement_cache import digest
from tests.functional.test_placement_cache import LIVE
from tests.functional.test_placement_cache import ONE
from tests.functional.test_placement_cache import THREE
from tests.functional.test_placement_cache import TTL
from tests.functional.test_placement_cache import TWO

LOOK = 'GET /resource_providers/'
HOLD_OFF = 6.0


class NewcomersTestCase(CacheTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.everybody = [self.first, self.second, self.third,
                          self.unpublished]
        self.assertEqual({self.first, self.third}, self.move())
        self.restart()

    def move(self, *more: str, accepted: bool = True) -> set[str]:
        """Which of the offered providers a move of a ONE finds accepted, or
        refused, as the filter asks.
        """
        self.now += 1
        began = self.now
        offered = [*self.everybody, *more]
        with deadline.within(cloud.TIMEOUT):
            found = self.ask(accepted)
            outside = [one for one in offered if one not in found]
            if self.cache.find_newer(outside, began):
                found = self.ask(accepted)
        return found.intersection(offered)

    def ask(self, accepted: bool) -> frozenset[str]:
        ask = self.cache.accepting if accepted else self.cache.refusing
        return ask(ONE, digest(ONE), LIVE)

    def look_ups(self) -> int:
        return sum(request.startswith(LOOK)
                   for request in self.placement.requests)


class TestNewcomers(NewcomersTestCase):

    def test_at_rest_nothing_is_asked(self) -> None:
        for _ in range(3):
            self.assertEqual({self.first, self.third}, self.move())
        self.assert_requests()

    def test_added_a_second_ago(self) -> None:
        self.now += TTL / 2
        new = self.placement.make_provider()
        self.placement.publish(ONE, new)
        self.assertEqual({self.first, self.third, new}, self.move(new))
        self.assert_requests(f'{LOOK}{new}/traits')
        # It is known from now on, and is in the set when that is read again.
        for _ in range(3):
            self.assertEqual({self.first, self.third, new}, self.move(new))
            self.assert_requests()
        self.expire()
        self.assertEqual({self.first, self.third, new}, self.move(new))
        self.assertEqual(0, self.look_ups())

    def test_of_a_document_that_is_new_too(self) -> None:
        new = self.placement.make_provider()
        self.placement.publish(
            cloud.document(1, {'attributes': {'n': {'any': True}}}), new)
        self.assertEqual({self.first, self.third, new}, self.move(new))

    def test_that_refuses(self) -> None:
        new = self.placement.make_provider()
        self.placement.publish(TWO, new)
        self.assertEqual({self.first, self.third}, self.move(new))
        self.assertEqual({self.second, new}, self.move(new, accepted=False))

    def test_that_is_unpublished(self) -> None:
        new = self.placement.make_provider()
        for _ in range(3):
            self.assertEqual({self.first, self.third}, self.move(new))
        self.assertEqual(1, self.look_ups())
        self.expire()
        self.move(new)
        # What is read now is younger than the first sight of it.
        self.assertEqual(1, self.look_ups())

    def test_that_has_two_markers(self) -> None:
        new = self.placement.make_provider()
        self.placement.publish(ONE, new)
        self.placement.add_traits(
            new, self.placement.publish(ANY).marker)
        self.assertEqual({self.first, self.third}, self.move(new))

    def test_that_is_gone_again(self) -> None:
        new = self.placement.make_provider()
        self.placement.call('DELETE', f'/resource_providers/{new}')
        other = self.placement.make_provider()
        self.placement.publish(ONE, other)
        self.assertEqual({self.first, self.third, other},
                         self.move(new, other))

    def test_whose_marker_is_taken_off(self) -> None:
        new = self.placement.make_provider()
        self.placement.publish(ONE, new)
        self.assertIn(new, self.move(new))
        self.placement.set_traits(new)
        self.expire()
        self.assertNotIn(new, self.move(new))

    def test_among_all_that_are_published(self) -> None:
        new = self.placement.make_provider()
        self.placement.publish(THREE, new)
        with deadline.within(cloud.TIMEOUT):
            self.assertNotIn(new, self.cache.published())
            self.now += 1
            self.assertTrue(self.cache.find_newer([new], self.now))
            self.assertEqual((digest(THREE), THREE),
                             self.cache.published()[new])

    def test_placement_fails(self) -> None:
        new = self.placement.make_provider()
        self.placement.publish(ONE, new)
        self.placement.hook = lambda method, path: cloud.answer(
            503, 'out of order')
        for _ in range(3):
            # What is kept decides.
            self.assertEqual({self.first, self.third}, self.move(new))
        self.assertEqual(1, self.look_ups())
        self.assertEqual(1, self.said('New providers cannot be looked up'))
        self.placement.hook = None
        self.now += HOLD_OFF
        self.assertIn(new, self.move(new))


class TestBound(NewcomersTestCase):
    """5,000 hosts that nobody published, offered 1,000 at a time."""

    def setUp(self) -> None:
        super().setUp()
        self.cloud = placement_bulk.make_providers(5000)

    def offer(self, chance: random.Random) -> Sequence[str]:
        return chance.sample(self.cloud, 1000)

    def test_requests(self) -> None:
        chance = random.Random(5)
        counts = []
        for _ in range(20):
            self.assertEqual({self.first, self.third},
                             self.move(*self.offer(chance)))
            counts.append(self.look_ups())
            self.restart()
        print(f'figure: look-ups of 20 moves in one ttl: {counts}')
        self.assertEqual(newcomers.MAX_A_REQUEST, max(counts))
        self.assertEqual(newcomers.MAX_A_TTL, sum(counts))
        later = []
        for _ in range(10):
            self.expire()
            self.move(*self.offer(chance))
            later.append(self.look_ups())
            self.restart()
        print(f'figure: of one move each in the ten ttls after it: {later}')
        # A move that reads anew is offered what was there before.
        self.assertEqual([0] * 10, later)

    def test_new_one_among_them(self) -> None:
        self.move(*self.cloud)
        self.expire()
        self.move(*self.cloud)
        self.now += TTL / 2
        new = self.placement.make_provider()
        self.placement.publish(ONE, new)
        self.restart()
        self.assertIn(new, self.move(*self.cloud, new))
        self.assertEqual(1, self.look_ups())

    def test_memory_of_what_was_seen(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.newcomers.MAX_SEEN', 1000))
        self.move(*self.cloud)
        self.assertGreaterEqual(
            1000, len(self.cache._newcomers._first_seen))


class TestCatchUp(CacheTestCase):
    """A provider of old that comes to carry a document nobody had met."""

    def setUp(self) -> None:
        super().setUp()
        self.cache.in_use()
        # Accepts a ONE as the document before did, under another digest.
        self.placement.publish(
            cloud.document(1, {'attributes': {'n': {'any': True}}}),
            self.first)
        self.now += 2
        self.restart()

    def test_two_answers_of_one_moment(self) -> None:
        self.now -= 1
        with deadline.within(cloud.TIMEOUT):
            self.accepting()
            self.restart()
            self.assertFalse(self.cache.catch_up())
            self.assert_requests()

    def test_what_is_newer_is_looked_up(self) -> None:
        with deadline.within(cloud.TIMEOUT):
            self.assertNotIn(self.first, self.accepting())
            self.now += 1
            self.assertTrue(self.cache.catch_up())
            self.assertIn(self.first, self.accepting())

    def test_another_request_has_looked_it_up(self) -> None:
        with deadline.within(cloud.TIMEOUT):
            self.assertNotIn(self.first, self.accepting())
            self.now += 1
            self.cache._in_use.renew(self.now)
            self.assertTrue(self.cache.catch_up())
            self.assertIn(self.first, self.accepting())
            self.assertFalse(self.cache.catch_up())

    def test_at_rest_it_is_read_once(self) -> None:
        with deadline.within(cloud.TIMEOUT):
            self.now += TTL
            self.accepting()
            self.now += 1
            self.restart()
            self.cache.catch_up()
            self.assert_requests()
            self.assertIn(self.first, self.accepting())

    def accepting(self) -> frozenset[str]:
        return self.cache.accepting(ONE, digest(ONE), LIVE)
