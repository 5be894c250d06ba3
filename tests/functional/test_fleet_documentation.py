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

"""The answers that the documentation shows are those of the commands."""

import os
import pathlib
import shlex
import textwrap

from nova_mdev_compat.cmd import status
from tests.functional import sixty_hosts as sixty
from tests.functional.test_fleet_commands import FleetTestCase
from tests.unit import commands

FOLDER = pathlib.Path(__file__).parents[2] / 'doc' / 'source' / 'questions'
#: Set, the files are written anew and not compared.
WRITE = 'MDEV_COMPAT_WRITE_EXAMPLES'
# What a page has room for.
WIDTH = 100
SERVER = sixty.server_uuid('old-01')
HOSTS = ('--host', 'noecc-01', '--host', 'corrupt-01')


class TestExamples(FleetTestCase):

    def document(self, oldest: str, **attributes: bool) -> None:
        self.file('new.json', sixty.document(
            sixty.TYPE, '560.10.01', oldest, **attributes).canonical)

    def test_answers(self) -> None:
        for name, words in (
                ('explain', ('explain', SERVER)),
                ('explain-host', ('explain', *HOSTS, SERVER)),
                ('headroom', ('headroom',)), ('matrix', ('matrix',))):
            self.show(name, *words)
        for name, oldest, ecc, hosts in (
                ('plan', '550.0', True, 'old-0[1-4]'),
                ('plan-stranded', '525.60', False, 'noecc-0[1-3]')):
            self.document(oldest, ecc=ecc)
            self.show(name, 'plan', '--host', hosts, 'new.json')

    def test_picture(self) -> None:
        path = self.directory / 'matrix.svg'
        self.ask(0, 'matrix', '--picture', str(path))
        if os.environ.get(WRITE):
            (FOLDER / 'matrix.svg').write_bytes(path.read_bytes())

    def test_status(self) -> None:
        self.configure('filter_scheduler', enabled_filters=(
            'ComputeFilter,MdevCompatFilter'),
            available_filters='nova_mdev_compat.filters.all_filters')
        output = self.useFixture(commands.Output())
        status.main(['--config-file', str(self.placement.configuration),
                     'upgrade', 'check'])
        self.compare('status', 'nova-mdev-compat-status --config-file '
                     'nova.conf upgrade check', output.text())

    def show(self, name: str, command: str, *arguments: str) -> None:
        given = [str(self.directory / word) if word.endswith('.json')
                 else word for word in arguments]
        result = self.run_command(
            command, '--config-file', str(self.placement.configuration),
            '--max-width', str(WIDTH), *given)
        self.compare(name, shlex.join(
            ['nova-mdev-compat', command, '--config-file', 'nova.conf',
             *arguments]), result.out)

    def compare(self, name: str, command: str, out: str) -> None:
        typed = textwrap.wrap(f'$ {command}', WIDTH - 2,
                              subsequent_indent='      ',
                              break_on_hyphens=False)
        text = ' \\\n'.join(typed) + f'\n{out}'
        path = FOLDER / f'{name}.txt'
        if os.environ.get(WRITE):
            path.write_text(text, 'utf-8')
        self.assertEqual(path.read_text('utf-8'), text)
