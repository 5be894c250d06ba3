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

"""Providers that are alike, in groups: what the heuristic counts with."""

from __future__ import annotations

import collections
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
from typing import TypeAlias

from nova_mdev_compat.fleet.planning.problem import Site
from nova_mdev_compat.fleet.planning.state import State

#: Sites that are alike: class, document now, and whether their hosts are
#: still to be upgraded.
Group: TypeAlias = tuple[str, str, bool]

#: Single devices that are alike: class and document.
Kind: TypeAlias = tuple[str, str]

#: What tells whether anything has changed that matters to some kinds.
Mark: TypeAlias = tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Contents:
    """What is on a host.

    :param singles: single devices of each kind.
    :param others: kinds of the devices of consumers that hold several.
    :param used: devices in all.
    :param has_unknown: whether some are on a site without a document: of
        these nothing is known, so they cannot be moved.
    :param free: what is free on its sites, by group.
    """

    singles: Mapping[Kind, int]
    others: frozenset[Kind]
    used: int
    has_unknown: bool
    free: Mapping[Group, int]

    @property
    def kinds(self) -> frozenset[Kind]:
        return self.others.union(self.singles)


class Groups:
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
        self._changes = collections.Counter[Group]()
        # Sites with something free, and others; full ones are taken off.
        self._open: dict[Group, list[Site]] = {}
        self._choices: dict[Kind, list[Group]] = {}
        self._reach: dict[Kind, frozenset[Group]] = {}
        self._contents: dict[str, Contents] = {}

    def count(self) -> None:
        """Looks at what has changed since it looked last."""
        for uuid in sorted(self._state.touched):
            site = self._state.problem.sites[uuid]
            self._contents.pop(site.host, None)
            before = self._counted.pop(uuid, None)
            if before is not None:
                group, free, singles = before
                self._free[group] -= free
                self.singles[group] -= singles
                self._changes[group] += 1
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
        self._changes[group] += 1
        if group not in self.sites:
            self.sites[group], self._open[group] = {}, []
            self._choices.clear()
            self._reach.clear()
        self.sites[group][site.uuid] = site
        if free:
            self._open[group].append(site)

    def contents(self, host: str) -> Contents:
        """What is on a host, as it was counted last."""
        found = self._contents.get(host)
        if found is None:
            found = self._contents[host] = self._look_at(host)
        return found

    def _look_at(self, host: str) -> Contents:
        state = self._state
        singles = collections.Counter[Kind]()
        free = collections.Counter[Group]()
        used, has_unknown = 0, False
        for site in state.of_host[host]:
            held = site.capacity - state.free[site.uuid]
            used += held
            document = state.document[site.uuid]
            if document is None:
                has_unknown = has_unknown or held > 0
            elif state.singles[site.uuid]:
                singles[site.resource_class, document] += len(
                    state.singles[site.uuid])
            if site.uuid in self._counted:
                group, amount, _ = self._counted[site.uuid]
                free[group] += amount
        return Contents(singles, frozenset(
            (state.problem.sites[uuid].resource_class, document)
            for consumer in state.others.get(host, ())
            for uuid, _ in state.parts[consumer]
            for document in [state.document[uuid]] if document is not None),
            used, has_unknown, free)

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

    def reach(self, kind: Kind) -> frozenset[Group]:
        """The groups whose room could serve a device, by way of others."""
        found = self._reach.get(kind)
        if found is None:
            seen = set(self.choices(kind))
            waiting = [*seen]
            while waiting:
                new = {*self.choices(waiting.pop()[:2])} - seen
                seen |= new
                waiting += new
            found = self._reach[kind] = frozenset(seen)
        return found

    def reach_of(self, kinds: Iterable[Kind]) -> frozenset[Group]:
        """The groups whose room could serve any of some kinds."""
        return frozenset().union(*map(self.reach, kinds))

    def mark(self, kinds: Iterable[Kind]) -> Mark:
        """Another one as soon as some kind may fare otherwise."""
        return (len(self.sites), *(
            self._changes[group]
            for group in sorted(self.reach_of(kinds))))

    def has_room(self, contents: Contents) -> bool:
        """Whether a host's single devices are not too many for the room that
        is within their reach: if they are, no flow has to be looked for.
        """
        wanted = [([kind], count) for kind, count in contents.singles.items()]
        if len(wanted) > 1:
            wanted.append(([*contents.singles],
                           sum(contents.singles.values())))
        return all(
            count <= sum(self._free[group] - contents.free.get(group, 0)
                         for group in self.reach_of(kinds))
            for kinds, count in wanted)

    def room(self, group: Group, but: str) -> int:
        """Free devices of a group outside a host."""
        return self._free[group] - self.contents(but).free.get(group, 0)

    def room_of(self, kind: Kind) -> int:
        """Free devices that accept one of a kind."""
        return sum(self._free[group] for group in self.choices(kind))

    def open_hosts(self, kind: Kind) -> set[str]:
        """Hosts that have something free that accepts one of a kind."""
        return {site.host for group in self.choices(kind)
                for site in self._open[group] if self._is_open(site, group)}

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
