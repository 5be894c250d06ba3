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

"""What the filter costs beside filters that do less, and more."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import copy
import dataclasses
from typing import Any

from nova.scheduler import filters
from nova.scheduler.filters import all_hosts_filter

from tests.benchmark import clouds
from tests.benchmark import logs
from tests.benchmark import moves
from tests.benchmark import rounds
from tests.benchmark.rounds import Case
from tests.benchmark.rounds import Times
from tests.benchmark.scheduler import Scheduler
from tests.benchmark.scheduler import SHORT
from tests.benchmark.scheduler import TTL

Row = dict[str, Any]

# A call without a device is over in a tenth of a millisecond.
_REPEATS = 20
# Where a round takes less than a second.
_MORE_ROUNDS = 25

#: Hosts, and candidates of each.
SIZES = ((1000, 4), (1000, 16), (10000, 4), (10000, 16), (64, 256))
QUICK_SIZES = ((20, 4),)

LIST = 'the list is returned'
ALL_HOSTS = 'AllHostsFilter'
AGAIN = 'AllHostsFilter again'
MIXIN = 'CandidateFilterMixin'
COPY = "Nova's deep copy"
NO_DEVICE = 'a request without a device'
#: Columns: how many times the time of a peer.
_PEERS = {'x list': LIST, 'x AllHosts': ALL_HOSTS, 'x mixin': MIXIN,
          'x copy': COPY}


class ListFilter(filters.BaseHostFilter):

    def filter_all(self, filter_obj_list: Any, spec_obj: Any) -> Any:
        return filter_obj_list


class MixinFilter(filters.BaseHostFilter, filters.CandidateFilterMixin):
    """The same test, as Nova's own filters of candidates are written."""

    def __init__(self, accepted: frozenset[str]) -> None:
        self._accepted = accepted

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        return bool(self.filter_candidates(host_state, self._keep))

    def _keep(self, candidate: Any) -> bool:
        return all(provider in self._accepted
                   for provider, held in candidate['allocations'].items()
                   if 'VGPU' in held['resources'])


@dataclasses.dataclass(frozen=True)
class Request:
    """Hosts that filters are asked about again and again."""

    scheduler: Scheduler
    states: Sequence[Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, '_before', [
            state.allocation_candidates for state in self.states])

    def restore(self) -> None:
        for state, before in zip(self.states, self._before):
            state.allocation_candidates = before

    def warm_up(self) -> None:
        """As it is when all of it was asked before what is kept was read."""
        for seconds in (TTL, SHORT):
            self.scheduler.keep_for(seconds)
            for outcome in moves.OUTCOMES:
                self.restore()
                self.scheduler.move(outcome)
                self.ask(self.scheduler.filter)
                clouds.settle()
        self.restore()
        self.scheduler.keep_for(TTL)

    def touch(self) -> None:
        """Brings the candidates near: Nova has just copied them."""
        for before in self._before:
            for candidate in before:
                for held in candidate['allocations'].values():
                    held['resources'].get('VGPU')

    def ask(self, one: Any) -> list[Any]:
        return self.scheduler.ask(one, self.states)

    def case(self, name: str, one: Any,
             prepare: Callable[[], object] = lambda: None,
             repeats: int = 1) -> Case:
        def both() -> None:
            self.restore()
            self.touch()
            prepare()
        return Case(name, lambda: self.ask(one), both, repeats)

    def copy(self) -> None:
        """What Nova does before the first filter."""
        for before in self._before:
            copy.deepcopy(before)


def rows(sizes: Sequence[tuple[int, int]] = SIZES,
         number: int | None = None) -> Iterator[Row]:
    for hosts, candidates in sizes:
        fleet = moves.ParityFleet(hosts, candidates)
        with clouds.in_process(fleet) as cloud, \
                Scheduler(fleet, cloud.url) as scheduler:
            size = {'hosts': hosts, 'candidates': candidates}
            times = number or (
                rounds.ROUNDS if hosts > 1000 else _MORE_ROUNDS)
            yield from ({**size, **row} for row in (
                *_without_device(scheduler, times),
                *_moves(scheduler, times)))


def _without_device(scheduler: Scheduler, number: int) -> Iterator[Row]:
    request = Request(scheduler, moves.host_states(
        scheduler.fleet.hosts, scheduler.fleet.devices, with_device=False))
    times = rounds.interleave([
        request.case(name, one, repeats=_REPEATS) for name, one in (
            (LIST, ListFilter()),
            (ALL_HOSTS, all_hosts_filter.AllHostsFilter()),
            (NO_DEVICE, scheduler.filter))], number)
    yield _row(times, NO_DEVICE, {LIST: 1.2})


def _moves(scheduler: Scheduler, number: int) -> Iterator[Row]:
    request = Request(scheduler, moves.host_states(
        scheduler.fleet.hosts, scheduler.fleet.devices))
    request.warm_up()
    for outcome in moves.OUTCOMES:
        cases = _cases(request, outcome)
        _compare(request, outcome)
        with logs.at_info():
            times = rounds.interleave(cases, number)
        yield _row(times, outcome, _bounds(scheduler.fleet.devices))
    for peer in (AGAIN, MIXIN, COPY):
        yield _row(times, peer, {})
    for outcome in moves.OUTCOMES:
        yield from _at_debug(request, outcome, number)


def _cases(request: Request, outcome: str) -> list[Case]:
    scheduler = request.scheduler
    mixin = MixinFilter(scheduler.accepted(outcome))
    return [
        request.case(ALL_HOSTS, all_hosts_filter.AllHostsFilter()),
        request.case(AGAIN, all_hosts_filter.AllHostsFilter()),
        request.case(outcome, scheduler.filter,
                     lambda: scheduler.move(outcome)),
        request.case(MIXIN, mixin),
        Case(COPY, request.copy)]


def _bounds(candidates: int) -> dict[str, float]:
    """The most that a move may take, in times of a peer."""
    if candidates <= 4:
        return {ALL_HOSTS: 1.5, MIXIN: 1 / 8}
    return {ALL_HOSTS: 5.0, COPY: 0.1} if candidates <= 16 \
        else {COPY: 0.1}


def _row(times: Times, name: str, bounds: dict[str, float]) -> Row:
    mine = times[name]
    return {
        'case': name, 'ms': rounds.milliseconds(mine),
        'spread': rounds.spread(mine),
        **{name: rounds.ratio(mine, times[peer]) if peer in times else None
           for name, peer in _PEERS.items()},
        'lowest x AllHosts': min(mine) / min(times[ALL_HOSTS]),
        'to reach': ', '.join(
            f'{bound:g} {name}' for name, peer in _PEERS.items()
            for bound in [bounds.get(peer)] if bound is not None),
        'reached': all(rounds.ratio(mine, times[peer]) <= bound
                       for peer, bound in bounds.items()) if bounds else None}


def _at_debug(request: Request, outcome: str, number: int) -> Iterator[Row]:
    """The texts of candidates that a call builds, and its time."""
    scheduler = request.scheduler
    case = request.case(outcome, scheduler.filter,
                        lambda: scheduler.move(outcome))
    for name, level in (('INFO', logs.at_info), ('DEBUG', logs.at_debug)):
        with level() as counted:
            times = rounds.interleave([case], number)[outcome]
            counted.clear()
            case.prepare()
            case.run()
            texts = sum('loses the candidate' in text for text in counted)
        yield {'case': f'{outcome}, at {name}',
               'ms': rounds.milliseconds(times),
               'spread': rounds.spread(times), 'texts': texts}


def _compare(request: Request, outcome: str) -> None:
    """The filter and the mixin must leave the same."""
    scheduler = request.scheduler
    left = []
    for one in (scheduler.filter, MixinFilter(scheduler.accepted(outcome))):
        request.restore()
        scheduler.move(outcome)
        left.append([(state.host, [*state.allocation_candidates])
                     for state in request.ask(one)])
    if left[0] != left[1] or not left[0]:
        raise AssertionError(f'{outcome}: the filters differ')
