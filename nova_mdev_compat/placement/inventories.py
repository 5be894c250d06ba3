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

"""Who has how many devices: providers, their capacity, their consumers.

For questions about the whole cloud; the filter asks none of these. Source of
the paths and their answers: the placement API reference, microversion 1.39.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import dataclasses
from typing import TypeAlias

from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import Unreachable


@dataclasses.dataclass(frozen=True, slots=True)
class NamedProvider:
    """A resource provider.

    :param root: UUID of the root of its tree, a compute node as a rule.
    """

    uuid: str
    name: str
    root: str


@dataclasses.dataclass(frozen=True, slots=True)
class Capacity:
    """How much of a resource class a provider has, and how much is used.

    :param total: without what is reserved, and with the allocation ratio.
    """

    total: int
    used: int

    @property
    def free(self) -> int:
        return max(0, self.total - self.used)


#: Of one provider, by resource class.
Capacities: TypeAlias = Mapping[str, Capacity]


def providers(client: Client, deadline: Deadline) -> dict[str, NamedProvider]:
    """Every resource provider there is, by UUID. One request."""
    answer = client.get('/resource_providers', (), deadline)
    with shape('/resource_providers'):
        return {one['uuid']: NamedProvider(
            one['uuid'], str(one['name']), one['root_provider_uuid'])
            for one in answer['resource_providers']}


def resource_classes(client: Client, deadline: Deadline) -> list[str]:
    """The names of all resource classes."""
    answer = client.get('/resource_classes', (), deadline)
    with shape('/resource_classes'):
        return [str(one['name']) for one in answer['resource_classes']]


def with_room(client: Client, resource_class: str,
              deadline: Deadline) -> frozenset[str]:
    """UUIDs of the providers that could give one more of a class."""
    answer = client.get('/resource_providers',
                        [('resources', f'{resource_class}:1')], deadline)
    with shape('/resource_providers'):
        return frozenset(one['uuid'] for one in answer['resource_providers'])


def of_many(client: Client, deadline: Deadline) -> dict[str, Capacities]:
    """Capacities of all providers in the trees that have memory left.

    Placement has no question for many inventories. But the summaries of an
    allocation candidate hold those of its whole tree, so candidates for one
    MiB of memory tell of every compute host that has any, in one request.
    """
    answer = client.get('/allocation_candidates',
                        [('resources', 'MEMORY_MB:1')], deadline)
    with shape('/allocation_candidates'):
        return {uuid: {
            name: Capacity(int(amount['capacity']), int(amount['used']))
            for name, amount in summary['resources'].items()}
            for uuid, summary in answer['provider_summaries'].items()}


def of_one(client: Client, provider: str, deadline: Deadline) -> Capacities:
    """Capacities of one provider. Two requests."""
    path = f'/resource_providers/{provider}'
    answer = client.get(f'{path}/inventories', (), deadline)
    with shape(f'{path}/inventories'):
        totals = {name: int((one['total'] - one['reserved'])
                            * one['allocation_ratio'])
                  for name, one in answer['inventories'].items()}
    if not totals:
        return {}
    answer = client.get(f'{path}/usages', (), deadline)
    with shape(f'{path}/usages'):
        return {name: Capacity(total, int(answer['usages'].get(name, 0)))
                for name, total in totals.items()}


def consumers(client: Client, provider: str, resource_class: str,
              deadline: Deadline) -> dict[str, int]:
    """Who holds devices of a provider, and how many: servers by UUID, and
    migrations by theirs. One request.
    """
    path = f'/resource_providers/{provider}/allocations'
    answer = client.get(path, (), deadline)
    with shape(path):
        return {consumer: int(held['resources'][resource_class])
                for consumer, held in answer['allocations'].items()
                if resource_class in held['resources']}


@contextlib.contextmanager
def shape(path: str) -> Iterator[None]:
    """Whatever goes wrong in taking an answer apart is Unreachable."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Unreachable(f'GET {path} answered in another shape than '
                          f'placement does: {error!r}') from error
