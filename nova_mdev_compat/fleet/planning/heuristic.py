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

"""The heuristic, for fleets of any size.

It empties one host after another, each time the first that can be emptied,
and prefers providers that need not be emptied again. For each host that is a
flow between groups of providers that are alike, and exact but for consumers
with several devices, which go to the first host that takes all of them. What
it does not do is to look ahead: so it is tried with several preferences, and
what it does not find may exist.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses

from nova_mdev_compat.fleet.planning.emptying import Emptying
from nova_mdev_compat.fleet.planning.emptying import Shortfall
from nova_mdev_compat.fleet.planning.groups import Groups
from nova_mdev_compat.fleet.planning.groups import Kind
from nova_mdev_compat.fleet.planning.groups import Mark
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning.state import State


@dataclasses.dataclass(frozen=True, slots=True)
class Preference:
    """How to choose among what is possible.

    :param fewest_first: hosts with the fewest devices first; else those
        whose devices are accepted by the fewest.
    :param settled_first: to hosts that need not be emptied again first.
    """

    fewest_first: bool
    settled_first: bool


PREFERENCES = tuple(Preference(one, other) for one in (True, False)
                    for other in (True, False))


class Attempt:
    """One try, with one preference.

    :param state: where to begin, if not at the beginning.
    """

    def __init__(self, problem: Problem, preference: Preference,
                 state: State | None = None) -> None:
        self.state = State(problem) if state is None else state
        self._preference = preference
        self._groups = Groups(self.state, preference.settled_first)
        # What mattered to a host when it could not be emptied.
        self._failed: dict[str, Mark] = {}

    def run(self, progress: Callable[[str], None]) -> None:
        """Upgrades as many hosts as it can."""
        while self.state.pending:
            host = self._next()
            if host is None:
                return
            self.state.upgrade(host)
            progress(host)

    def shortfalls(self) -> list[Shortfall]:
        """Why the hosts that are left cannot be emptied."""
        self._groups.count()
        return [Emptying(self.state, self._groups, host).shortfall()
                for host in sorted(self.state.pending)]

    def _next(self) -> str | None:
        """Empties some host."""
        self._groups.count()
        for host in self._ranked(self._promising()):
            if Emptying(self.state, self._groups, host).run():
                return host
            self._failed[host] = self._groups.mark(
                self._groups.contents(host).kinds)
        return None

    def _promising(self) -> Iterator[str]:
        """Hosts for which something has changed since they were tried."""
        marks: dict[frozenset[Kind], Mark] = {}
        for host in self.state.pending:
            kinds = self._groups.contents(host).kinds
            if kinds not in marks:
                marks[kinds] = self._groups.mark(kinds)
            if self._failed.get(host) != marks[kinds]:
                yield host

    def _ranked(self, hosts: Iterable[str]) -> list[str]:
        """The hosts in the order to try them."""
        contents, rooms = self._groups.contents, dict[Kind, int]()
        if self._preference.fewest_first:
            return sorted(hosts, key=lambda host: (contents(host).used, host))

        def room(kind: Kind) -> int:
            if kind not in rooms:
                rooms[kind] = self._groups.room_of(kind)
            return rooms[kind]
        return sorted(hosts, key=lambda host: (
            min(map(room, contents(host).singles), default=0), host))
