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

"""The look-up of the source device: queries, requests and milliseconds.

Nova's own tables on SQLite, with a live migration in them as conductor leaves
it when it calls the scheduler; and a placement that holds the allocations.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
from typing import Any
import uuid

import fixtures
import nova.conf
from nova import context as nova_context
from nova import objects
from nova.tests import fixtures as nova_fixtures
from oslo_messaging import conffixture
import sqlalchemy as sa
from sqlalchemy import event

from nova_mdev_compat.placement.trait_cache import TraitCache
from nova_mdev_compat.scheduler import source
from tests.benchmark import clouds
from tests.benchmark.clouds import Cloud
from tests.benchmark.fleet import Fleet
from tests.benchmark.fleet import Host
from tests.benchmark import rounds
from tests.benchmark.rounds import Case

CONF = nova.conf.CONF
Row = dict[str, Any]

_HOSTS, _PGPUS = 100, 8
_CLASSES = frozenset(['VGPU'])
_OPERATIONS = frozenset(['live-migration'])


class Tables(fixtures.Fixture):
    """Nova's databases, with one server that is on its way."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.server = str(uuid.uuid4())
        self.migration = str(uuid.uuid4())

    def _setUp(self) -> None:
        # A cell has a message bus, too.
        self.useFixture(conffixture.ConfFixture(CONF)).transport_url = \
            'fake:///'
        objects.register_all()
        self.useFixture(nova_fixtures.Database('api'))
        cells = nova_fixtures.CellDatabases()
        cells.add_cell_database('cell1', default=True)
        self.useFixture(cells)
        self._write(nova_context.get_admin_context())

    def _write(self, context: Any) -> None:
        cell = objects.CellMapping(
            context, uuid=str(uuid.uuid4()), name='cell1',
            database_connection='cell1', transport_url='fake:///')
        cell.create()
        objects.InstanceMapping(
            context, instance_uuid=self.server, cell_mapping=cell,
            project_id='project', user_id='user').create()
        with nova_context.target_cell(context, cell) as targeted:
            self._write_cell(targeted)

    def _write_cell(self, context: Any) -> None:
        objects.ComputeNode(
            context, uuid=self._host.root, host=self._host.name,
            hypervisor_hostname=self._host.name, vcpus=1, memory_mb=1,
            local_gb=1, vcpus_used=0, memory_mb_used=0, local_gb_used=0,
            hypervisor_type='QEMU', hypervisor_version=1,
            cpu_info='{}').create()
        objects.Migration(
            context, uuid=self.migration, instance_uuid=self.server,
            status='accepted', migration_type='live-migration',
            source_compute=self._host.name, old_instance_type_id=1,
            new_instance_type_id=1).create()


def rows(number: int = rounds.ROUNDS) -> Iterator[Row]:
    with clouds.in_process(Fleet(_HOSTS, _PGPUS)) as cloud, \
            Tables(cloud.fleet.hosts[0]) as tables:
        _allocate(cloud, tables)
        store = cloud.store()
        warm = cloud.cache(store)
        _find(tables, warm)
        cases = {'warm cache': lambda: warm,
                 'cold cache': lambda: cloud.cache(store)}
        for name, cache in cases.items():
            yield {'case': name, **_count(cloud, tables, cache)}
        times = rounds.interleave(
            [Case(name, lambda cache=cache: _find(tables, cache()))
             for name, cache in cases.items()], number, cloud.clock)
        for name, seconds in times.items():
            yield {'case': name, 'ms': rounds.milliseconds(seconds),
                   'spread': rounds.spread(seconds)}


def _find(tables: Tables, cache: TraitCache) -> None:
    spec = objects.RequestSpec(instance_uuid=tables.server)
    found = source.find(spec, _CLASSES, _OPERATIONS, cache)
    if found is None or len(found.devices) != 1 \
            or found.devices[0].document is None:
        raise AssertionError(f'the source was not found: {found}')


def _allocate(cloud: Cloud, tables: Tables) -> None:
    host = cloud.fleet.hosts[0]
    answer = cloud.adapter.request(
        f'/allocations/{tables.migration}', 'PUT', microversion='1.38', json={
            'allocations': {
                host.root: {'resources': {'VCPU': 2, 'MEMORY_MB': 2048}},
                host.devices[0]: {'resources': {'VGPU': 1}}},
            'consumer_generation': None, 'project_id': 'project',
            'user_id': 'user', 'consumer_type': 'MIGRATION'})
    if answer.status_code >= 300:
        raise AssertionError(answer.text)


def _count(cloud: Cloud, tables: Tables,
           make: Callable[[], TraitCache]) -> Row:
    """What a look-up asks."""
    cache = make()
    before = cloud.adapter.count
    with _queries(cloud.engine) as queries:
        _find(tables, cache)
    return {'queries': len(queries), 'requests': cloud.adapter.count - before}


@contextlib.contextmanager
def _queries(other: sa.Engine) -> Iterator[list[str]]:
    """What Nova's databases are asked.

    :param other: placement's, which is in this process.
    """
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str,
             *others: Any) -> None:
        if connection.engine is not other and statement != 'BEGIN':
            seen.append(statement)
    event.listen(sa.Engine, 'before_cursor_execute', note)
    try:
        yield seen
    finally:
        event.remove(sa.Engine, 'before_cursor_execute', note)
