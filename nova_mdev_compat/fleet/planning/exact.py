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

"""The exact search, for small fleets of single devices.

For one order of hosts, whether it works is a flow through time: a layer for
each state between two upgrades, in which devices go wherever they are
accepted, and from layer to layer every provider keeps at most what it has
room for, and nothing if its host is upgraded in between. So only the orders
have to be tried, and of these only one of each kind: hosts that are alike
can change places.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from collections.abc import Sequence
import math
from typing import TypeAlias

from nova_mdev_compat.fleet.planning import network
from nova_mdev_compat.fleet.planning.network import Flow
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning.state import State

# Edges of all the networks that a search may have to solve: about a minute.
_MOST_EDGES = 4_000_000

#: Sites of a host that are alike: host, class, document before and after.
Cell: TypeAlias = tuple[str, str, str | None, str | None]


class Search:
    """Looks through the orders of a problem's hosts."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._room = collections.Counter[Cell]()
        self._held = collections.Counter[Cell]()
        self._cells: dict[str, Cell] = {}
        for site in problem.sites.values():
            cell = (site.host, site.resource_class, site.document,
                    site.upgraded)
            self._cells[site.uuid] = cell
            self._room[cell] += site.capacity
        for load in problem.loads:
            for uuid, amount in load.parts:
                self._held[self._cells[uuid]] += amount
        self._alike = self._kinds()

    def is_small(self) -> bool:
        """Whether all orders can be looked through: exactness is possible.

        A consumer with several devices is not like another, and a provider
        that has more devices than it can have takes none until some have
        left, which a flow cannot say.
        """
        if not all(load.is_single for load in self._problem.loads) \
                or self._is_over_full():
            return False
        counts = collections.Counter(self._alike.values()).values()
        if sum(counts) > 12:
            return False
        orders = math.factorial(sum(counts))
        for count in counts:
            orders //= math.factorial(count)
        layers = sum(counts) + 1
        # Beginnings of orders are at most e times as many as orders.
        return 3 * orders * layers * len(self._room) ** 2 <= _MOST_EDGES

    def _is_over_full(self) -> bool:
        """Whether an inventory was made smaller than what is in use."""
        held = collections.Counter[str]()
        for load in self._problem.loads:
            held.update(dict(load.parts))
        return any(held[site.uuid] > site.capacity
                   for site in self._problem.sites.values())

    def best(self) -> list[str]:
        """An order of as many hosts as can be upgraded at all."""
        best: list[str] = []
        for order in self._orders([]):
            if len(order) > len(best):
                best = order
            if len(best) == len(self._alike):
                break
        return best

    def steps(self, order: Sequence[str]) -> State:
        """A state in which the order has been followed."""
        value, flow = self._flow(order)
        assert value == len(self._problem.loads)
        state = State(self._problem)
        for number, host in enumerate(order):
            self._follow(state, _layer(flow, number))
            state.upgrade(host)
        return state

    def _kinds(self) -> dict[str, tuple[object, ...]]:
        """What tells the hosts that are to be upgraded apart."""
        found: dict[str, tuple[object, ...]] = {}
        for host in sorted(self._problem.hosts):
            found[host] = tuple(sorted(
                (str(cell[1:]), room, self._held[cell])
                for cell, room in self._room.items() if cell[0] == host))
        return found

    def _orders(self, begun: list[str]) -> Iterator[list[str]]:
        """Orders that work, each after its own beginning."""
        if begun and self._flow(begun)[0] < len(self._problem.loads):
            return
        yield begun
        tried = set()
        for host, kind in self._alike.items():
            if host not in begun and kind not in tried:
                tried.add(kind)
                yield from self._orders([*begun, host])

    def _flow(self, order: Sequence[str]) -> tuple[int, Flow]:
        last = len(order)
        return network.largest(
            {(cell, 0): held for cell, held in self._held.items() if held},
            {(cell, last): room for cell, room in self._room.items()
             if room}, self._edges(order))

    def _edges(self, order: Sequence[str]
               ) -> Iterator[tuple[tuple[Cell, int], tuple[Cell, int],
                                   int | None]]:
        cells = [cell for cell, room in self._room.items() if room]
        for layer, host in enumerate(order):
            for one in cells:
                if one[0] != host:
                    yield (one, layer), (one, layer + 1), self._room[one]
                for other in cells:
                    if self._accepts(one, other, order[:layer]):
                        yield (one, layer), (other, layer), None

    def _accepts(self, one: Cell, other: Cell, done: Sequence[str]) -> bool:
        mine, theirs = (cell[3] if cell[0] in done else cell[2]
                        for cell in (one, other))
        return (one[0] != other[0] and one[1] == other[1]
                and mine is not None and theirs is not None
                and self._problem.accepts(mine, theirs))

    def _follow(self, state: State, flow: Flow) -> None:
        sites: dict[Cell, list[str]] = {}
        for uuid, cell in self._cells.items():
            sites.setdefault(cell, []).append(uuid)

        def move(one: object, other: object) -> bool:
            assert isinstance(one, tuple) and isinstance(other, tuple)
            source = next((uuid for uuid in sites[one]
                           if state.singles[uuid]), None)
            destination = next((uuid for uuid in sites[other]
                                if state.free[uuid] > 0), None)
            if source is None or destination is None:
                return False
            state.move_single(source, destination)
            return True
        done = network.follow(network.without_cycles(flow), move)
        assert done


def _layer(flow: Flow, number: int) -> Flow:
    """What moves between two upgrades."""
    return {node[0]: {other[0]: amount for other, amount in onward.items()
                      if other[1] == number}
            for node, onward in flow.items() if node[1] == number}
