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

"""A cloud of clouds.yaml, through openstacksdk: an optional extra."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
from typing import Any

from nova_mdev_compat.cmd import base
from nova_mdev_compat.placement import client as placement_client
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.errors import Unreachable

# What a migration record says while the source's allocations are held by
# its UUID: from nova/conductor/tasks/migrate.py to the guest's arrival.
_UNDER_WAY = frozenset({'accepted', 'queued', 'preparing', 'running',
                        'pre-migrating', 'migrating'})
_EVACUATION = 'evacuation'


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """A server as Nova knows it.

    :param host: name of its compute node, the root provider's.
    :param migration: UUID of the migration that holds its source devices
        now; None: it holds them itself.
    """

    uuid: str
    host: str | None
    migration: str | None


class Nova:
    """Nova's API, as far as placement cannot tell.

    :param connection: openstacksdk's.
    """

    def __init__(self, connection: Any) -> None:
        self._compute = connection.compute

    def find(self, name: str, holds: Callable[[str], bool]) -> Server | None:
        """A server by name or UUID.

        :param holds: whether a consumer has allocations.
        :raises base.BadInput: several servers are called so.
        """
        if not hasattr(self._compute, 'find_server'):
            # What openstacksdk makes of a service that it does not find.
            raise base.NovaUnreachable('the cloud has no compute service')
        with _told(base.NovaUnreachable):
            server = self._compute.find_server(name, all_projects=True)
            if server is None:
                return None
            return Server(server.id, server.hypervisor_hostname,
                          self._migration(server.id, holds))

    def _migration(self, server: str,
                   holds: Callable[[str], bool]) -> str | None:
        # Rows of crashed migrations stay in these statuses; the newest one
        # that holds anything is the one.
        rows = sorted(
            (row for row in self._compute.migrations(server_id=server)
             if row.status in _UNDER_WAY
             and row.migration_type != _EVACUATION),
            key=lambda row: row.created_at or '', reverse=True)
        return next((row.uuid for row in rows if holds(row.uuid)), None)


def connect(name: str) -> Any:
    """openstacksdk's connection to a cloud of clouds.yaml.

    :raises base.BadInput: openstacksdk is not there, or knows no such cloud.
    """
    try:
        import openstack
    except ImportError as error:
        raise base.BadInput(
            '--os-cloud needs openstacksdk: install nova-mdev-compat[osc]'
        ) from error
    try:
        return openstack.connect(cloud=name)
    except openstack.exceptions.ConfigException as error:
        raise base.BadInput(f'--os-cloud {name}: {error}') from error


def open_client(connection: Any) -> Client:
    """The placement of a connection."""
    config = connection.config
    with _told():
        return Client(placement_client.make_adapter(
            connection.session, config.get_region_name('placement'),
            config.get_interface('placement'),
            config.get_endpoint('placement')))


@contextlib.contextmanager
def _told(failure: type[Unreachable] = Unreachable) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # openstacksdk lets keystoneauth's errors through beside its own, and
        # neither may end a command with the status that says "no".
        kind = type(error).__name__
        if kind == 'DuplicateResource':
            raise base.BadInput(str(error)) from error
        raise failure(f'{kind}: {error}') from error
