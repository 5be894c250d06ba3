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

"""Questions about a fleet of sixty hosts, answered by the real commands."""

import json
import pathlib
from typing import Any

from nova_mdev_compat.cmd import status
from nova_mdev_compat.codec import traits
from tests.functional import placement_cloud as cloud
from tests.functional import sixty_hosts as sixty
from tests.unit import commands

MIGRATION = '5b1c5f0e-6f3e-4a44-9d60-0f6a4a1f2c11'
NOBODY = 'ffffffff-6f3e-4a44-9d60-0f6a4a1f2c11'
Rows = list[dict[str, Any]]


def digest(kind: sixty.Kind) -> str | None:
    return kind.document and traits.encode(kind.document).digest


OLD, NEW, NO_ECC, OTHER, UNPUBLISHED, CORRUPT = map(digest, sixty.KINDS)


class FleetTestCase(cloud.PlacementTestCase, commands.CommandTestCase):

    def setUp(self) -> None:
        super().setUp()
        sixty.fill(self.placement)

    def ask(self, status: int, command: str, *arguments: str
            ) -> commands.Result:
        result = self.run_command(
            command, '--config-file', str(self.placement.configuration),
            *arguments)
        self.assertEqual(status, result.status, result.err)
        return result

    def rows(self, status: int, command: str, *arguments: str) -> Rows:
        rows: Rows = json.loads(self.ask(
            status, command, '-f', 'json', *arguments).out)
        return rows

    def configure(self, group: str, **options: Any) -> None:
        """Add options to nova.conf."""
        with self.placement.configuration.open('a') as file:
            file.write(f'[{group}]\n' + ''.join(
                f'{name} = {value}\n' for name, value in options.items()))

    def occupy(self, consumer: str, host: str, devices: int) -> None:
        """Another consumer of a host's first pGPU."""
        self.placement.call('PUT', f'/allocations/{consumer}', {
            'allocations': {
                sixty.host_uuid(host): {'resources': sixty.FLAVOR},
                sixty.provider_uuid(host): {'resources': {'VGPU': devices}}},
            'project_id': 'project', 'user_id': 'user',
            'consumer_generation': None, 'consumer_type': 'MIGRATION'})

    def release(self, consumer: str) -> None:
        self.placement.call('DELETE', f'/allocations/{consumer}')


def verdicts(rows: Rows) -> list[tuple[str, int, str | None]]:
    return [(row['Verdict'], row['Providers'], row['Document'])
            for row in rows]


class TestExplain(FleetTestCase):

    def test_everywhere(self) -> None:
        rows = self.rows(0, 'explain', sixty.server_uuid('old-01'))
        self.assertEqual([
            ('accepted', 20, NEW), ('accepted', 18, OLD),
            ('refused', 20, NO_ECC), ('refused', 20, OTHER),
            ('unpublished', 20, None), ('corrupt', 20, CORRUPT),
            ('source', 2, OLD)], verdicts(rows))
        self.assertEqual([20, 36, 0, 80], [row['Free'] for row in rows[:4]])
        self.assertEqual([f'new-{number:02d}' for number in range(1, 11)],
                         rows[0]['Hosts'])
        # The closest entry, the field, both values.
        [reason] = rows[2]['Reasons']
        self.assertEqual(
            (0, '/attributes/ecc', True, 'only false'),
            tuple(reason[name] for name in ('entry', 'pointer', 'source',
                                            'wanted')))
        # A request for each document, and few besides.
        self.assertLess(len(self.placement.requests), 25)

        out = self.ask(0, 'explain', sixty.server_uuid('old-01')).out
        self.assertIn('holds 1 VGPU of old-01_pci_0000_81_00_0', out)
        self.assertIn('ecc: the source has true, this device accepts only '
                      'false (entry 0)', out)
        self.assertIn('It can move now: 38 providers on 19 hosts', out)
        self.assertNotIn('\x1b', out)
        # What could be done is of no interest then.
        self.assertNotIn('--health', out)

    def test_nowhere(self) -> None:
        server = sixty.server_uuid('noecc-03')
        result = self.ask(1, 'explain', server)
        self.assertIn('Nova would find no valid host', result.out)
        self.assertIn('unpublished: nova-mdev-compat-publisher --health',
                      result.out)
        self.assertEqual(
            ('full', 18, NO_ECC),
            verdicts(self.rows(1, 'explain', server))[0])

    def test_hosts_one_by_one(self) -> None:
        rows = self.rows(0, 'explain', sixty.server_uuid('old-01'),
                         '--host', 'noecc-01', '--host', 'new-02')
        self.assertEqual(
            [('accepted', 'new-02', sixty.provider_uuid('new-02', number))
             for number in range(2)]
            + [('refused', 'noecc-01',
                sixty.provider_uuid('noecc-01', number))
               for number in range(2)],
            [(row['Verdict'], row['Host'], row['Provider']) for row in rows])
        self.assertIn('no device provider there', self.ask(
            2, 'explain', sixty.server_uuid('old-01'), '--host', 'noecc-1'
        ).err)

    def test_accepted_but_not_offered(self) -> None:
        self.configure('scheduler', max_placement_results=1)
        result = self.run_command(
            'explain', '--config-file', str(self.placement.configuration),
            '-f', 'json', '--long', sixty.server_uuid('new-05'))
        rows = json.loads(result.out)
        told = [row['Verdict'] for row in rows
                if row['Verdict'] in ('accepted', 'not offered')]
        # One candidate is offered, and it may be the server's own host.
        self.assertEqual(18, len(told))
        self.assertLessEqual(told.count('accepted'), 1)
        self.assertEqual(0 if 'accepted' in told else 1, result.status)
        [why] = {row['Why'][-1] for row in rows
                 if row['Verdict'] == 'not offered'}
        self.assertIn('beyond the first 1 candidates', why)

    def test_a_host_without_room_for_the_rest(self) -> None:
        root = sixty.host_uuid('new-04')
        self.placement.set_traits(root, 'COMPUTE_STATUS_DISABLED')
        rows = self.rows(1, 'explain', sixty.server_uuid('new-05'),
                         '--host', 'new-04')
        self.assertEqual(['host lacks room'] * 2,
                         [row['Verdict'] for row in rows])
        self.assertIn('MEMORY_MB 16384, VCPU 8', rows[0]['Why'][-1])

    def test_during_a_move(self) -> None:
        server = sixty.server_uuid('old-01')
        self.release(server)
        # Before the scheduler is called ...
        self.occupy(MIGRATION, 'old-01', 1)
        self.assertIn('openstack server migration list', self.ask(
            2, 'explain', server).err)
        # ... and when the destination has been claimed.
        self.occupy(server, 'new-01', 1)
        for arguments in ((MIGRATION,), (server, '--migration', MIGRATION)):
            out = self.ask(0, 'explain', *arguments).out
            self.assertIn(f'{MIGRATION} holds 1 VGPU of old-01_pci', out)

    def test_evacuated(self) -> None:
        """It holds devices on the dead host and on the new one."""
        server = sixty.server_uuid('old-01')
        path = f'/allocations/{server}'
        held = self.placement.call('GET', path)
        held['allocations'] = {
            sixty.provider_uuid(host): {'resources': {'VGPU': 1}}
            for host in ('old-01', 'new-01')}
        self.placement.call('PUT', path, held)
        self.assertIn('--source-host', self.ask(2, 'explain', server).err)
        out = self.ask(0, 'explain', server, '--source-host', 'new-01').out
        self.assertIn('of new-01_pci_0000_81_00_0', out)

    def test_bad_questions(self) -> None:
        for server, words in ((NOBODY, 'holds nothing'),
                              ('web1', 'not a UUID')):
            self.assertIn(words, self.ask(2, 'explain', server).err)
        result = self.run_command('explain', NOBODY)
        self.assertEqual(2, result.status)
        self.assertIn('--config-file', result.err)


class TestHeadroom(FleetTestCase):

    def test_kinds(self) -> None:
        rows = self.rows(1, 'headroom')
        self.assertEqual([
            # Document, carrying, used, accepting, with room, free, stranded
            (NO_ECC, 20, 80, 20, 0, 0, 80),
            (NEW, 20, 60, 20, 20, 20, 0),
            (OTHER, 20, 0, 20, 20, 80, 0),
            (OLD, 20, 40, 40, 40, 60, 0)],
            [tuple(row[name] for name in (
                'Document', 'Carrying', 'Used', 'Accepting', 'With room',
                'Free', 'Stranded')) for row in rows])
        self.assertEqual(3, len(self.rows(1, 'headroom', '--occupied')))

    def test_servers(self) -> None:
        self.restart()
        rows = self.rows(1, 'headroom', '--servers')
        self.assertEqual(
            {sixty.server_uuid(host, pgpu, number)
             for host in sixty.host_names(sixty.KINDS[2])
             for pgpu in range(2) for number in range(sixty.DEVICES)},
            {row['Server'] for row in rows})
        self.assertEqual(20, len(self.asked('GET', '/allocations')))

    def test_all_is_well(self) -> None:
        self.release(sixty.server_uuid('noecc-01'))
        rows = self.rows(1, 'headroom')
        # The one free device is on the host of eight that hold some.
        self.assertEqual((NO_ECC, 1, 7), tuple(
            rows[0][name] for name in ('Document', 'With room',
                                       'Stranded')))
        self.release(sixty.server_uuid('noecc-02'))
        self.assertEqual(0, self.rows(0, 'headroom')[0]['Stranded'])


class TestMatrix(FleetTestCase):

    def test_documents_in_use(self) -> None:
        rows = self.rows(0, 'matrix')
        live = {row['Document']: row['Live'] for row in rows}
        self.assertEqual({NO_ECC: [NO_ECC], OLD: [OLD, NEW], NEW: [NEW],
                          OTHER: [OTHER]}, live)
        self.assertEqual(['ecc true'], rows[1]['Details'])
        out = self.ask(0, 'matrix').out
        self.assertIn('| .##. |', out)

    def test_picture(self) -> None:
        for suffix, begin in (('svg', b'<?xml'), ('png', b'\x89PNG')):
            path = pathlib.Path(self.directory, f'matrix.{suffix}')
            self.ask(0, 'matrix', '--picture', str(path))
            self.assertTrue(path.read_bytes().startswith(begin))


class TestStatus(FleetTestCase):

    def check(self) -> dict[str, tuple[int, str]]:
        output = self.useFixture(commands.Output())
        self.code = status.main(['--config-file', str(
            self.placement.configuration), 'upgrade', 'check', '--json'])
        return {one['check']: (one['result'], one['details'])
                for one in json.loads(output.text())['checks']}

    def test_all_checks(self) -> None:
        stranger = self.placement.make_provider()
        self.placement.call(
            'PUT', f'/resource_providers/{stranger}/inventories', {
                'resource_provider_generation': 0, 'inventories': {
                    'FPGA': {'total': 1}}})
        self.placement.publish(sixty.OLD, stranger)
        foreign = self.placement.make_provider()
        self.placement.set_traits(foreign, 'CUSTOM_MDEV_COMPAT2_' + 'A' * 26)
        self.configure('filter_scheduler', enabled_filters=(
            'NUMATopologyFilter,MdevCompatFilter'),
            available_filters='nova_mdev_compat.filters.all_filters')
        self.configure('scheduler', max_placement_results=100)
        found = self.check()
        self.assertEqual(2, self.code)
        self.assertEqual({
            'Filter enabled': 0, 'Filter importable': 0,
            'Filter before costly ones': 1, 'Options': 0,
            'Placement microversion': 0, 'Credentials for reading': 0,
            'Role for publishing': 0, 'Unpublished providers': 1,
            'Document formats': 1, 'Corrupt documents': 2, 'Traits': 0,
            'Rules of drivers': 0, 'max_placement_results': 1,
            'Resource classes': 1},
            {name: result for name, (result, _) in found.items()})
        for name, words in (
                ('Filter before costly ones', 'NUMATopologyFilter'),
                ('Unpublished providers', '20 of 120'),
                ('Document formats', 'format 2 (1)'),
                ('Corrupt documents', str(CORRUPT)),
                ('Traits', '10 of 11 custom traits are ours; 0 of ours'),
                ('max_placement_results', '120'),
                ('Resource classes', 'FPGA (1)')):
            self.assertIn(words, found[name][1])
        # Nothing was written.
        self.assertEqual(['PUT /traits/HW_CPU_X86_AVX'],
                         self.asked('PUT'))

    def test_placement_is_away(self) -> None:
        self.placement.hook = lambda method, path: cloud.answer(
            403, 'Only for admins')
        found = self.check()
        self.assertEqual(2, self.code)
        self.assertEqual(2, found['Filter enabled'][0])
        self.assertEqual(2, found['Credentials for reading'][0])
        self.assertIn('Only for admins', found['Corrupt documents'][1])
        self.assertEqual(1, found['Role for publishing'][0])


class TestPlan(FleetTestCase):

    def plan(self, status: int, oldest: str, *arguments: str,
             **attributes: Any) -> Rows:
        """Ask for an upgrade to a release that loads others from `oldest`."""
        self.new = sixty.document(sixty.TYPE, '560.10.01', oldest,
                                  **attributes)
        return self.rows(status, 'plan', *arguments,
                         self.file('new.json', self.new.canonical))

    def test_plan_is_followed_in_placement(self) -> None:
        hosts = ['old-01', 'old-02', 'old-03']
        steps = self.plan(0, '550.0', '--moves', *(
            word for host in hosts for word in ('--host', host)), ecc=True)
        names = {sixty.provider_name(host, number):
                 sixty.provider_uuid(host, number)
                 for kind in sixty.KINDS for host in sixty.host_names(kind)
                 for number in range(2)}
        upgraded = []
        for step in steps:
            if step['Action'] == 'upgrade':
                upgraded.append(step['From'])
                self.upgrade(step['From'])
            else:
                # Placement refuses what does not fit.
                self.move(step['Server'], step['To'],
                          names[step['To provider']])
        self.assertEqual(hosts, sorted(upgraded))

    def upgrade(self, host: str) -> None:
        names = traits.encode(self.new)
        self.placement.make_traits(*names.chunks)
        for number in range(2):
            provider = sixty.provider_uuid(host, number)
            usages = self.placement.call(
                'GET', f'/resource_providers/{provider}/usages')['usages']
            self.assertEqual({'VGPU': 0}, usages)
            self.placement.set_traits(provider, names.marker)

    def move(self, server: str, host: str, provider: str) -> None:
        path = f'/allocations/{server}'
        held = self.placement.call('GET', path)
        held['allocations'] = {
            sixty.host_uuid(host): {'resources': sixty.FLAVOR},
            provider: {'resources': {'VGPU': 1}}}
        self.placement.call('PUT', path, held)

    def test_stranded(self) -> None:
        rows = self.plan(1, '525.60', ecc=False)
        kept = [row for row in rows if row['Action'] == 'keep back']
        self.assertEqual(sixty.host_names(sixty.KINDS[2]),
                         [row['Host'] for row in kept])
        self.assertEqual({sixty.server_uuid('noecc-01', pgpu, number)
                          for pgpu in range(2) for number in range(4)},
                         {*kept[0]['Stranded']})
        advice = ' '.join(row['Why'] for row in rows
                          if row['Action'] == 'advice')
        # An entry for another mdev type would not help: Nova wants the same.
        self.assertIn('accepts nvidia-558 535.161.05 ecc false', advice)
        self.assertNotIn('nvidia-1145', advice)
        self.assertIn('80 devices', advice)

    def test_bad_input(self) -> None:
        new = self.file('new.json', sixty.document(
            'nvidia-1', '560.10.01', '550.0').canonical)
        self.assertIn('none of these hosts', self.ask(2, 'plan', new).err)
        self.assertIn('DIGEST=FILE', self.ask(
            2, 'plan', new, '--replace', str(OLD)).err)
        self.assertIn('no provider carries', self.ask(
            2, 'plan', new, '--replace', 'X=' + new).err)
