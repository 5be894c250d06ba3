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

"""Nova's configuration, databases and scheduler beside a real placement."""

from __future__ import annotations

import os
from typing import Any

import fixtures
import nova.conf
from nova import context as nova_context
from nova import objects
from nova.scheduler.client import report
from nova.scheduler import manager
from nova.tests import fixtures as nova_fixtures
from oslo_utils import uuidutils

from demo import loopback

CONF = nova.conf.CONF
FILTER = 'MdevCompatFilter'
_CELL = 'cell1'
_NOVA_CONF = """\
[DEFAULT]
# Nobody sends the hosts' heartbeats.
service_down_time = 3600
[placement]
auth_type = admin_token
token = {token}
endpoint = {url}
endpoint_override = {url}
"""
#: What brings the filter in, and what there is without it.
WITH_FILTER = f"""\
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = nova_mdev_compat.filters.all_filters
enabled_filters = ComputeFilter,{FILTER},ImagePropertiesFilter
"""
WITHOUT_FILTER = """\
[filter_scheduler]
enabled_filters = ComputeFilter,ImagePropertiesFilter
"""


class Cloud(fixtures.Fixture):
    """A cloud of one cell, without hosts."""

    def _setUp(self) -> None:
        self._directory = self.useFixture(fixtures.TempDir()).path
        self.useFixture(nova_fixtures.ConfFixture(CONF))
        self.placement = self.useFixture(loopback.Placement())
        objects.register_all()
        self.useFixture(nova_fixtures.RPCFixture('nova.test'))
        self.useFixture(nova_fixtures.Database(database='api'))
        self.context = nova_context.get_admin_context()
        self.cell = self._make_cells()
        # Nova's own client of placement is made once in a process.
        self.useFixture(fixtures.MonkeyPatch(
            'nova.scheduler.client.report.PLACEMENTCLIENT', None))
        self.configure(WITHOUT_FILTER)

    def _make_cells(self) -> Any:
        databases = nova_fixtures.CellDatabases()
        for name, uuid in (('cell0', objects.CellMapping.CELL0_UUID),
                           (_CELL, uuidutils.generate_uuid())):
            cell = objects.CellMapping(
                self.context, uuid=uuid, name=name,
                transport_url='fake://nowhere/', database_connection=uuid)
            cell.create()
            databases.add_cell_database(uuid, default=name == _CELL)
        self.useFixture(databases)
        return cell

    def configure(self, filters: str) -> None:
        """Write nova.conf, and read it as Nova's services do."""
        path = os.path.join(self._directory, 'nova.conf')
        with open(path, 'w') as file:
            file.write(_NOVA_CONF.format(
                token=loopback.TOKEN, url=self.placement.url) + filters)
        CONF([], project='nova', default_config_files=[path])

    def scheduler(self, filters: str) -> Any:
        """A nova-scheduler that has just read this nova.conf."""
        self.configure(filters)
        return manager.SchedulerManager()

    def cell_context(self) -> Any:
        """A context whose database is the cell's."""
        context = nova_context.get_admin_context()
        nova_context.set_target_cell(context, self.cell)
        return context

    @property
    def report(self) -> Any:
        """Nova's client of placement."""
        return report.report_client_singleton()
