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

"""A fleet in placement's database, written in bulk.

Over HTTP a provider costs four requests. What is there afterwards is the same
as after them: roots with inventories, devices below them with inventories
and markers, bodies on no provider, and each host's providers in an aggregate.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
import uuid

from placement.db.sqlalchemy import models
import sqlalchemy as sa

from nova_mdev_compat.codec import traits
from tests.benchmark.fleet import Fleet

Row = dict[str, Any]

#: Hosts of one aggregate.
AGGREGATE = 20
_BATCH = 5000
_FREE = {'reserved': 0, 'min_unit': 1, 'step_size': 1,
         'allocation_ratio': 1.0}
_ROOM = {'VCPU': 128, 'MEMORY_MB': 1048576, 'DISK_GB': 8192}


def fill(engine: sa.Engine, fleet: Fleet) -> None:
    """Writes the fleet to a placement database that knows no provider."""
    with engine.begin() as connection:
        ids = _write_traits(connection, fleet)
        classes = _ids(connection, models.ResourceClass)
        _write(connection, models.ResourceProvider, _providers(fleet))
        _write(connection, models.Inventory, _inventories(fleet, classes))
        _write(connection, models.ResourceProviderTrait,
               _carried(fleet, ids))
        _write(connection, models.PlacementAggregate, (
            {'id': number + 1, 'uuid': aggregate(number)}
            for number in range(fleet.count // AGGREGATE + 1)))
        _write(connection, models.ResourceProviderAggregate,
               _members(fleet))


def write_traits(engine: sa.Engine, names: Iterable[str]) -> None:
    """More traits, on no provider."""
    with engine.begin() as connection:
        _write(connection, models.Trait, ({'name': name} for name in names))


def aggregate(number: int) -> str:
    """UUID of an aggregate."""
    return str(uuid.UUID(int=number, version=4))


def _write(connection: sa.Connection, model: Any,
           rows: Iterable[Row]) -> None:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            connection.execute(sa.insert(model.__table__), batch)
            batch = []
    if batch:
        connection.execute(sa.insert(model.__table__), batch)


def _ids(connection: sa.Connection, model: Any) -> Mapping[str, int]:
    table = model.__table__
    return {name: number for name, number in connection.execute(
        sa.select(table.c.name, table.c.id))}


def _write_traits(connection: sa.Connection,
                  fleet: Fleet) -> Mapping[str, int]:
    for document in fleet.documents:
        names = traits.encode(document)
        _write(connection, models.Trait, (
            {'name': name} for name in (names.marker, *names.chunks)))
    return _ids(connection, models.Trait)


def _numbered(fleet: Fleet) -> Iterator[tuple[int, Any]]:
    """Each host with the number of its first row; its devices follow."""
    for place, host in enumerate(fleet.hosts):
        yield 1 + place * (fleet.devices + 1), host


def _providers(fleet: Fleet) -> Iterator[Row]:
    for root, host in _numbered(fleet):
        yield {'id': root, 'uuid': host.root, 'name': host.name,
               'generation': 1, 'root_provider_id': root,
               'parent_provider_id': None}
        for place, device in enumerate(host.devices):
            yield {'id': root + 1 + place, 'uuid': device,
                   'name': host.device_name(place), 'generation': 2,
                   'root_provider_id': root, 'parent_provider_id': root}


def _inventories(fleet: Fleet, classes: Mapping[str, int]) -> Iterator[Row]:
    for root, _host in _numbered(fleet):
        for name, total in _ROOM.items():
            yield _inventory(root, classes[name], total)
        for place in range(fleet.devices):
            yield _inventory(root + 1 + place, classes['VGPU'], 16)


def _inventory(provider: int, resource_class: int, total: int) -> Row:
    return {'resource_provider_id': provider, 'total': total,
            'resource_class_id': resource_class, 'max_unit': total, **_FREE}


def _carried(fleet: Fleet, ids: Mapping[str, int]) -> Iterator[Row]:
    markers = [ids[name] for name in fleet.markers]
    owner = ids.get('COMPUTE_NODE')
    for root, host in _numbered(fleet):
        if owner is not None:
            yield {'resource_provider_id': root, 'trait_id': owner}
        for place in range(fleet.devices):
            yield {'resource_provider_id': root + 1 + place,
                   'trait_id': markers[fleet.release(host, place)]}


def _members(fleet: Fleet) -> Iterator[Row]:
    for root, host in _numbered(fleet):
        for provider in range(root, root + fleet.devices + 1):
            yield {'resource_provider_id': provider,
                   'aggregate_id': host.number // AGGREGATE + 1}
