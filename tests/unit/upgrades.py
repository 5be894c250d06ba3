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

"""Small rolling upgrades, and every state that they could reach."""

import dataclasses
import random

from nova_mdev_compat.fleet.planning.problem import Load
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning.problem import Site

CLASS = 'VGPU'
OLD, NEW, OTHER = 'old', 'new', 'other'

#: Pairs of source and destination.
Pairs = set[tuple[str, str]]


def site(uuid: str, host: str, capacity: int = 1, document: str | None = OLD,
         upgraded: str | None = NEW, resource_class: str = CLASS) -> Site:
    return Site(uuid, host, resource_class, capacity, document, upgraded)


def problem(sites: list[Site], held: dict[str, int], pairs: Pairs,
            hosts: set[str] | None = None,
            others: tuple[Load, ...] = ()) -> Problem:
    """A problem with so many single devices on each site."""
    loads = tuple(Load(f'{uuid}-{number}', ((uuid, 1),))
                  for uuid, count in held.items() for number in range(count))
    return Problem(
        {one.uuid: one for one in sites}, loads + others,
        frozenset({one.host for one in sites if one.document != one.upgraded}
                  if hosts is None else hosts),
        lambda source, destination: (source, destination) in pairs)


def over_full(chance: random.Random) -> Problem:
    """The same, but some inventories were made smaller since."""
    problem = random_problem(chance)
    return dataclasses.replace(problem, sites={
        uuid: dataclasses.replace(site, capacity=max(
            0, site.capacity - chance.choice((0, 0, 1, 2))))
        for uuid, site in problem.sites.items()})


def random_problem(chance: random.Random, singles: bool = True) -> Problem:
    """Two to four hosts, with up to six devices in all."""
    documents = ['a', 'b', 'c', None]
    sites = []
    for host in range(chance.randint(2, 4)):
        for number in range(chance.choice((1, 1, 2))):
            document = chance.choices(documents, (4, 4, 2, 1))[0]
            sites.append(site(
                f's{host}{number}', f'h{host}', chance.randint(0, 3),
                document, chance.choice((document, 'a', 'b', 'c', 'd')),
                chance.choice((CLASS, CLASS, CLASS, 'PGPU'))))
    pairs = {(one, other) for one in 'abcd' for other in 'abcd'
             if chance.random() < (0.9 if one == other else 0.4)}
    held = {}
    for one in sites:
        held[one.uuid] = min(one.capacity, chance.randint(0, 2))
    others: tuple[Load, ...] = ()
    if not singles:
        others = tuple(Load(f'o-{one.uuid}', ((one.uuid, 2),))
                       for one in sites if one.capacity - held[one.uuid] > 1
                       and chance.random() < 0.4)
    return problem(sites, held, pairs,
                   {f'h{host}' for host in range(4)
                    if chance.random() < 0.8} & {one.host for one in sites},
                   others)


class BruteForce:
    """Every state that moves and upgrades can reach, one by one."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.sites = list(problem.sites.values())
        self.place = {one.uuid: place for place, one
                      in enumerate(self.sites)}

    def most(self) -> int:
        """How many hosts can be upgraded at most."""
        start = (tuple(sorted(
            tuple(sorted((self.place[uuid], amount)
                         for uuid, amount in load.parts))
            for load in self.problem.loads)), frozenset[str]())
        seen, waiting, best = {start}, [start], 0
        while waiting:
            state = waiting.pop()
            best = max(best, len(state[1]))
            for after in self._next(*state):
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
        return best

    def _next(self, loads, done):
        used = [0] * len(self.sites)
        for parts in loads:
            for place, amount in parts:
                used[place] += amount
        for host in self.problem.hosts - done:
            if not any(used[place] for place, one in enumerate(self.sites)
                       if one.host == host):
                yield loads, done | {host}
        for index, parts in enumerate(loads):
            for after in self._destinations(parts, used, done):
                yield tuple(sorted(
                    (*loads[:index], after, *loads[index + 1:]))), done

    def _destinations(self, parts, used, done):
        # No test has a consumer with more than one site.
        (place, amount), = parts
        one = self.sites[place]
        mine = one.upgraded if one.host in done else one.document
        for other_place, other in enumerate(self.sites):
            theirs = other.upgraded if other.host in done else other.document
            if other.host != one.host and mine and theirs \
                    and other.resource_class == one.resource_class \
                    and used[other_place] + amount <= other.capacity \
                    and self.problem.accepts(mine, theirs):
                yield ((other_place, amount),)
