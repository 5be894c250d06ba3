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

"""Resizes to a flavor that asks for other devices than the server holds."""

from collections.abc import Mapping
import dataclasses
from typing import Any

import fixtures
from nova.compute import rpcapi
from nova.tests.functional.api import client

from tests.functional import base
from tests.functional import documents
from tests.functional import hosts

OTHER_CLASS = 'CUSTOM_OTHER'


def vgpu(version: str) -> hosts.PGpu:
    return documents.published(version=version)


def other(version: str) -> hosts.PGpu:
    return dataclasses.replace(
        documents.published(hosts.TYPE_B, version=version),
        resource_class=OTHER_CLASS)


ONE = {'VGPU': 1}
TWO = {'VGPU': 2}
OTHER = {OTHER_CLASS: 1}
BOTH = {**ONE, **OTHER}

FIRST, SECOND, ALL = ['first'], ['second'], ['first', 'second']

#: What the server holds, what the flavor asks for, and the hosts that stay:
#: `first` accepts its VGPU only, `second` its device of the other class only.
TABLE = (
    ('the same', ONE, ONE, FIRST),
    ('more', ONE, TWO, FIRST),
    ('fewer', TWO, ONE, FIRST),
    ('another class', ONE, OTHER, ALL),
    ('a class added', ONE, BOTH, FIRST),
    ('a class given up', BOTH, OTHER, SECOND),
    ('both stay', BOTH, BOTH, []),
)


class OtherFlavorTests(base.FunctionalTestCase):
    """Only classes that are held, and asked for again, are compared."""

    OPTIONS = {'operations': ['resize'],
               'resource_classes': ['VGPU', OTHER_CLASS]}

    def setUp(self) -> None:
        super().setUp()
        # The scheduler's answer is all that is looked at here.
        self.useFixture(fixtures.MockPatchObject(
            rpcapi.ComputeAPI, 'prep_resize'))
        self.start_hosts(src=[vgpu('1.2'), other('1.2')],
                         first=[vgpu('1.3'), other('2.0')],
                         second=[vgpu('2.0'), other('1.3')])

    def _flavor(self, memory: int, devices: Mapping[str, int]) -> Any:
        # Small, since every server of the table is there until the end.
        return self._create_flavor(
            memory_mb=memory, vcpu=1, disk=1, ephemeral=0, extra_spec={
                'resources:' + name: str(amount)
                for name, amount in devices.items()})

    def _resize(self, held: Mapping[str, int],
                wanted: Mapping[str, int]) -> list[str]:
        """The hosts that the filter left."""
        server = self.boot(flavor=self._flavor(256, held))
        try:
            self.api.post_server_action(server['id'], {
                'resize': {'flavorRef': self._flavor(512, wanted)}})
        except client.OpenStackApiException as error:
            self.assertIn('NoValidHost', str(error))
        return sorted(self.kept())

    def test_what_is_compared(self) -> None:
        self.assertEqual(
            {title: left for title, held, wanted, left in TABLE},
            {title: self._resize(held, wanted)
             for title, held, wanted, left in TABLE})

    def test_nothing_to_compare_costs_one_request(self) -> None:
        """What the server holds has to be looked up, and that is all."""
        self._resize(ONE, OTHER)
        self.assertEqual(
            ['GET /allocations/%s' % self.newest_migration(self.server)[
                'uuid']], self.probe.last.requests)
        self.assertEqual([], self.said('INFO'))


class AmountTests(base.FunctionalTestCase):
    """Fewer or more than before, of several kinds."""

    OPTIONS = {'operations': ['resize']}

    def _groups(self, memory: int, count: int) -> Any:
        extra_spec = {'resources%d:VGPU' % number: '1'
                      for number in range(1, count + 1)}
        return self._create_flavor(memory_mb=memory, extra_spec={
            **extra_spec, 'group_policy': 'isolate'})

    def _resize(self, held: int, wanted: int) -> None:
        server = self.boot(flavor=self._groups(1024, held))
        self._resize_server(server, self._groups(2048, wanted))

    def test_fewer(self) -> None:
        """Nobody knows which of the two stays, so either has to fit."""
        self.start_hosts(src=[vgpu('1.1'), vgpu('1.3')],
                         dst=[vgpu('1.2'), vgpu('1.3')])
        self._resize(2, 1)
        self.assertEqual({'dst': [(1,)]}, self.kept())

    def test_more(self) -> None:
        """Nobody knows which of the two is the new one, so neither may be
        wrong for the old one.
        """
        self.start_hosts(src=[vgpu('1.2')],
                         dst=[vgpu('1.1'), vgpu('1.2'), vgpu('1.3')])
        self._resize(1, 2)
        self.assertEqual({'dst': [(1, 2), (2, 1)]}, self.kept())


class SameHostTests(base.FunctionalTestCase):
    """Where Nova may resize a server on the host where it is."""

    OPTIONS = {'operations': ['resize']}

    def test_own_host_is_judged_like_any_other(self) -> None:
        self.flags(allow_resize_to_same_host=True)
        self.useFixture(fixtures.MockPatchObject(
            rpcapi.ComputeAPI, 'prep_resize'))
        self.start_hosts(src=[vgpu('1.2'), vgpu('2.0'), vgpu('1.3')],
                         dst=[vgpu('2.0')])
        flavors = [self._create_flavor(
            memory_mb=memory, vcpu=1, disk=1, ephemeral=0,
            extra_spec={'resources:VGPU': '1'}) for memory in (256, 512)]
        server = self.boot(flavor=flavors[0])
        self.api.post_server_action(server['id'], {
            'resize': {'flavorRef': flavors[1]}})
        # Its own device, whose place Nova keeps until the resize is
        # confirmed, or the one that accepts it.
        self.assertEqual(['dst', 'src'], sorted(self.probe.last.offered))
        self.assertEqual({'src': [(0,), (2,)]}, self.kept())
