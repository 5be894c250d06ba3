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

"""A move that finds an empty cache, beside other ways to ask placement."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
from typing import Any

from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement import bodies
from nova_mdev_compat.placement import client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.members import members
from nova_mdev_compat.placement import memberships
from nova_mdev_compat.placement.verdicts import Question
from tests.benchmark import clouds
from tests.benchmark.clouds import Cloud
from tests.benchmark.fleet import Fleet
from tests.benchmark import population
from tests.benchmark import rounds
from tests.benchmark.rounds import Case

Row = dict[str, Any]

HOSTS = (200, 1000, 5000)
PGPUS = 8
BACKENDS = {'SQLite in the process': clouds.in_process,
            'MariaDB, served': clouds.on_mariadb}

COLD = 'a cold move'
BARE = 'its two requests, not parsed'
#: Providers that are asked about one by one; the rest is reckoned.
_SAMPLE = 64
_LIVE = Question('live', same_type=True)
_MAX = 1 << 30


@dataclasses.dataclass(frozen=True)
class Shape:
    """A way to ask.

    :param times: how often it is to be done for the whole fleet.
    """

    name: str
    run: Callable[[], object]
    times: float = 1


class Questions:
    """The ways to ask a cloud who accepts the fleet's first document."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._fleet = cloud.fleet
        self._client = client.Client(cloud.adapter)
        self._store = cloud.store()
        accepting = self._fleet.accepting(0)
        self._some = [self._fleet.digests[one] for one in accepting]
        self._none = [one for one in self._fleet.digests
                      if one not in self._some]
        self._in = 'required=in:' + ','.join(map(traits.marker, self._some))
        self._not = 'required=' + ','.join(
            '!' + traits.marker(one) for one in self._none)
        self.found: frozenset[str] = frozenset()

    def shapes(self) -> list[Shape]:
        hosts = len(self._fleet.hosts)
        sample = [device for device, _ in self._fleet.carried()][:_SAMPLE]
        host = self._fleet.hosts[0]
        first = population.aggregate(0)
        return [
            Shape(COLD, lambda: self.move(alone=True)),
            Shape(BARE, self.bare),
            Shape('the accept set alone',
                  lambda: self._ask(f'{self._in}&{self._not}')),
            Shape('without the refusing markers',
                  lambda: self._ask(self._in)),
            Shape('with resources=VGPU:1', lambda: self._ask(
                f'{self._in}&{self._not}&resources=VGPU:1')),
            Shape('with in_tree, every host', lambda: self._ask(
                f'{self._in}&{self._not}&in_tree={host.root}'), hosts),
            Shape('with member_of, every aggregate', lambda: self._ask(
                f'{self._in}&{self._not}&member_of={first}'),
                hosts / population.AGGREGATE),
            Shape('all memberships by marker', self.memberships),
            Shape('several markers, in the background', self.doubles),
            Shape('a request a provider',
                  lambda: self.one_by_one(sample),
                  self._fleet.devices * hosts / len(sample))]

    def move(self, alone: bool = False) -> None:
        """What a filter with a cold cache does.

        :param alone: without what it leaves to the background, which would
            take processor time from placement where that is in this process.
        """
        cache = self._cloud.cache(self._store)
        if alone:
            cache.doubles = frozenset
        self.found = cache.accepting(
            self._fleet.documents[0], self._fleet.digests[0], _LIVE)

    def bare(self) -> None:
        """The body is read to its end; nothing is made of it."""
        for url in (f'/traits?name=startswith:{traits.PREFIX}'
                    '&associated=true',
                    f'/resource_providers?{self._in}&{self._not}'):
            for _part in self._parts(url):
                pass

    def memberships(self) -> None:
        carried: dict[str, str] = {}
        for digest in self._fleet.digests:
            carried.update(dict.fromkeys(memberships.carriers(
                self._client, [traits.marker(digest)], [], _deadline()),
                digest))

    def doubles(self) -> None:
        memberships.doubles(
            self._client, [[traits.marker(digest)]
                           for digest in self._fleet.digests], _deadline())

    def one_by_one(self, providers: Sequence[str]) -> None:
        for provider in providers:
            self._client.provider_traits(provider, _deadline())

    def _ask(self, query: str) -> frozenset[str]:
        return frozenset(one['uuid'] for one in members(
            self._parts(f'/resource_providers?{query}'), query,
            'resource_providers'))

    def _parts(self, url: str) -> Iterator[bytes]:
        response = self._cloud.adapter.get(
            url, microversion=client.MICROVERSION, stream=True)
        return bodies.parts(response, url, _MAX)


def rows(hosts: Sequence[int] = HOSTS,
         backends: Sequence[str] = tuple(BACKENDS),
         number: int = rounds.ROUNDS) -> Iterator[Row]:
    for backend in backends:
        for count in hosts:
            with BACKENDS[backend](Fleet(count, PGPUS)) as cloud:
                for row in _measure(cloud, number):
                    yield {'placement': backend, 'hosts': count, **row}


def _measure(cloud: Cloud, number: int) -> Iterator[Row]:
    questions = Questions(cloud)
    shapes = questions.shapes()
    requests = {shape.name: _requests(cloud, shape.run) * shape.times
                for shape in shapes}
    _check(questions, cloud.fleet)
    # What a move leaves to the background must not disturb the next case.
    times = rounds.interleave(
        [Case(shape.name, shape.run, clouds.settle) for shape in shapes],
        number, cloud.clock)
    whole = {shape.name: [one * shape.times for one in times[shape.name]]
             for shape in shapes}
    for shape in shapes:
        yield _row(shape, whole, round(requests[shape.name]), cloud.fleet)


def _requests(cloud: Cloud, run: Callable[[], object]) -> int:
    """Those that are waited for."""
    before = cloud.adapter.count
    run()
    found = cloud.adapter.count - before
    clouds.settle()
    return found


def _row(shape: Shape, whole: rounds.Times, requests: int,
         fleet: Fleet) -> Row:
    mine = whole[shape.name]
    by_one = rounds.ratio(whole['a request a provider'], mine)
    row = {'case': shape.name, 'requests': requests,
           'ms': rounds.milliseconds(mine), 'spread': rounds.spread(mine),
           'x bare': rounds.ratio(mine, whole[BARE]),
           'lowest x lowest bare': min(mine) / min(whole[BARE]),
           'a request a provider takes x': by_one}
    if shape.name != COLD:
        return {**row, 'to reach': '', 'reached': None}
    return {**row, 'to reach': '2 requests, 1.25 x bare' + (
        ', 50 x faster' if fleet.count == 1000 else ''),
        'reached': requests == 2 and row['x bare'] <= 1.25 and (
            fleet.count != 1000 or by_one >= 50)}


def _check(questions: Questions, fleet: Fleet) -> None:
    accepting = set(fleet.accepting(0))
    expected = {device for device, release in fleet.carried()
                if release in accepting}
    if questions.found != expected:
        raise AssertionError('the accept set is not what the fleet says')


def _deadline() -> Deadline:
    return Deadline(clouds.LIFETIME.timeout)
