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

"""How long planning a rolling upgrade takes, and how far it gets.

A plan is made, replayed move by move, and, where hosts are left, what would
help is looked for, as `nova-mdev-compat plan` does.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import random
import time
from typing import Any
from typing import TypeVar

from nova_mdev_compat.fleet.planning import advice
from nova_mdev_compat.fleet.planning import planner
from nova_mdev_compat.fleet.planning.problem import Load
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning import replay
from tests.unit import upgrades

T = TypeVar('T')

_PGPUS, _DEVICES = 2, 16


def rows(hosts: Sequence[int] = (100, 1000)) -> Iterator[dict[str, Any]]:
    for count in hosts:
        for name, make in CASES.items():
            yield {'hosts': count, 'case': name, **measure(make(count))}


def measure(problem: Problem) -> dict[str, Any]:
    """Seconds on the clock, and what came out."""
    found, planning = _timed(lambda: planner.plan(problem))
    _, following = _timed(lambda: replay.check(problem, found))
    helpful, advising = _timed(lambda: advice.advise(problem, found))
    return {'devices': sum(amount for load in problem.loads
                           for _, amount in load.parts),
            'upgraded': len(found.order), 'moves': len(found.moves),
            'plan and replay s': planning, 'replay s': following,
            'pieces of advice': len(helpful), 'advice s': advising}


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    began = time.monotonic()
    found = call()
    return found, time.monotonic() - began


def _fleet(hosts: int, kinds: int, held: Callable[[int], int],
           pairs: Callable[[str, str], bool], together: bool = False
           ) -> Problem:
    """Hosts of a number of kinds, in turn.

    :param held: devices in use on each pGPU of a host.
    :param pairs: which documents accept which, of `old N` and `new N`.
    :param together: one server in ten holds two devices.
    """
    sites, singles, others = [], {}, []
    for host in range(hosts):
        for number in range(_PGPUS):
            uuid = f's{host}-{number}'
            kind = host % kinds
            sites.append(upgrades.site(
                uuid, f'h{host}', _DEVICES, f'old {kind}', f'new {kind}'))
            singles[uuid] = held(host)
            if together and singles[uuid] > 1 and host % 5 == 0:
                singles[uuid] -= 2
                others.append(Load(f'o-{uuid}', ((uuid, 2),)))
    names = [f'{age} {kind}' for age in ('old', 'new')
             for kind in range(kinds)]
    return upgrades.problem(sites, singles, {
        (one, other) for one in names for other in names
        if pairs(one, other)}, others=tuple(others))


def _forward(one: str, other: str) -> bool:
    """Of its own kind, and never to an older release."""
    return one[4:] == other[4:] and (one[:3], other[:3]) != ('new', 'old')


def _same_release(one: str, other: str) -> bool:
    return one == other


def _empty_first(count: int) -> Callable[[int], int]:
    """So many hosts are empty, the others full."""
    return lambda host: 0 if host < count else _DEVICES


def _random(hosts: int) -> Callable[[int], int]:
    chance = random.Random(hosts)
    held = [min(_DEVICES, int(chance.triangular(4, 17, 16)))
            for _ in range(hosts)]
    return held.__getitem__


#: By name; each is made for a number of hosts.
CASES: dict[str, Callable[[int], Problem]] = {
    'full but for an empty host of each of 3 kinds': lambda hosts: _fleet(
        hosts, 3, _empty_first(3), _forward),
    '20 kinds, free devices here and there': lambda hosts: _fleet(
        hosts, 20, _random(hosts), _forward),
    'the same, some servers with 2 devices': lambda hosts: _fleet(
        hosts, 20, _random(hosts), _forward, together=True),
    '3 kinds, of which one has no room at all': lambda hosts: _fleet(
        hosts, 3, _empty_first(2), _forward),
    'new does not load old, little is free': lambda hosts: _fleet(
        hosts, 3, _random(hosts), _same_release),
}
