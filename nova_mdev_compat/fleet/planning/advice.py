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

"""What would let the hosts be upgraded that a plan leaves out."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import itertools
import time
from typing import TypeAlias

from nova_mdev_compat.fleet.planning import planner
from nova_mdev_compat.fleet.planning.problem import Plan
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning.problem import Upgrade
from nova_mdev_compat.fleet.planning.state import State

# A problem is planned anew at most so often for each kind of advice.
_TRIES = 24
# Seconds after which nothing more is tried; a try in a large fleet takes some.
_PATIENCE = 20.0


@dataclasses.dataclass(frozen=True, slots=True)
class KeepBack:
    """Without these hosts, all others can be upgraded."""

    hosts: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class AddEntry:
    """If a document accepted one more kind, all hosts could be upgraded.

    :param source: digest of the document of the devices.
    :param destination: digest of the document that would accept them.
    """

    source: str
    destination: str


@dataclasses.dataclass(frozen=True, slots=True)
class MakeRoom:
    """Providers accept these devices, but they are full.

    :param source: digest of the document of the devices.
    :param amount: so many cannot leave their host.
    """

    source: str
    amount: int


Advice: TypeAlias = KeepBack | AddEntry | MakeRoom


def advise(problem: Problem, plan: Plan,
           progress: Callable[[str], None] = planner.quietly,
           patience: float = _PATIENCE) -> list[Advice]:
    """What would help; each but MakeRoom was tried by planning anew.

    :param progress: called at each step of a plan that is tried.
    :param patience: seconds after which no other plan is begun, but that
        each kind of advice gets one.
    """
    if not plan.left:
        return []
    began = time.monotonic()

    def works(changed: Problem) -> bool:
        return not planner.plan(changed, progress).left

    def has_time(part: float) -> bool:
        return time.monotonic() - began < part * patience
    found: list[Advice] = list(itertools.islice(
        (AddEntry(*pair) for number, pair in enumerate(
            itertools.islice(_refused(problem, plan), _TRIES))
         if (not number or has_time(0.5))
         and works(problem.accepting(*pair))), 3))
    alone = next((host for number, host in enumerate(plan.left[:_TRIES])
                  if len(plan.left) > 1 and (not number or has_time(1))
                  and works(problem.without(host))), None)
    found.append(KeepBack(plan.left if alone is None else (alone,)))
    return found + list(_rooms(problem, plan))


def _refused(problem: Problem, plan: Plan) -> Iterator[tuple[str, str]]:
    """Pairs that a new entry could be for: those with most room first."""
    state = _end(problem, plan)
    room: dict[tuple[str, str], int] = {}
    for uuid, site in problem.sites.items():
        for document in {state.document[uuid], site.upgraded} - {None}:
            assert document is not None
            key = site.resource_class, document
            room[key] = room.get(key, 0) + max(0, state.free[uuid])
    for resource_class, source in _stranded(problem, plan, state):
        for (other_class, destination), free in sorted(
                room.items(), key=lambda one: (-one[1], one[0])):
            if other_class == resource_class and free \
                    and not problem.accepts(source, destination) \
                    and problem.could_accept(source, destination):
                yield source, destination


def _rooms(problem: Problem, plan: Plan) -> Iterator[MakeRoom]:
    state = _end(problem, plan)
    for (resource_class, source), hosts in _stranded(
            problem, plan, state).items():
        # On another host than one that they have to leave.
        if any(problem.accepts(source, document)
               for uuid, site in problem.sites.items()
               if site.resource_class == resource_class and site.capacity
               and hosts.keys() - {site.host}
               for document in [state.document[uuid]] if document):
            yield MakeRoom(source, sum(hosts.values()))


def _stranded(problem: Problem, plan: Plan, state: State
              ) -> dict[tuple[str, str], dict[str, int]]:
    """Devices that could not leave, by class and document, by host."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for host, consumer in plan.stranded:
        for uuid, amount in state.parts[consumer]:
            document = state.document[uuid]
            if document is not None:
                key = problem.sites[uuid].resource_class, document
                hosts = found.setdefault(key, {})
                hosts[host] = hosts.get(host, 0) + amount
    return found


def _end(problem: Problem, plan: Plan) -> State:
    """The state after the plan."""
    state = State(problem)
    for step in plan.steps:
        if isinstance(step, Upgrade):
            state.upgrade(step.host)
        else:
            state.move(step.consumer, step.parts)
    return state
