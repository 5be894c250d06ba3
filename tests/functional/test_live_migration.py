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

"""Live migration with the filter, every document in order."""

import logging
import re

import ddt
import fixtures

from tests.functional import base
from tests.functional import documents
from tests.functional import hosts

TYPE_A = hosts.TYPE_A
TYPE_B = hosts.TYPE_B
published = documents.published


class PGpuChoiceTests(base.FunctionalTestCase):
    """The same situations as in test_plain_nova."""

    def test_wrong_pgpu_first(self):
        self.start_hosts(
            src=[published(TYPE_A)],
            mixed=[published(TYPE_B), published(TYPE_A)])
        server = self.boot()
        self.live_migrate(server)
        self.assert_device_on(server, 'mixed', 1)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)
        self.assertEqual({'mixed': [(0,), (1,)]}, self.probe.last.offered)
        self.assertEqual({'mixed': [(1,)]}, self.kept())

    def test_twenty_wrong_hosts(self):
        self.start_host('src', [published(TYPE_A)])
        for number in range(20):
            self.start_host('wrong%d' % number, [published(TYPE_B)])
        self.start_host('right', [published(TYPE_A)])
        server = self.boot()
        self.live_migrate(server)
        self.assert_device_on(server, 'right', 0)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)
        self.assertEqual(21, len(self.probe.last.offered))
        self.assertEqual({'right': [(0,)]}, self.kept())
        self._assert_explained(self.said('INFO', 'wrong'))

    def _assert_explained(self, lines):
        """One line for the request: a reason, a count, three names."""
        self.assertEqual(1, len(lines), lines)
        self.assertIn('20', lines[0])
        self.assertEqual(3, len(set(re.findall(r'wrong\d+', lines[0]))))

    def test_same_type_other_release(self):
        self.start_hosts(
            src=[published(version='1.2.0')],
            newer_major=[published(version='2.2.0')],
            mixed=[published(version='1.1.0'), published(version='1.3.0')])
        server = self.boot()
        self.live_migrate(server)
        self.assert_device_on(server, 'mixed', 1)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)

    def test_nothing_fits(self):
        self.start_hosts(
            src=[published(version='1.2.0')],
            other_type=[published(TYPE_B)],
            other_major=[published(version='2.2.0')],
            accepts_nothing=[published(version='1.2.0', compatible=())])
        server = self.boot()
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
        self.assertEqual({}, self.kept())
        self.assert_device_on(server, 'src', 0)

    def test_named_host_is_judged_too(self):
        self.start_hosts(
            src=[published(version='1.2.0')],
            good=[published(version='1.2.0')],
            bad=[published(version='2.2.0')])
        server = self.boot()
        self.assert_no_host_for_live_migration(server, host='bad')
        self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
        self.assertEqual(1, len(self.said(
            'INFO', r'%s, live-migration: removed 1 of 1 hosts, .*'
            r'software_version: .*"1\.2\.0".*: 1 \(bad\)' % server['id'])))
        self.live_migrate(server, host='good')
        self.assert_device_on(server, 'good', 0)

    def test_direction(self):
        """It is the destination that accepts the source."""
        self.start_hosts(src=[published(version='1.2.0')],
                         dst=[published(version='1.3.0')])
        server = self.boot()
        self.live_migrate(server)
        self.assert_device_on(server, 'dst', 0)
        self.assert_no_host_for_live_migration(server)

    def test_same_type_by_name(self):
        """Nova makes a plain TYPE_B there, and refuses it afterwards."""
        self.start_hosts(
            src=[published(TYPE_A)],
            renamed=[published(TYPE_B, compatible=[
                {}, {'mdev_type': TYPE_A, 'software_version': '1.2'}])])
        skipped = self.useFixture(fixtures.FakeLogger(
            'nova.conductor.tasks.live_migrate', level=logging.DEBUG,
            nuke_handlers=False))
        server = self.boot()
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
        self.assertEqual(1, len(self._said_of_same_type()))
        self.assertNotIn('Skipping host', skipped.output)
        self.mdev_compat(live_migration_same_type=False)
        self.moves.restart()
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=2, destination_checks=1, source_checks=1)
        # Nothing more of ours; now it is Nova that says so.
        self.assertEqual(1, len(self._said_of_same_type()))
        self.assertRegex(
            skipped.output,
            'Skipping host: renamed because: .*Source mdev types.*%s.*'
            'not supported by this compute' % TYPE_A)

    def _said_of_same_type(self):
        return self.said('INFO', 'removed 1 of 1 .*live_migration_same_type')


#: Source, and per destination whether it accepts that source.
VERDICTS = {
    'version': ({'version': '1.2.7'}, [
        (True, {'version': '1.2.7'}),
        (True, {'version': '1.2.0'}),
        (True, {'version': '01.02'}),
        (True, {'version': '1.3.0'}),
        (True, {'version': '1.10'}),
        (False, {'version': '1.1.9'}),
        (False, {'version': '2.2.7'}),
        (False, {'version': '0.2.7'}),
        (False, {'version': None}),
    ]),
    'no_version': ({'version': None}, [
        (True, {'version': None}),
        (False, {'version': '1.2.0'}),
    ]),
    'version_range': ({'version': '1.2.0'}, [
        (True, {'version': '2.0', 'compatible': [
            {}, {'software_version': {'minimum': '1.1', 'maximum': '2.0'}}]}),
        (False, {'version': '2.0', 'compatible': [
            {}, {'software_version': {'minimum': '1.3', 'maximum': '2.0'}}]}),
    ]),
    'ecc_on': ({'ecc': True}, [
        (True, {'ecc': True}),
        (False, {'ecc': False}),
        (False, {}),
        (True, {'ecc': False, 'compatible': [
            {'attributes': {'ecc': {'any': True}}}]}),
    ]),
    'ecc_off': ({'ecc': False}, [
        (False, {'ecc': True}),
        (True, {'ecc': False}),
        (False, {}),
    ]),
    'ecc_absent': ({}, [
        (False, {'ecc': True}),
        (False, {'ecc': False}),
        (True, {}),
    ]),
    'features': ({'features': ['codec']}, [
        (True, {'features': ['codec']}),
        (True, {'features': ['compute', 'codec']}),
        (False, {'features': ['compute']}),
        (False, {}),
    ]),
}


@ddt.ddt
class VerdictTests(base.FunctionalTestCase):
    """Equal type names, so that plain Nova would take any of them."""

    @ddt.data(*VERDICTS)
    def test_accepted(self, name):
        source, destinations = VERDICTS[name]
        self.start_host('src', [published(**source)])
        accepted = []
        for number, (verdict, destination) in enumerate(destinations):
            host = 'dst%d' % number
            self.start_host(host, [published(**destination)])
            if verdict:
                accepted.append(host)
        server = self.boot()
        self.live_migrate(server)
        self.assertEqual(accepted, sorted(self.kept()))
        self.assert_device_on(server, accepted[0], 0)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)


class EntryTests(base.FunctionalTestCase):
    """Entries that are not for everybody."""

    AGGREGATED = {
        'variables': {'aggr': {'minimum': 2, 'maximum': 8}},
        'attributes': {'aggregation': '${aggr}'},
        'create': {'attributes': {'aggregation': '${aggr}'}},
    }

    def test_create_of_more_than_a_plain_device(self):
        self.start_hosts(
            src=[published(aggregation=2)],
            dst=[published(aggregation=1, compatible=[self.AGGREGATED])])
        server = self.boot()
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
        self.mdev_compat(honour_create=True)
        self.live_migrate(server)
        self.assert_device_on(server, 'dst', 0)

    def test_the_next_entry_is_tried(self):
        self.start_hosts(
            src=[published(aggregation=2)],
            dst=[published(aggregation=1, compatible=[
                self.AGGREGATED, {'attributes': {'aggregation': 2}}])])
        server = self.boot()
        self.live_migrate(server)
        self.assert_device_on(server, 'dst', 0)

    def test_a_cold_entry_is_not_for_live_migration(self):
        self.start_hosts(
            src=[published(version='1.2.0')],
            dst=[published(version='2.0.0', compatible=[
                {}, {'software_version': {'any': True}, 'level': 'cold'}])])
        server = self.boot()
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
