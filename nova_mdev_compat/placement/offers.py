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

"""What placement would offer nova-scheduler for a move.

The request is made of what the consumer holds, so it is Nova's but for what
a flavor, an image or an aggregate adds. Source of its form: the placement API
reference, `GET /allocation_candidates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import TypeAlias

from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.inventories import shape

#: Amounts by resource class, to be taken together from one provider.
Group: TypeAlias = Mapping[str, int]

#: Amounts by resource class, by provider.
Candidate: TypeAlias = Mapping[str, Mapping[str, int]]

_PATH = '/allocation_candidates'
# Nova asks so by default; the trait is a standard one of os-traits.
_ENABLED = '!COMPUTE_STATUS_DISABLED'


@dataclasses.dataclass(frozen=True, slots=True)
class Offers:
    """Allocation candidates, in placement's order.

    :param cut: whether there may be more, beyond the limit.
    """

    candidates: tuple[Candidate, ...]
    cut: bool

    def providers(self, resource_class: str) -> frozenset[str]:
        """UUIDs of the providers that candidates take a class from."""
        return frozenset(
            provider for candidate in self.candidates
            for provider, held in candidate.items() if resource_class in held)


def ask(client: Client, common: Group, devices: Sequence[Group],
        limit: int | None, deadline: Deadline) -> Offers:
    """The allocation candidates for what a consumer holds.

    :param common: what may come from several providers of a tree.
    :param devices: each is taken from one provider.
    :param limit: how many candidates are wanted; None: all.
    """
    query = [('root_required', _ENABLED)]
    if common:
        query.append(('resources', _words(common)))
    query += [(f'resources{number}', _words(group))
              for number, group in enumerate(devices, 1)]
    if len(devices) > 1:
        query.append(('group_policy', 'none'))
    if limit is not None:
        query.append(('limit', str(limit)))
    answer = client.get(_PATH, query, deadline)
    with shape(_PATH):
        found = tuple(
            {provider: dict(held['resources']) for provider, held
             in candidate['allocations'].items()}
            for candidate in answer['allocation_requests'])
    return Offers(found, limit is not None and len(found) >= limit)


def _words(group: Group) -> str:
    return ','.join(f'{name}:{amount}'
                    for name, amount in sorted(group.items()))
