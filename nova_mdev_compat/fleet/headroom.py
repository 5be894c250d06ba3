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

"""How many providers would take a device of each kind now."""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses

from nova_mdev_compat.fleet import kinds
from nova_mdev_compat.fleet.kinds import Kind
from nova_mdev_compat.fleet.providers import DeviceProvider
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.placement.verdicts import Question
from nova_mdev_compat.placement.verdicts import Verdicts


@dataclasses.dataclass(frozen=True, slots=True)
class Headroom:
    """Of one document in use.

    :param carrying: the providers that carry it.
    :param accepting: the providers that accept a device of its kind.
    :param with_room: those of them that have a free one.
    :param stuck: those of `carrying` whose devices have nowhere to go: all
        room there is, is on their own host.
    """

    kind: Kind
    carrying: tuple[DeviceProvider, ...]
    accepting: tuple[DeviceProvider, ...]
    with_room: tuple[DeviceProvider, ...]
    stuck: tuple[DeviceProvider, ...]

    @property
    def used(self) -> int:
        """Devices of the kind that consumers hold."""
        return sum(one.capacity.used for one in self.carrying)

    @property
    def free(self) -> int:
        """Devices that could be made for one more of the kind."""
        return sum(one.capacity.free for one in self.with_room)

    @property
    def stranded(self) -> int:
        """Devices that could not move now, not even one by one."""
        return sum(one.capacity.used for one in self.stuck)

    @property
    def is_none(self) -> bool:
        """Whether some device of the kind would have nowhere to go."""
        return not self.with_room or bool(self.stuck)


def measure(fleet: Fleet, question: Question,
            verdicts: Verdicts) -> list[Headroom]:
    """The headroom of each usable document in use, those with none first."""
    found = [_of(kind, fleet, question, verdicts)
             for kind in kinds.kinds(fleet.documents)]
    # Sorting keeps like kinds together where the numbers are equal.
    return sorted(found, key=lambda one: (
        not one.is_none, not one.stranded, len(one.with_room)))


def _of(kind: Kind, fleet: Fleet, question: Question,
        verdicts: Verdicts) -> Headroom:
    carrying = tuple(fleet.carrying(kind.digest))
    classes = {one.resource_class for one in carrying}
    accepts = {
        digest for digest, document in fleet.documents.items()
        if verdicts.of(question, kind.digest, fleet.documents[kind.digest],
                       digest, document).accepted}
    accepting = tuple(one for one in fleet.providers
                      if one.document is not None and one.digest in accepts
                      and one.resource_class in classes)
    with_room = tuple(one for one in accepting if one.capacity.free)
    return Headroom(kind, carrying, accepting, with_room,
                    tuple(_stuck(carrying, with_room)))


def _stuck(carrying: tuple[DeviceProvider, ...],
           with_room: tuple[DeviceProvider, ...]
           ) -> Iterator[DeviceProvider]:
    roots = {(one.root, one.resource_class) for one in with_room}
    for provider in carrying:
        elsewhere = any(root != provider.root
                        and name == provider.resource_class
                        for root, name in roots)
        if provider.capacity.used and not elsewhere:
            yield provider
