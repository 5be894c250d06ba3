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


"""A live migration as nova-conductor does it, with its own task."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
import time
from typing import Any

from nova.conductor.tasks import live_migrate
from nova import exception
from nova import objects
from nova import servicegroup

from demo import cloud as cloud_module
from demo import fleet
from demo import population
from demo import stand_in


@dataclasses.dataclass(frozen=True)
class Round:
    """One call of the scheduler.

    :param claim: what it chose and claimed; None: no host was left.
    """

    claim: stand_in.Claim | None
    seconds: float


@dataclasses.dataclass(frozen=True)
class Move:
    """What became of a live migration.

    :param end: where the guest is copied to; None: no host was left.
    """

    rounds: Sequence[Round]
    end: stand_in.Claim | None

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.rounds)

    def loads(self, source: fleet.PGpu) -> bool:
        """Whether it ends where the device's state can be loaded."""
        return self.end is not None and self.end.pgpu.accepts(source)


class _Rounds(stand_in.Bus):
    """Notes how long each call took."""

    def __init__(self, scheduler: Any, done: Callable[[int], None]) -> None:
        super().__init__(scheduler)
        self._done = done
        self.seconds: list[float] = []

    def select_destinations(self, *arguments: Any, **options: Any) -> Any:
        self._done(len(self.seconds) + 1)
        start = time.perf_counter()
        try:
            return super().select_destinations(*arguments, **options)
        finally:
            self.seconds.append(time.perf_counter() - start)


class Conductor:
    """Asks a scheduler for destinations until a host passes the pre-check."""

    def __init__(self, cloud: cloud_module.Cloud, scheduler: Any,
                 hosts: Sequence[fleet.Host]) -> None:
        self._cloud = cloud
        self._scheduler = scheduler
        self._hosts = hosts

    def live_migrate(self, server: population.Server,
                     done: Callable[[int], None]) -> Move:
        """Do it up to the copying of the guest, and take it back."""
        computes = stand_in.Computes(self._cloud.report, self._hosts,
                                     server.pgpu.mdev_type)
        bus = _Rounds(self._scheduler, done)
        context = self._cloud.cell_context()
        migration = _record(context, server)
        task = live_migrate.LiveMigrationTask(
            context, server.instance, None, False, False, migration,
            computes, servicegroup.API(), bus, self._cloud.report,
            server.spec.obj_clone())
        task.network_api = stand_in.Network()
        self._run(task)
        migration.status = 'cancelled'
        migration.save()
        return _move(bus.seconds, computes)

    def _run(self, task: Any) -> None:
        try:
            task.execute()
        except exception.NoValidHost:
            # The task has taken everything back by itself.
            return
        task.rollback(None)


def _record(context: Any, server: population.Server) -> Any:
    flavor = server.instance.flavor
    migration = objects.Migration(
        context, instance_uuid=server.instance.uuid, status='accepted',
        source_compute=server.instance.host, source_node=server.instance.node,
        dest_compute=None, migration_type='live-migration',
        old_instance_type_id=flavor.id, new_instance_type_id=flavor.id)
    migration.create()
    return migration


def _move(seconds: Sequence[float], computes: stand_in.Computes) -> Move:
    # A call that found no host was followed by no pre-check.
    return Move([Round(claim, spent) for claim, spent
                 in zip([*computes.asked, None], seconds)], computes.started)
