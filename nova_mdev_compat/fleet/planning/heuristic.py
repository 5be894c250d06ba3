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

import collections
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import itertools
from typing import Any
from typing import TypeAlias

from nova_mdev_compat.fleet.planning import network
from nova_mdev_compat.fleet.planning.network import Flow
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning.problem import Site
from nova_mdev_compat.fleet.planning.state import State

#: Sites that are alike: class, document now, and whether their hosts are
#: still to be upgraded. A host that is being emptied has groups of its own.
Group: TypeAlias = tuple[str, str, bool]


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


#: Single devices that are alike: class and document.
Kind: TypeAlias = tuple[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Shortfall:
    """What could not leave a host.

    :param missing: how many single devices of each kind.
    :param others: consumers with several devices.
    """

    host: str
    missing: Mapping[Kind, int]
    others: tuple[str, ...] = ()

    def consumers(self, state: State) -> Iterator[str]:
        """Who stays: any of those that are alike."""
        yield from self.others
        for site in state.of_host[self.host]:
            if state.document[site.uuid] is None:
                yield from state.singles[site.uuid]
        for kind, count in self.missing.items():
            yield from itertools.islice(
                (consumer for site in _of_kind(state, self.host, kind)
                 for consumer in state.singles[site.uuid]), count)


class Attempt:
    """One try, with one preference.

    :param state: where to begin, if not at the beginning.
    """

    def __init__(self, problem: Problem, preference: Preference,
                 state: State | None = None) -> None:
        self.state = State(problem) if state is None else state
        self._preference = preference
        self._groups = _Groups(self.state, preference.settled_first)
        self.shortfalls: list[Shortfall] = []

    def run(self, progress: Callable[[str], None]) -> None:
        """Upgrades as many hosts as it can."""
        while self.state.pending:
            host = self._next()
            if host is None:
                return
            self.state.upgrade(host)
            progress(host)

    def _next(self) -> str | None:
        """Empties some host."""
        self.shortfalls = []
        groups = self._groups
        groups.count()
        failed: dict[tuple[object, ...], Shortfall] = {}
        for host in sorted(self.state.pending, key=self._rank(groups)):
            # Where one host failed, one like it does too.
            kind = self._kind(host)
            shortfall = failed.get(kind) or Emptying(
                self.state, groups, host).run()
            if shortfall is None:
                return host
            failed[kind] = shortfall
            self.shortfalls.append(dataclasses.replace(shortfall, host=host))
        return None

    def _rank(self, groups: _Groups) -> Callable[[str], tuple[int, str]]:
        def rank(host: str) -> tuple[int, str]:
            sites = self.state.of_host[host]
            if self._preference.fewest_first:
                return sum(site.capacity - self.state.free[site.uuid]
                           for site in sites), host
            return min((groups.room_for(site) for site in sites
                        if self.state.singles[site.uuid]), default=0), host
        return rank

    def _kind(self, host: str) -> tuple[object, ...]:
        if self.state.others.get(host):
            return (host,)
        return tuple(sorted(
            (site.resource_class, str(self.state.document[site.uuid]),
             str(site.upgraded), self.state.free[site.uuid], site.capacity)
            for site in self.state.of_host[host]))


class _Groups:
    """The sites of a state by group.

    What follows from the state is kept and mended, since a large fleet has
    thousands of sites, of which a step changes a few.
    """

    def __init__(self, state: State, settled_first: bool) -> None:
        self._state = state
        self._settled_first = settled_first
        self._counted: dict[str, tuple[Group, int, int]] = {}
        #: Sites by UUID, by group.
        self.sites: dict[Group, dict[str, Site]] = {}
        self.singles = collections.Counter[Group]()
        self._free = collections.Counter[Group]()
        # Sites with something free, and others; full ones are taken off.
        self._open: dict[Group, list[Site]] = {}
        self._choices: dict[Kind, list[Group]] = {}

    def count(self) -> None:
        """Looks at what has changed since it looked last."""
        for uuid in sorted(self._state.touched):
            site = self._state.problem.sites[uuid]
            before = self._counted.pop(uuid, None)
            if before is not None:
                group, free, singles = before
                self._free[group] -= free
                self.singles[group] -= singles
                del self.sites[group][uuid]
            document = self._state.document[uuid]
            if document is not None and site.capacity:
                self._count(site, (site.resource_class, document,
                                   site.host in self._state.pending))
        self._state.touched.clear()

    def _count(self, site: Site, group: Group) -> None:
        free = max(0, self._state.free[site.uuid])
        singles = len(self._state.singles[site.uuid])
        self._counted[site.uuid] = group, free, singles
        self._free[group] += free
        self.singles[group] += singles
        if group not in self.sites:
            self.sites[group], self._open[group] = {}, []
            self._choices.clear()
        self.sites[group][site.uuid] = site
        if free:
            self._open[group].append(site)

    def choices(self, kind: Kind) -> list[Group]:
        """The groups that accept a device, the preferred first."""
        found = self._choices.get(kind)
        if found is None:
            accepts = self._state.problem.accepts
            found = self._choices[kind] = sorted(
                (group for group in self.sites if group[0] == kind[0]
                 and accepts(kind[1], group[1])),
                key=lambda group: (group[2] is self._settled_first, group))
        return found

    def room(self, group: Group, but: str) -> int:
        """Free devices of a group outside a host."""
        return self._free[group] - sum(
            free for site in self._state.of_host[but]
            for its, free, _ in [self._counted.get(site.uuid, (None, 0, 0))]
            if its == group)

    def room_for(self, site: Site) -> int:
        """Free devices for one of a site's."""
        document = self._state.document[site.uuid]
        return 0 if document is None else sum(
            self.room(group, site.host)
            for group in self.choices((site.resource_class, document)))

    def find_room(self, group: Group, but: Collection[str]) -> Site | None:
        """A site with something free, outside some hosts."""
        sites = self._open[group]
        while sites and not self._is_open(sites[-1], group):
            sites.pop()
        return next((site for site in reversed(sites)
                     if self._is_open(site, group) and site.host not in but),
                    None)

    def _is_open(self, site: Site, group: Group) -> bool:
        counted = self._counted.get(site.uuid)
        return self._state.free[site.uuid] > 0 \
            and counted is not None and counted[0] == group

    def move(self, source: Site, destination: Site) -> None:
        """Moves a single device."""
        self._state.move_single(source.uuid, destination.uuid)
        counted = self._counted.get(source.uuid)
        if counted is not None:
            self._open[counted[0]].append(source)


class Emptying:
    """Emptying one host."""

    def __init__(self, state: State, groups: _Groups, host: str) -> None:
        self._state = state
        self._groups = groups
        self._host = host

    def run(self) -> Shortfall | None:
        """Empties it, or says what stays."""
        supplies = self._supplies()
        flow, missing = self._flow(supplies)
        if missing or self._has_unknown():
            return Shortfall(self._host, missing)
        if self._state.others.get(self._host):
            others = self._move_others()
            self._groups.count()
            flow, missing = self._flow(supplies)
            if others or missing:
                return Shortfall(self._host, missing, tuple(others))
        if network.follow(flow, self._move):
            return None
        # The only room was on the host of what should have gone there.
        self._groups.count()
        return Shortfall(self._host, self._supplies())

    def _has_unknown(self) -> bool:
        """Whether devices are there that nothing is known of."""
        return any(self._state.document[site.uuid] is None
                   and self._state.free[site.uuid] < site.capacity
                   for site in self._state.of_host[self._host])

    def _supplies(self) -> dict[Kind, int]:
        """Single devices of the host, by class and document."""
        found = collections.Counter[Kind]()
        for site in self._state.of_host[self._host]:
            document = self._state.document[site.uuid]
            if document is not None and self._state.singles[site.uuid]:
                found[site.resource_class, document] += len(
                    self._state.singles[site.uuid])
        return found

    def _flow(self, supplies: dict[Kind, int]
              ) -> tuple[Flow, dict[Kind, int]]:
        """Where the devices go, and how many of each kind cannot."""
        direct = self._direct(supplies)
        if direct is not None:
            return direct, {}
        groups = self._groups.sites
        edges: list[tuple[Any, Any, int | None]] = [
            (kind, group, None) for kind in supplies
            for group in self._groups.choices(kind)]
        # Where a way leads over a full group, one of its own goes on first.
        edges += [(group, other, None) for group in groups
                  if self._groups.singles[group]
                  for other in self._groups.choices(group[:2])
                  if other != group]
        rooms = {group: self._groups.room(group, self._host)
                 for group in groups}
        _, flow = network.largest(supplies, rooms, edges)
        missing = {kind: count - sum(flow.get(kind, {}).values())
                   for kind, count in supplies.items()}
        return network.without_cycles(flow), {
            kind: count for kind, count in missing.items() if count}

    def _direct(self, supplies: dict[Kind, int]) -> Flow | None:
        """All devices straight to the preferred groups, if that fits."""
        rooms: dict[Group, int] = {}
        flow: Flow = {}
        for kind in sorted(supplies, key=lambda kind: len(
                self._groups.choices(kind))):
            left = supplies[kind]
            flow[kind] = {}
            for group in self._groups.choices(kind):
                if not left:
                    break
                room = rooms.setdefault(
                    group, self._groups.room(group, self._host))
                taken = min(room, left)
                flow[kind][group] = taken
                rooms[group] -= taken
                left -= taken
            if left:
                return None
        return flow

    def _move(self, one: Any, group: Any) -> bool:
        """Moves one single device to a group."""
        for source in self._sources(one):
            if self._state.singles[source.uuid]:
                destination = self._groups.find_room(
                    group, (self._host, source.host))
                if destination is not None:
                    self._groups.move(source, destination)
                    return True
        return False

    def _sources(self, one: Any) -> Iterator[Site]:
        """The host's own sites of a kind, or the others' of a group."""
        if len(one) == 2:
            return _of_kind(self._state, self._host, one)
        return (site for site in self._groups.sites[one].values()
                if site.host != self._host)

    def _move_others(self) -> list[str]:
        """Moves consumers with several devices; says which cannot."""
        left = []
        hosts = self._hosts()
        for consumer in list(self._state.others.get(self._host, ())):
            for host in hosts:
                parts = _fit(self._state, self._state.parts[consumer],
                             self._state.of_host[host])
                if parts is not None:
                    self._state.move(consumer, parts)
                    break
            else:
                left.append(consumer)
        return left

    def _hosts(self) -> list[str]:
        """The other hosts, those that need not be emptied again first."""
        return sorted((host for host in self._state.of_host
                       if host != self._host),
                      key=lambda host: (host in self._state.pending, host))


def _of_kind(state: State, host: str, kind: Kind) -> Iterator[Site]:
    for site in state.of_host[host]:
        if (site.resource_class, state.document[site.uuid]) == kind:
            yield site


def _fit(state: State, parts: Sequence[tuple[str, int]],
         sites: Sequence[Site]) -> tuple[tuple[str, str, int], ...] | None:
    """Which sites of a host take the parts; None: they do not."""
    if not parts:
        return ()
    (uuid, amount), *rest = parts
    for site in sites:
        if state.free[site.uuid] >= amount and state.accepts(uuid, site.uuid):
            state.free[site.uuid] -= amount
            found = _fit(state, rest, sites)
            state.free[site.uuid] += amount
            if found is not None:
                return (uuid, site.uuid, amount), *found
    return None
