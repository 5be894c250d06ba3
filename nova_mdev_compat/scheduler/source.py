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

"""The source of a move: what is being done, and which devices are held.

Nothing in a request spec says what kind of move it is, or where from. The
server's migration record in its cell says it, and placement says what the
server holds on the source's providers.
"""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
from typing import Any

from nova import context as nova_context
from nova import exception
from nova.objects import compute_node
from nova.objects import instance_mapping
from nova.objects import migration as migration_objects

from nova_mdev_compat.placement.trait_cache import TraitCache
from nova_mdev_compat.scheduler import candidates
from nova_mdev_compat.scheduler.pairing import HeldDevice

# The statuses that a migration has when conductor calls the scheduler: the
# first for a live migration and an evacuation, the second for a cold
# migration and a resize.
_STATUSES = ['accepted', 'pre-migrating']
_EVACUATION = 'evacuation'
# Rows in these statuses are left over after crashes; so many are looked at.
_MAX_ROWS = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """What moves.

    :param operation: Nova's migration type.
    :param devices: what the server holds on the source node's providers.
    """

    operation: str
    devices: tuple[HeldDevice, ...]


def find(spec: Any, classes: frozenset[str], operations: frozenset[str],
         cache: TraitCache) -> Source | None:
    """The source of a request, if it is a move of one of the operations.

    :param spec: Nova's RequestSpec.
    :param classes: the resource classes that are devices.
    :returns: None where there is no source device to be judged: for a first
        boot, an unshelve, another operation.
    :raises PlacementError: placement could not be read.
    """
    if 'instance_uuid' not in spec:
        return None
    context = nova_context.get_admin_context()
    cell = _cell(context, spec.instance_uuid)
    if cell is None:
        return None
    with nova_context.target_cell(context, cell) as cell_context:
        for row in _rows(cell_context, spec.instance_uuid, operations):
            held = cache.allocations(
                row.instance_uuid if row.migration_type == _EVACUATION
                else row.uuid)
            if held:
                return _source(cell_context, row, held, classes, operations,
                               cache)
    return None


def _cell(context: Any, server: str) -> Any:
    try:
        mapping = instance_mapping.InstanceMapping.get_by_instance_uuid(
            context, server)
    except exception.InstanceMappingNotFound:
        return None
    return mapping.cell_mapping


def _rows(context: Any, server: str,
          operations: frozenset[str]) -> Iterator[Any]:
    """The server's migrations that may be the one, the newest first."""
    rows = migration_objects.MigrationList.get_by_filters(
        context, {'instance_uuid': server, 'status': _STATUSES},
        sort_keys=['id'], sort_dirs=['desc'], limit=_MAX_ROWS)
    if any(row.migration_type in operations for row in rows):
        yield from rows


def _source(context: Any, row: Any, held: dict[str, dict[str, int]],
            classes: frozenset[str], operations: frozenset[str],
            cache: TraitCache) -> Source | None:
    if row.migration_type not in operations:
        return None
    # A live migration's record has no source_node yet when the scheduler is
    # called, so the host must do; hosts with devices have one node.
    roots = {node.uuid for node in compute_node.ComputeNodeList
             .get_all_by_host(context, row.source_compute)}
    devices = []
    for resource_class in sorted(classes):
        for provider, amount in candidates.holdings(
                held, resource_class).items():
            # A server that was evacuated holds the dead host's devices too
            # until that host is back.
            if cache.root(provider) in roots:
                digest, document = cache.document(provider) or (None, None)
                devices.append(HeldDevice(
                    provider, resource_class, amount, digest, document))
    return Source(row.migration_type, tuple(devices))
