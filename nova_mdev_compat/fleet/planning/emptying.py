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

"""Emptying one host, as a flow between groups of providers."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import itertools
from typing import Any

from nova_mdev_compat.fleet.planning.groups import Group
from nova_mdev_compat.fleet.planning.groups import Groups
from nova_mdev_compat.fleet.planning.groups import Kind
from nova_mdev_compat.fleet.planning import network
from nova_mdev_compat.fleet.planning.network import Flow
from nova_mdev_compat.fleet.planning.problem import Site
from nova_mdev_compat.fleet.planning.state import State


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


class Emptying:
    """Emptying one host, or finding out why that is not possible.

    :param groups: they count what the state has, before and afterwards.
    """

    def __init__(self, state: State, groups: Groups, host: str) -> None:
        self._state = state
        self._groups = groups
        self._host = host

    def run(self) -> bool:
        """Empties it; else everything is left as it was."""
        contents = self._groups.contents(self._host)
        if contents.has_unknown or not self._groups.has_room(contents):
            return False
        before = len(self._state.steps)
        if self._move_others(patient=False) or not self._move_singles():
            self._undo(before)
            return False
        return True

    def shortfall(self) -> Shortfall:
        """What could not leave it; everything is left as it was."""
        before = len(self._state.steps)
        others = self._move_others(patient=True)
        flow, missing = self._flow()
        if not missing and not others and not network.follow(
                flow, self._move):
            # The only room was on the host of what should have gone there.
            self._undo(before)
            missing = dict(self._groups.contents(self._host).singles)
        self._undo(before)
        return Shortfall(self._host, missing, tuple(others))

    def _undo(self, steps: int) -> None:
        self._state.undo(steps)
        self._groups.count()

    def _move_singles(self) -> bool:
        flow, missing = self._flow()
        return not missing and network.follow(flow, self._move)

    def _flow(self) -> tuple[Flow, dict[Kind, int]]:
        """Where single devices go, and how many of each kind cannot."""
        supplies = self._groups.contents(self._host).singles
        direct = self._direct(supplies)
        if direct is not None:
            return direct, {}
        groups = self._groups.reach_of(supplies)
        edges: list[tuple[Any, Any, int | None]] = [
            (kind, group, None) for kind in supplies
            for group in self._groups.choices(kind)]
        # Where a way leads over a full group, one of its own goes on first.
        edges += [(group, other, None) for group in sorted(groups)
                  if self._groups.singles[group]
                  for other in self._groups.choices(group[:2])
                  if other != group]
        rooms = {group: self._groups.room(group, self._host)
                 for group in sorted(groups)}
        _, flow = network.largest(supplies, rooms, edges)
        missing = {kind: count - sum(flow.get(kind, {}).values())
                   for kind, count in supplies.items()}
        return network.without_cycles(flow), {
            kind: count for kind, count in missing.items() if count}

    def _direct(self, supplies: Mapping[Kind, int]) -> Flow | None:
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

    def _move_others(self, patient: bool) -> list[str]:
        """Moves consumers with several devices, and says which cannot.

        :param patient: whether to go on after the first that cannot.
        """
        left: list[str] = []
        for consumer in list(self._state.others.get(self._host, ())):
            parts = self._find_host(self._state.parts[consumer])
            if parts is None:
                left.append(consumer)
                if not patient:
                    return left
            else:
                self._state.move(consumer, parts)
                self._groups.count()
        return left

    def _find_host(self, parts: Sequence[tuple[str, int]]
                   ) -> tuple[tuple[str, str, int], ...] | None:
        """Room for all parts on one host; those first that need not be
        emptied again.
        """
        uuid, _ = parts[0]
        document = self._state.document[uuid]
        if document is None:
            return None
        kind = self._state.problem.sites[uuid].resource_class, document
        pending = self._state.pending
        for host in sorted(self._groups.open_hosts(kind) - {self._host},
                           key=lambda host: (host in pending, host)):
            found = _fit(self._state, parts, self._state.of_host[host])
            if found is not None:
                return found
        return None


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
