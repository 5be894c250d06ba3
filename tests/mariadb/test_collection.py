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

"""Collectors and publishers of the same documents, for a while."""

import collections
import random
import threading
import time

import sqlalchemy

from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.collection import Fate
from nova_mdev_compat.placement import errors
from nova_mdev_compat.publisher.agent import Round
from tests.functional import collection
from tests.functional import placement_cloud as cloud
from tests.functional import test_placement_publication as one_provider
from tests.mariadb import base

SECONDS = base.number('SECONDS', 60)
PUBLISHERS = 4
COLLECTORS = 2
DOCUMENTS = [cloud.document(number, **one_provider.LONG)
             for number in range(3)]


class TestCollection(base.ServedTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.end = 0.0
        self.lock = threading.Lock()
        self.fates: collections.Counter[str] = collections.Counter()
        self.refused: collections.Counter[str] = collections.Counter()

    def test_bodies(self) -> None:
        self.meet(markers=False)
        self.assertEqual({}, dict(self.refused))

    def test_bodies_and_markers(self) -> None:
        self.meet(markers=True)

    def meet(self, markers: bool) -> None:
        hosts = [base.Host(self.placement, self.client(), 2).make()
                 for _ in range(PUBLISHERS)]
        self.end = time.monotonic() + SECONDS
        found = base.at_once([
            *(lambda host=host: self.publish(host)  # type: ignore[misc]
              for host in hosts),
            *[lambda: self.collect(markers)] * COLLECTORS])
        rounds = [done for some in found[:PUBLISHERS] for done in some]
        there = self.custom_traits()
        for host in hosts:
            for suffix, provider in host.pgpus.items():
                names = host.wanted[suffix].names
                self.assertEqual({names.marker}, self.traits_of(provider))
                # Raises where the body is not whole.
                traits.decode(there, names.digest)
        self.assert_candidates()
        self.say(
            f'{PUBLISHERS} publishers, {COLLECTORS} collectors '
            f'{"of markers too " if markers else ""}for {SECONDS} s: '
            f'{len(rounds)} rounds, '
            f'{sum(len(done.outcome.written) for done in rounds)} chunks '
            f'written; collectors: {dict(self.fates)}; races lost '
            f'{dict(base.lost(rounds))}; refused {dict(self.refused)}')
        self.assertLess(0, self.fates[Fate.COLLECTED.name])

    def test_marker_is_deleted_while_it_is_put_on(self) -> None:
        """What --markers risks, as hard as it can be provoked."""
        host = base.Host(self.placement, self.client(), 1).make()
        (provider,) = host.pgpus.values()
        marker = host.want(DOCUMENTS[0]).marker
        self.end = time.monotonic() + SECONDS / 4
        base.at_once([lambda: self.put_on_and_off(provider, marker),
                      *[lambda: self.delete(marker)] * 4])
        # Answered with 404, and the candidates with 400, if it dangled.
        self.traits_of(provider)
        self.assert_candidates()
        self.assertEqual(1, len(host.round().published))
        # As placement would, were it to lose the race.
        engine = sqlalchemy.create_engine(self.database.url('placement'))
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            self.assertRaises(
                sqlalchemy.exc.IntegrityError, connection.execute,
                sqlalchemy.text('DELETE FROM traits WHERE name = :name'),
                {'name': marker})
        self.say(f'a marker put on and off, and deleted by four others, for '
                 f'{SECONDS / 4:.0f} s: {dict(self.refused)}')

    def put_on_and_off(self, provider: str, marker: str) -> None:
        path = f'/resource_providers/{provider}/traits'
        while time.monotonic() < self.end:
            self.placement.ask('PUT', f'/traits/{marker}')
            for some in ([marker], []):
                found = self.placement.call('GET', path)
                answer = self.placement.ask(
                    'PUT', path, {**found, 'traits': some})
                self.count(self.refused, [f'PUT {answer.status_code}'])

    def delete(self, marker: str) -> None:
        while time.monotonic() < self.end:
            answer = self.placement.ask('DELETE', f'/traits/{marker}')
            self.count(self.refused, [f'DELETE {answer.status_code}'])

    def publish(self, host: base.Host) -> list[Round]:
        rounds = []
        while time.monotonic() < self.end:
            host.want(random.choice(DOCUMENTS))
            failures: list[str] = []
            rounds.append(host.round(failures))
            self.count(self.refused, failures)
        return rounds

    def collect(self, markers: bool) -> None:
        """As soon as nobody carries it, without any grace."""
        client = self.client()
        while time.monotonic() < self.end:
            try:
                fates = collection.collect(client, markers, grace=0,
                                           now=time.time())
            except errors.PlacementError as error:
                self.count(self.refused, [str(error)])
            else:
                self.count(self.fates, [fate.name for fate in fates])

    def count(self, counter: 'collections.Counter[str]',
              some: list[str]) -> None:
        with self.lock:
            counter.update(text[:300] for text in some)
