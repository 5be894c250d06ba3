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

"""`explain` while Nova moves the server: where its source device is now."""

import json
from typing import Any

import fixtures
import openstack

from tests.functional import base
from tests.functional import documents
from tests.unit import commands

published = documents.published


class TestDuringALiveMigration(commands.CommandTestCase,
                               base.FunctionalTestCase):

    KEEPS_LOG = True

    def setUp(self) -> None:
        super().setUp()
        self.told: list[commands.Result] = []
        # Nova's and placement's own applications, without a keystone.
        connection = openstack.connect(
            auth_type='admin_token', region_name='region',
            auth={'endpoint': self.endpoint.url, 'token': 'admin'},
            compute_endpoint_override=self.api.base_url,
            placement_endpoint_override=self.endpoint.url)
        connection.session.additional_headers.update({
            'X-Auth-User': 'admin', 'X-Roles': 'admin',
            'X-Auth-Project-Id': self.api_fixture.project_id})
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.cmd.cloud.connect', lambda name: connection))

    def explain(self, name: str) -> commands.Result:
        return self.run_command('explain', '--os-cloud', 'test', '-f', 'json',
                                '--long', name)

    def _migrate_stub(self, *arguments: Any, **more: Any) -> None:
        # The destination has been claimed; the guest is still at the source.
        self.told = [self.explain(name) for name in (
            self.server['id'], self.server['name'],
            self.newest_migration(self.server)['uuid'])]
        super()._migrate_stub(*arguments, **more)

    def assert_told(self, result: commands.Result, source: str,
                    **expected: str) -> None:
        found = {row['Host']: row['Verdict'] for row in
                 json.loads(result.out)}
        self.assertEqual({source: 'source', **expected}, found)

    def test_before_during_and_after(self) -> None:
        self.start_hosts(
            src=[published(version='1.2.0')],
            dst=[published(version='1.3.0')],
            wrong=[published(version='2.2.0')])
        server = self.boot()
        self.assert_told(self.explain(server['id']), 'src', dst='accepted',
                         wrong='refused')
        self.live_migrate(server)
        self.assertEqual(3, len(self.told))
        for result in self.told:
            self.assert_told(result, 'src', dst='accepted', wrong='refused')
        self.assert_told(self.explain(server['id']), 'dst', src='refused',
                         wrong='refused')
        self.assertEqual(2, self.explain('nobody').status)
