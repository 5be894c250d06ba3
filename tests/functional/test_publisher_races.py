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

"""Publishers against others that write the same provider, in every order."""

import collections
from collections.abc import Hashable
import logging
from typing import Any
import uuid

import ddt
import fixtures
import testtools

from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement import errors
from nova_mdev_compat.publisher.agent import Agent
from nova_mdev_compat.publisher.agent import Round
from nova_mdev_compat.publisher.intent import Intent
from nova_mdev_compat.publisher.intent import Root
from nova_mdev_compat.publisher.intent import Wanted
from tests.functional import interleaving
from tests.functional import placement_cloud as cloud

GOLD = 'CUSTOM_GOLD'


@ddt.ddt
class TestEveryOrder(cloud.PlacementTestCase):
    """tests.mariadb has twenty publishers, in the order that chance gives."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'tenacity.nap.sleep', lambda seconds: None))
        # Thousands of requests.
        logging.disable()
        self.addCleanup(logging.disable, logging.NOTSET)
        self.root, self.provider = str(uuid.uuid4()), str(uuid.uuid4())
        call = self.placement.call
        call('POST', '/resource_providers',
             {'name': 'gpu1', 'uuid': self.root})
        call('POST', '/resource_providers', {
            'name': 'gpu1_pgpu', 'uuid': self.provider,
            'parent_provider_uuid': self.root})
        # Their bodies and markers are there, which saves requests.
        self.wanted = [self.placement.publish(
            cloud.document(number), self.provider) for number in range(2)]
        self.older = self.placement.publish(cloud.document(2), self.provider)
        self.placement.make_traits(GOLD)
        self.lost: collections.Counter[int] = collections.Counter()
        self.refuse_with = 409

    @ddt.data(409, 500)
    def test_another_writer(self, status: int) -> None:
        """It adds a trait of its own, and both have it at the end."""
        self.refuse_with = status
        self.follow([self.publisher(0), self.add_gold],
                    [{self.wanted[0].marker, GOLD}])
        self.assertLess(0, self.lost[status])

    def test_another_publisher(self) -> None:
        """Of another document: one marker is there at the end."""
        self.follow([self.publisher(0), self.publisher(1)],
                    [{names.marker} for names in self.wanted])
        self.assertLess(0, self.lost[409])

    def follow(self, actors: list[interleaving.Actor],
               allowed: list[set[str]]) -> None:
        def check(results: list[Any]) -> None:
            found = self.placement.traits_of(self.provider)
            self.assertIn(found, allowed)
            for digest in filter(None, map(traits.read_marker, found)):
                # Raises where the body is not whole.
                traits.decode(self.placement.custom_traits(), digest)
            for done in results:
                if isinstance(done, Round):
                    self.assertEqual({}, done.outcome.failed)
                    self.lost.update(done.outcome.lost)

        orders = interleaving.Orders(actors, self.send, self.begin,
                                     self.state, check)
        orders.follow_all()
        self.addDetail('orders', testtools.content.text_content(
            f'{orders.ends} ends, {orders.states} states, {self.lost}'))
        self.assertLess(30, orders.states)

    def publisher(self, number: int) -> interleaving.Actor:
        def publish(client: Client) -> Round:
            intent = Intent(Root(self.root, ('gpu1',)), {'pgpu': Wanted(
                cloud.document(number), self.wanted[number])})
            return Agent(client, lambda: intent, cloud.TIMEOUT).round()
        return publish

    def add_gold(self, client: Client) -> None:
        while True:
            deadline = Deadline(cloud.TIMEOUT)
            found = client.provider_traits(self.provider, deadline)
            try:
                return client.put_provider_traits(
                    self.provider, {*found.traits, GOLD}, found.generation,
                    deadline)
            except errors.Conflict:
                pass

    def begin(self) -> None:
        self.placement.set_traits(self.provider, self.older.marker)
        self.carried: Hashable = self.older.marker

    def state(self) -> Hashable:
        return self.carried

    def send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        status, answer = self.placement.send(method, path, body)
        if method == 'PUT' and status == 200:
            self.carried = frozenset(body['traits'])
        if status != 409:
            return status, answer
        # The same, as placement says it when it finds out later.
        answer['errors'][0]['detail'] += ' concurrently updated'
        return self.refuse_with, answer
