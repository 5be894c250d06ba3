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

"""A rolling upgrade as a problem: devices, hosts, and what accepts what.

A move depends on two documents at its time: that of the provider that a
device is on, which describes it, and that of the provider that it goes to.
Once there it is a plain device of that provider. So devices have no past,
and two on one provider are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
from typing import TypeAlias

#: Whether a provider with the second document accepts a device of the first.
Accepts: TypeAlias = Callable[[str, str], bool]

#: Amounts of devices by provider.
Parts: TypeAlias = tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """A provider that devices are on.

    :param capacity: how many devices it can have, at most.
    :param document: digest of its document; None: it has no usable one, so
        nothing can be moved there, and nothing from there.
    :param upgraded: digest of the document that it has after the upgrade of
        its host; the same where nothing changes.
    """

    uuid: str
    host: str
    resource_class: str
    capacity: int
    document: str | None
    upgraded: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What one consumer holds, all of it on one host.

    :param parts: amounts by site.
    """

    consumer: str
    parts: Parts

    @property
    def is_single(self) -> bool:
        """Whether it is one device, like most are."""
        return len(self.parts) == 1 and self.parts[0][1] == 1


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """Where everything is, and which hosts are to be upgraded.

    :param sites: by UUID.
    :param hosts: names of the hosts to be upgraded.
    :param could_accept: whether some entry could make one document accept a
        device of the other.
    """

    sites: Mapping[str, Site]
    loads: tuple[Load, ...]
    hosts: frozenset[str]
    accepts: Accepts
    could_accept: Accepts = lambda source, destination: True

    def without(self, *hosts: str) -> Problem:
        """The same, but these hosts stay as they are."""
        return dataclasses.replace(self, hosts=self.hosts - {*hosts})

    def accepting(self, source: str, destination: str) -> Problem:
        """The same, but one document accepts one more kind."""
        accepts = self.accepts

        def more(one: str, other: str) -> bool:
            return (one, other) == (source, destination) \
                or accepts(one, other)
        return dataclasses.replace(self, accepts=more)


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """One live migration.

    :param parts: site before, site after, and how many devices.
    """

    consumer: str
    source: str
    destination: str
    parts: tuple[tuple[str, str, int], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Upgrade:
    """A host, empty by now, gets its new documents."""

    host: str


Step: TypeAlias = Move | Upgrade


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """An order for as many of the hosts as it could be found for.

    :param steps: in order; every consumer has a place after each.
    :param left: hosts that are not upgraded.
    :param stranded: those hosts and the consumers there that could not
        leave them now.
    :param exact: whether a host in `left` is proof that no order has all.
    """

    steps: tuple[Step, ...]
    left: tuple[str, ...] = ()
    stranded: tuple[tuple[str, str], ...] = ()
    exact: bool = False

    @property
    def order(self) -> list[str]:
        """The hosts in the order of their upgrade."""
        return [step.host for step in self.steps if isinstance(step, Upgrade)]

    @property
    def moves(self) -> list[Move]:
        return [step for step in self.steps if isinstance(step, Move)]
