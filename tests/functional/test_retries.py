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

"""Moves whose first destination fails after the scheduler chose it."""

from collections.abc import Callable
from collections.abc import Collection
from typing import Any

import fixtures
from nova.compute import manager as compute_manager
from nova import exception
from nova.virt.libvirt import driver

from tests.functional import base
from tests.functional import documents

GOOD = documents.published()
WRONG = documents.published(version='2.0')


class RetryTestCase(base.FunctionalTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.start_hosts(src=[GOOD], wrong=[WRONG], broken=[GOOD],
                         mixed=[WRONG, GOOD])

    def fail_on(self, names: Collection[str], method: Callable[..., Any],
                error: Exception) -> None:
        """Make a method of Nova's raise on these hosts.

        :param method: of the compute manager or of libvirt's driver.
        """
        def failing(owner: Any, /, *args: Any, **kwargs: Any) -> Any:
            if _host(owner) in names:
                raise error
            return method(owner, *args, **kwargs)

        self.useFixture(fixtures.MonkeyPatch(
            f'{method.__module__}.{method.__qualname__}', failing))


def _host(owner: Any) -> str:
    if isinstance(owner, driver.LibvirtDriver):
        return owner._host.get_hostname()
    return owner.host


class LiveMigrationTests(RetryTestCase):

    def _refuse(self, *names: str) -> None:
        self.fail_on(
            names, driver.LibvirtDriver.check_can_live_migrate_destination,
            exception.MigrationPreCheckError(reason='broken'))

    def test_a_second_round_is_judged_again(self) -> None:
        self._refuse('broken')
        server = self.boot()
        self.live_migrate(server)
        first, second = self.probe.calls
        self.assertEqual({'broken': [(0,)], 'mixed': [(1,)]}, first.kept)
        # The host that failed is left out by Nova.
        self.assertEqual({'wrong': [(0,)], 'mixed': [(0,), (1,)]},
                         second.offered)
        self.assertEqual({'mixed': [(1,)]}, second.kept)
        self.assert_device_on(server, 'mixed', 1)
        self.assert_moves(rounds=2, destination_checks=2, source_checks=1)
        self._assert_same_source(first.requests, second.requests)

    def _assert_same_source(self, *rounds: list[str]) -> None:
        """Each time it is what the migration holds."""
        uuid = self.newest_migration(self.server)['uuid']
        for requests in rounds:
            self.assertEqual(
                ['GET /allocations/' + uuid],
                [one for one in requests if '/allocations/' in one])

    def test_no_second_host_fits(self) -> None:
        self._refuse('broken', 'mixed')
        server = self.boot()
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=3, destination_checks=2, source_checks=0)
        self.assertEqual(1, len(self.said('INFO', 'removed 1 of 1 hosts')))
        self.assert_device_on(server, 'src', 0)


class ColdMigrationTests(RetryTestCase):
    OPTIONS = {'operations': ['migration']}

    def test_alternates_have_been_judged(self) -> None:
        """Nova does not ask again, and claims the alternate's candidate."""
        self.fail_on(['broken'], compute_manager.ComputeManager._prep_resize,
                     exception.ComputeResourcesUnavailable(reason='broken'))
        server = self.boot()
        self._migrate_server(server)
        self.assertEqual(1, len(self.probe.calls))
        self.assert_device_on(server, 'mixed', 1)
        self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
