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

"""Twenty publishers on eight providers, against others that write there."""

import collections
import random
import threading
import uuid

from nova_mdev_compat.publisher.agent import Round
from tests.functional import placement_cloud as cloud
from tests.mariadb import base

PUBLISHERS = base.number('PUBLISHERS', 20)
ROUNDS = base.number('ROUNDS', 6)
GOLD = 'CUSTOM_GOLD'


class TestRace(base.ServedTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.host = base.Host(self.placement, self.client()).make()
        self.stop = threading.Event()
        self.failures: list[str] = []
        self.everybody = threading.Barrier(PUBLISHERS)
        self.placement.call('PUT', f'/traits/{GOLD}')
        for provider in self.host.pgpus.values():
            self.placement.call(
                'PUT', f'/resource_providers/{provider}/inventories', {
                    'resource_provider_generation': 0,
                    'inventories': {'VGPU': {'total': 16}}})

    def test_right_marker_and_only_one(self) -> None:
        last = self.host.want(cloud.document())
        others = [threading.Thread(target=self.write, daemon=True),
                  threading.Thread(target=self.allocate, daemon=True)]
        for thread in others:
            thread.start()
        rounds = [done for some in base.at_once(
            [self.publish] * PUBLISHERS) for done in some]
        self.stop.set()
        for thread in others:
            thread.join(base.TIMEOUT)
        for place, provider in enumerate(self.host.pgpus.values()):
            self.assertEqual(
                {last.marker, *([GOLD] if place % 2 else [])},
                self.traits_of(provider))
        self.assertLessEqual({*last.chunks}, self.custom_traits())
        failed = sum(len(done.outcome.failed) for done in rounds)
        self.say(
            f'{PUBLISHERS} publishers, {ROUNDS} rounds each, on '
            f'{len(self.host.pgpus)} providers: '
            f'{sum(len(done.outcome.changes) for done in rounds)} markers '
            f'written, races lost {dict(base.lost(rounds))}, given up '
            f'{failed}, rounds run again {len(self.failures)}')
        self.say(f'the other writer: {self.writes} writes, races lost '
                 f'{dict(self.others_lost)}; {self.moves} allocations; '
                 f'placement answered {self.statuses()}')
        self.assertEqual([], self.failures)
        self.assertEqual(0, failed)

    def publish(self) -> list[Round]:
        """Any of several documents, and at last the right one."""
        host = base.Host(self.placement, self.client())
        host.root, host.name, host.pgpus = (
            self.host.root, self.host.name, self.host.pgpus)
        rounds = []
        for _ in range(ROUNDS - 1):
            host.want(cloud.document(random.randrange(1, 4)))
            rounds.append(host.round(self.failures))
        host.wanted = self.host.wanted
        # Nobody puts another document on after this.
        self.everybody.wait(base.TIMEOUT)
        rounds.append(host.round(self.failures))
        return rounds

    writes = 0
    moves = 0
    others_lost: collections.Counter[int] = collections.Counter()

    def write(self) -> None:
        """Puts a trait of its own on every provider and takes it off; at the
        end every second one has it.
        """
        providers = list(self.host.pgpus.values())
        while not self.stop.is_set():
            for provider in providers:
                self.set_gold(provider, random.choice([True, False]))
        for place, provider in enumerate(providers):
            self.set_gold(provider, bool(place % 2))

    def set_gold(self, provider: str, wanted: bool) -> None:
        path = f'/resource_providers/{provider}/traits'
        while True:
            found = self.placement.call('GET', path)
            found['traits'] = sorted(
                {*found['traits'], GOLD} if wanted
                else {*found['traits']} - {GOLD})
            response = self.placement.ask('PUT', path, found)
            if response.ok:
                self.writes += 1
                return
            # Or it would fight over a marker that was replaced meanwhile.
            assert response.status_code in (409, 500), response.text
            self.others_lost[response.status_code] += 1

    def allocate(self) -> None:
        """Allocations come and go, and move the generations."""
        providers = list(self.host.pgpus.values())
        while not self.stop.is_set():
            consumer = uuid.uuid4()
            for generation, resources in ((None, {'VGPU': 1}), (1, None)):
                body = {
                    'allocations': {random.choice(providers): {
                        'resources': resources}} if resources else {},
                    'project_id': 'p', 'user_id': 'u',
                    'consumer_generation': generation,
                    'consumer_type': 'INSTANCE'}
                response = self.placement.ask(
                    'PUT', f'/allocations/{consumer}', body)
                assert response.status_code in (204, 409), response.text
                self.moves += response.ok
