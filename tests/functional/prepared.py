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

"""A move that conductor has prepared and the scheduler has not judged yet."""

from collections.abc import Mapping
from collections.abc import Sequence
import copy
import dataclasses
from typing import Any

from nova.conductor.tasks import migrate
from nova import context as nova_context
from nova import objects

from tests.functional import base


@dataclasses.dataclass
class Host:
    """What a filter sees of a host."""

    host: str
    allocation_candidates: Sequence[Mapping[str, Any]]


@dataclasses.dataclass
class PreparedMove:
    """What the scheduler would hand to the filter, as often as needed."""

    spec: Any
    _hosts: list[Host]

    def hosts(self) -> list[Host]:
        return copy.deepcopy(self._hosts)


def prepare(test: base.FunctionalTestCase, server: base.Server,
            hosts: Sequence[str]) -> PreparedMove:
    """A live migration as conductor leaves it when it calls the scheduler.

    The record and the allocations are those of Nova's own code.
    """
    context = nova_context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(
        context, server['id'])
    with nova_context.target_cell(context, mapping.cell_mapping) as cell:
        instance = objects.Instance.get_by_uuid(cell, server['id'])
        migration = objects.Migration(
            cell, source_compute=instance.host, source_node=instance.node,
            instance_uuid=instance.uuid, status='accepted',
            migration_type='live-migration')
        migration.create()
        migrate.replace_allocation_with_migration(cell, instance, migration)
    spec = objects.RequestSpec.get_by_instance_uuid(context, server['id'])
    return PreparedMove(spec, [Host(name, _candidates(test, name))
                               for name in hosts])


def _candidates(test: base.FunctionalTestCase,
                host: str) -> list[Mapping[str, Any]]:
    """As placement offers them, for one vGPU of a host with one pGPU."""
    provider = test.pgpu_uuid(host)
    return [{'allocations': {provider: {'resources': {'VGPU': 1}}},
             'mappings': {'': [provider]}}]
