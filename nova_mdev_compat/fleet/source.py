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

"""What a server holds, as placement says it, before and during a move."""

from __future__ import annotations

import collections
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses

from nova_mdev_compat.fleet.explanation import HeldDevice
from nova_mdev_compat.fleet.explanation import Offered
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement import offers

#: Amounts by resource class, by provider.
Allocations = Mapping[str, Mapping[str, int]]

_ADVICE = ('While a server is moved its source devices are held by the '
           "migration's UUID: openstack server migration list --server "
           'SERVER shows it')


class NotFound(LookupError):
    """A consumer holds nothing that could be explained; says what to do."""


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """What a consumer holds in one tree.

    :param consumer: UUID of the server, or of its migration.
    :param devices: at least one.
    :param common: what else it holds there, in all, by resource class.
    """

    consumer: str
    devices: tuple[HeldDevice, ...]
    common: Mapping[str, int]

    @property
    def host(self) -> str:
        return self.devices[0].provider.host


def find(fleet: Fleet, consumer: str, allocations: Allocations,
         host: str | None = None) -> Source:
    """The source of a move.

    :param host: whose devices are meant, where the consumer holds some on
        several: an evacuated server still holds those of the dead host.
    :raises NotFound: it holds no devices, or on several hosts.
    """
    if not allocations:
        raise NotFound(
            f'{consumer} holds nothing in placement: there is no such server '
            f'or migration, or it is being moved. {_ADVICE}')
    devices = [HeldDevice(provider, amount)
               for uuid, held in allocations.items()
               for name, amount in held.items()
               for provider in [fleet.of(uuid, name)] if provider is not None]
    if not devices:
        raise NotFound(
            f'{consumer} holds no device, so its moves are not judged; it '
            f'holds {_words(_sums(allocations))}. {_ADVICE}')
    chosen = _on_one_host(consumer, devices, host)
    common = _sums(_of_tree(fleet, allocations, chosen[0].provider.root))
    for one in devices:
        common.pop(one.provider.resource_class, None)
    return Source(consumer, tuple(chosen), common)


def _of_tree(fleet: Fleet, allocations: Allocations,
             root: str) -> Allocations:
    """What is held in a tree, or in none of the trees with devices."""
    roots = {uuid: one.root for one in fleet.providers
             for uuid in (one.uuid, one.root)}
    return {uuid: held for uuid, held in allocations.items()
            if roots.get(uuid, root) == root}


def _on_one_host(consumer: str, devices: Sequence[HeldDevice],
                 host: str | None) -> list[HeldDevice]:
    hosts = sorted({one.provider.host for one in devices})
    if host is None and len(hosts) == 1:
        return list(devices)
    if host is None:
        raise NotFound(
            f'{consumer} holds devices on several hosts: {", ".join(hosts)}. '
            'An evacuated server holds those of the dead host too. Say which '
            'is its source with --source-host')
    chosen = [one for one in devices if one.provider.host == host]
    if not chosen:
        raise NotFound(f'{consumer} holds no device on {host}, but on '
                       f'{", ".join(hosts)}')
    return chosen


def ask_offers(client: Client, source: Source, limit: int,
               deadline: Callable[[], Deadline]) -> Offered:
    """What placement offers for the move: at most what Nova gets, and all.

    One request, or two where the limit is reached.
    """
    devices = [{one.provider.resource_class: one.amount}
               for one in source.devices]
    limited = offers.ask(client, source.common, devices, limit, deadline())
    every = offers.ask(client, source.common, devices, None, deadline()) \
        if limited.cut else limited
    return Offered(limited, every, _words(source.common), limit)


def _sums(allocations: Allocations) -> dict[str, int]:
    found: collections.Counter[str] = collections.Counter()
    for held in allocations.values():
        found.update(held)
    return dict(found)


def _words(amounts: Mapping[str, int]) -> str:
    return ', '.join(f'{name} {amount}'
                     for name, amount in sorted(amounts.items()))
