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

"""A plan for a problem: the heuristic first, then the exact search."""

from __future__ import annotations

from collections.abc import Callable

from nova_mdev_compat.fleet.planning import exact
from nova_mdev_compat.fleet.planning import heuristic
from nova_mdev_compat.fleet.planning.heuristic import Attempt
from nova_mdev_compat.fleet.planning.problem import Plan
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning import replay


def quietly(host: str) -> None:
    """Progress that nobody sees."""


def plan(problem: Problem,
         progress: Callable[[str], None] = quietly) -> Plan:
    """The best plan that was found, followed once to see that it holds.

    A small problem of single devices is searched exactly where the heuristic
    does not find an order for all hosts.

    :param progress: called with a host's name at each step.
    :raises replay.InvalidPlan: the search is wrong.
    """
    found = _by_heuristic(problem, progress)
    if found.left:
        search = exact.Search(problem)
        if search.is_small():
            found = _exactly(problem, search)
    replay.check(problem, found)
    return found


def _by_heuristic(problem: Problem,
                  progress: Callable[[str], None]) -> Plan:
    best: Attempt | None = None
    for preference in heuristic.PREFERENCES:
        attempt = Attempt(problem, preference)
        attempt.run(progress)
        if best is None \
                or len(attempt.state.pending) < len(best.state.pending):
            best = attempt
        if not best.state.pending:
            break
    assert best is not None
    return _plan(best, exact=False)


def _exactly(problem: Problem, search: exact.Search) -> Plan:
    state = search.steps(search.best())
    attempt = Attempt(problem, heuristic.PREFERENCES[0], state)
    # Nobody could go on from here.
    attempt.run(quietly)
    return _plan(attempt, exact=True)


def _plan(attempt: Attempt, exact: bool) -> Plan:
    state = attempt.state
    steps = tuple(state.steps)
    return Plan(
        steps, tuple(sorted(state.pending)),
        tuple((one.host, consumer) for one in attempt.shortfalls()
              for consumer in one.consumers(state)), exact)
