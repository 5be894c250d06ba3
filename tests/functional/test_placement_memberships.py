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

"""Which providers carry which markers, against the real placement."""

import itertools
import random

import fixtures

from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement import memberships
from tests.functional import placement_cloud as cloud


def groups(digests: list[str]) -> list[list[str]]:
    return [[traits.marker(digest)] for digest in digests]


class TestManyMarkers(cloud.PlacementTestCase):
    """Several requests give the same as one would."""

    def setUp(self) -> None:
        super().setUp()
        self.chance = random.Random(3)

    def digests(self, count: int) -> list[str]:
        return [''.join(self.chance.choices('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
                                            k=26)) for _ in range(count)]

    def carry(self, digests: list[str], providers: int
              ) -> dict[str, set[str]]:
        """Providers with none, one or two of the markers each."""
        self.placement.make_traits(*map(traits.marker, digests))
        carried = {}
        for number in range(providers):
            provider = self.placement.make_provider()
            chosen = self.chance.sample(digests, number % 3)
            self.placement.set_traits(provider, *map(traits.marker, chosen))
            carried[provider] = set(chosen)
        return carried

    def ask(self, some: list[str], none: list[str]) -> set[str]:
        return set(memberships.carriers(
            self.client, list(map(traits.marker, some)),
            list(map(traits.marker, none)), self.deadline))

    def assert_right(self, carried: dict[str, set[str]], some: list[str],
                     none: list[str]) -> None:
        expected = {provider for provider, digests in carried.items()
                    if digests.intersection(some)
                    and not digests.intersection(none)}
        self.assertEqual(expected, self.ask(some, none))

    def assert_short(self) -> None:
        # Web servers commonly take a request line of 8,190 bytes.
        self.assertLess(max(map(len, self.placement.requests)), 8000)

    def test_more_than_a_request_holds(self) -> None:
        digests = self.digests(145)
        carried = self.carry(digests, 30)
        for size in (1, 72, 140, 141, 145):
            self.restart()
            self.assert_right(carried, digests[:size], digests[size:])
            self.assertGreater(len(self.placement.requests), 1)
            self.assert_short()
        self.restart()
        self.assert_right(carried, digests[:100], digests[100:140])
        self.assertEqual(1, len(self.placement.requests))
        self.assert_short()

    def test_several_markers(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.memberships._NAMES_A_REQUEST', 6))
        digests = self.digests(9)
        carried = self.carry(digests, 40)
        for size in range(10):
            expected = {provider for provider, found in carried.items()
                        if len(found.intersection(digests[:size])) > 1}
            self.assertEqual(expected, memberships.doubles(
                self.client, groups(digests[:size]), self.deadline))
        self.assertTrue(expected)

    def test_several_markers_are_cheap_to_find(self) -> None:
        digests = self.digests(20)
        self.carry(digests, 0)
        for size, requests in ((0, 0), (1, 0), (2, 1), (3, 2), (20, 5)):
            self.restart()
            memberships.doubles(self.client, groups(digests[:size]),
                                self.deadline)
            self.assertEqual(requests, len(self.placement.requests))

    def test_every_way_to_share(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.memberships._NAMES_A_REQUEST', 4))
        digests = self.digests(9)
        carried = self.carry(digests, 30)
        for size, left in itertools.product((1, 3, 4, 5), (0, 1, 4)):
            for crossings in (16, 0):
                with fixtures.MonkeyPatch(
                        'nova_mdev_compat.placement.memberships.'
                        '_MAX_CROSSINGS', crossings):
                    self.assert_right(carried, digests[:size],
                                      digests[size:size + left])
