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

"""Where everything is while a plan is made or followed."""

from __future__ import annotations

from nova_mdev_compat.fleet.planning.problem import Load
from nova_mdev_compat.fleet.planning.problem import Move
from nova_mdev_compat.fleet.planning.problem import Parts
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning.problem import Site
from nova_mdev_compat.fleet.planning.problem import Step
from nova_mdev_compat.fleet.planning.problem import Upgrade


class State:
    """The sites' devices and documents, changed by one step after another."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.document = {uuid: site.document
                         for uuid, site in problem.sites.items()}
        self.free = {uuid: site.capacity
                     for uuid, site in problem.sites.items()}
        self.parts: dict[str, Parts] = {}
        #: Consumers with a single device, and others, by site.
        self.singles: dict[str, list[str]] = {
            uuid: [] for uuid in problem.sites}
        self.others: dict[str, list[str]] = {}
        self.steps: list[Step] = []
        self.pending = set(problem.hosts)
        #: Sites that have changed since somebody has looked.
        self.touched = {*problem.sites}
        self.of_host: dict[str, list[Site]] = {}
        for site in problem.sites.values():
            self.of_host.setdefault(site.host, []).append(site)
        for load in problem.loads:
            self._put(load)

    def _put(self, load: Load) -> None:
        self.parts[load.consumer] = load.parts
        for uuid, amount in load.parts:
            self.free[uuid] -= amount
            self.touched.add(uuid)
        if load.is_single:
            self.singles[load.parts[0][0]].append(load.consumer)
        else:
            host = self.problem.sites[load.parts[0][0]].host
            self.others.setdefault(host, []).append(load.consumer)

    def accepts(self, source: str, destination: str) -> bool:
        """Whether a device on one site could be moved to another now."""
        one, other = (self.problem.sites[uuid]
                      for uuid in (source, destination))
        mine, theirs = self.document[source], self.document[destination]
        return (one.host != other.host and mine is not None
                and theirs is not None
                and one.resource_class == other.resource_class
                and self.problem.accepts(mine, theirs))

    def move_single(self, source: str, destination: str) -> None:
        """Moves some single device."""
        self._move(self.singles[source][-1],
                   ((source, destination, 1),))

    def move(self, consumer: str,
             parts: tuple[tuple[str, str, int], ...]) -> None:
        """Moves a consumer's devices, all of them."""
        self._move(consumer, parts)

    def _move(self, consumer: str,
              parts: tuple[tuple[str, str, int], ...]) -> None:
        sites = self.problem.sites
        source, destination = (sites[uuid].host for uuid in parts[0][:2])
        before = Load(consumer, self.parts[consumer])
        if before.is_single:
            self.singles[before.parts[0][0]].remove(consumer)
        else:
            self.others[source].remove(consumer)
        for uuid, amount in before.parts:
            self.free[uuid] += amount
            self.touched.add(uuid)
        self._put(Load(consumer, tuple(
            (there, amount) for _, there, amount in parts)))
        self.steps.append(Move(consumer, source, destination, parts))

    def undo(self, steps: int) -> None:
        """Takes back the last moves.

        :param steps: how many steps are left.
        """
        while len(self.steps) > steps:
            step = self.steps.pop()
            assert isinstance(step, Move)
            self._move(step.consumer, tuple(
                (after, before, amount)
                for before, after, amount in step.parts))
            self.steps.pop()

    def upgrade(self, host: str) -> None:
        """Gives the sites of a host their new documents."""
        for site in self.of_host[host]:
            self.document[site.uuid] = site.upgraded
            self.touched.add(site.uuid)
        self.pending.discard(host)
        self.steps.append(Upgrade(host))
