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

"""Following a plan step by step, to see whether it holds.

It shares nothing with the search but the problem: what is checked here was
not computed there.
"""

from __future__ import annotations

import collections

from nova_mdev_compat.fleet.planning.problem import Move
from nova_mdev_compat.fleet.planning.problem import Plan
from nova_mdev_compat.fleet.planning.problem import Problem


class InvalidPlan(Exception):
    """A step cannot be done.

    :param number: of the step, from 0.
    """

    def __init__(self, number: int, why: str) -> None:
        self.number = number
        super().__init__(f'step {number + 1}: {why}')


class _Replay:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.documents = {uuid: site.document
                          for uuid, site in problem.sites.items()}
        self.held = {load.consumer: dict(load.parts)
                     for load in problem.loads}
        self.used = collections.Counter[str]()
        for held in self.held.values():
            self.used.update(held)
        self.upgraded: set[str] = set()

    def move(self, move: Move) -> str:
        """Does it, and says what is wrong with it, if anything."""
        sites, leaving = self.problem.sites, collections.Counter[str]()
        for before, after, amount in move.parts:
            leaving[before] += amount
            if sites[before].host != move.source \
                    or sites[after].host != move.destination:
                return 'a part is on another host'
            why = self._refusal(before, after)
            if why:
                return why
        if move.source == move.destination:
            return 'it stays on its host'
        if dict(leaving) != self.held.get(move.consumer):
            return f'{move.consumer} holds something else'
        arriving = collections.Counter[str]()
        for _, after, amount in move.parts:
            arriving[after] += amount
        self.held[move.consumer] = dict(arriving)
        self.used.subtract(leaving)
        self.used.update(arriving)
        full = [uuid for uuid in arriving
                if self.used[uuid] > sites[uuid].capacity]
        return f'{", ".join(full)} would be over-full' if full else ''

    def _refusal(self, before: str, after: str) -> str:
        source, destination = self.documents[before], self.documents[after]
        one, other = (self.problem.sites[uuid] for uuid in (before, after))
        if one.resource_class != other.resource_class:
            return 'the resource class is another one'
        if source is None or destination is None:
            return 'one end has no document'
        if not self.problem.accepts(source, destination):
            return f'{after} does not accept a device of {before}'
        return ''

    def upgrade(self, host: str) -> str:
        if host not in self.problem.hosts or host in self.upgraded:
            return f'{host} is not to be upgraded'
        self.upgraded.add(host)
        for uuid, site in self.problem.sites.items():
            if site.host == host:
                if self.used[uuid]:
                    return f'{host} is not empty'
                self.documents[uuid] = site.upgraded
        return ''


def check(problem: Problem, plan: Plan) -> None:
    """Follows a plan from the beginning to the end.

    :raises InvalidPlan: a step cannot be done, or a host is forgotten.
    """
    replay = _Replay(problem)
    for number, step in enumerate(plan.steps):
        why = replay.move(step) if isinstance(step, Move) \
            else replay.upgrade(step.host)
        if why:
            raise InvalidPlan(number, why)
    if replay.upgraded | {*plan.left} != problem.hosts:
        raise InvalidPlan(len(plan.steps), 'hosts are forgotten')
