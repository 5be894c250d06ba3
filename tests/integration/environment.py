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

"""The daemons that all tests of a run share, and the way to them."""

import atexit
import concurrent.futures
import functools
import json
import logging
import pathlib
from typing import Any

import fixtures
from nova import baserpc
from nova import config
from nova import context as nova_context
from nova import objects
from nova import rpc
from nova.scheduler.client import query
from nova.scheduler import rpcapi
import oslo_messaging

from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement import publication
from tests.integration.cloud import Cloud
from tests.integration import commands
from tests.integration import documents
from tests.integration.journal import Journal
from tests.integration.nova_conf import NovaConf
from tests.services import debian
from tests.services.mariadb import MariaDB
from tests.services.rabbitmq import RabbitMQ
from tests.services.served_placement import ServedPlacement

PACKAGES = ('mariadb-server', 'rabbitmq-server')
#: Virtual hosts of RabbitMQ: the schedulers of one do not see what is sent
#: to those of the other.
FILTERED, PLAIN = 'filtered', 'plain'
_TIMEOUT = 60.0
_KEEP_ALIVE = 2
#: Compute hosts of the cell, with two pGPUs each.
HOSTS = 6
# Nobody pulls the plug on this one, and the tables are made in half the time.
_DATABASE = ('--innodb-flush-log-at-trx-commit=0', '--skip-log-bin',
             '--innodb-flush-method=nosync')


class Environment(fixtures.Fixture):
    """RabbitMQ, MariaDB, placement, and the databases of a cell."""

    def _setUp(self) -> None:
        debian.install(*PACKAGES)
        self.rabbitmq = self.useFixture(RabbitMQ((FILTERED, PLAIN)))
        # The servers and their clients keep connections.
        self.mariadb = self.useFixture(MariaDB(*_DATABASE))
        # The master of nova-scheduler leaves its workers the connection that
        # it found placement with, to be used by all of them. By then it must
        # be closed: gunicorn's own default does that, and Apache's.
        self.placement = self.useFixture(ServedPlacement(
            self.mariadb.url('placement'), keep_alive=_KEEP_ALIVE))
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.conf = NovaConf(
            folder, self.mariadb.url('nova_api'),
            self.mariadb.url('nova_cell0'), self.placement.endpoint,
            self.rabbitmq.url(FILTERED))
        cell = self._make_cell()
        self._connect()
        self.cloud = self.useFixture(Cloud(self.placement, cell))
        self.journal = Journal()
        self.cloud.make_hosts(HOSTS)

    def _make_cell(self) -> str:
        """As Nova's installation guide has it; returns the cell's UUID."""
        conf = self.conf.write('manage')
        cell1 = self.mariadb.url('nova_cell1')
        local = self.conf.write('manage-cell1', database=cell1)
        # Three times ten seconds of a processor.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda call: commands.run('nova-manage', *call), (
                (conf, 'api_db', 'sync'),
                (conf, 'db', 'sync', '--local_cell'),
                (local, 'db', 'sync', '--local_cell'))))
        commands.run('nova-manage', conf, 'cell_v2', 'map_cell0',
                     '--database_connection', self.conf.database)
        return commands.run(
            'nova-manage', conf, 'cell_v2', 'create_cell', '--name', 'cell1',
            '--database_connection', cell1, '--transport-url',
            self.conf.transport, '--verbose').split()[-1]

    def _connect(self) -> None:
        """Makes this process one that speaks as conductor does."""
        path = self.conf.write('client')
        config.parse_args(['client', '--config-file', str(path)])
        objects.register_all()
        logging.getLogger().setLevel(logging.ERROR)
        self.addCleanup(rpc.cleanup)

    def client(self) -> Client:
        """Of placement, with a session of its own."""
        return configuration.connect([self.placement.nova_conf()])

    def scheduler(self, name: str, workers: int = 3, vhost: str = FILTERED,
                  **more: Any) -> commands.Scheduler:
        """A `nova-scheduler` to be started."""
        config = self.conf.write(
            name, workers, transport=self.rabbitmq.url(vhost), **more)
        return commands.Scheduler(
            config, self.conf.log(name), workers, self.caller(vhost).ping)

    def caller(self, vhost: str = FILTERED) -> 'Caller':
        found = Caller(self, self.rabbitmq.url(vhost))
        self.addCleanup(found.close)
        return found


class Caller:
    """Calls `select_destinations`, as conductor does. Threads share it.

    :param url: of the virtual host to call into.
    """

    def __init__(self, environment: Environment, url: str) -> None:
        self._cloud = environment.cloud
        before = rpc.TRANSPORT
        rpc.TRANSPORT = self._transport = rpc.create_transport(url)
        try:
            self._client = query.SchedulerQueryClient()
            self._base = baserpc.BaseAPI(rpcapi.RPC_TOPIC)
        finally:
            rpc.TRANSPORT = before

    def close(self) -> None:
        self._transport.cleanup()

    def ping(self) -> bool:
        """Whether some worker answers."""
        try:
            self._base.ping(nova_context.get_admin_context(), 'there?',
                            timeout=2)
        except oslo_messaging.MessagingTimeout:
            return False
        return True

    def select(self, server: Any, context: Any = None) -> dict[str, str]:
        """The pGPU that is chosen on each host that is left, the host of
        choice first; the host's root where no device is asked for.

        :param context: Nova's, whose request's id the logs have.
        :raises NoValidHost: none is left.
        """
        context = context or nova_context.get_admin_context()
        ((chosen, *others),) = self._client.select_destinations(
            context, self._cloud.request_spec(server), [server.uuid],
            return_objects=True, return_alternates=True)
        return {selection.service_host: _device(selection)
                for selection in (chosen, *others)}


def _device(selection: Any) -> str:
    allocations = json.loads(selection.allocation_request)['allocations']
    wanted = 'VGPU' if any('VGPU' in held['resources']
                           for held in allocations.values()) else 'VCPU'
    (found,) = [provider for provider, held in allocations.items()
                if wanted in held['resources']]
    return str(found)


class Publisher:
    """Publishes with the project's own code, and writes it down."""

    def __init__(self, environment: Environment) -> None:
        self._journal = environment.journal
        self._client = environment.client()

    def publish(self, provider: str, document: documents.Json | None
                ) -> None:
        deadline = Deadline(_TIMEOUT)
        self._journal.begin(provider, document)
        if document is None:
            publication.Markers(self._client).replace(
                provider, None, deadline)
        else:
            publication.publish(self._client, provider,
                                documents.names(document), deadline)
        self._journal.end(provider)


@functools.cache
def shared() -> Environment:
    """The one of this run, which is stopped at its end."""
    found = Environment()
    found.setUp()
    atexit.register(found.cleanUp)
    return found
