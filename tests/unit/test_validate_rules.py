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

"""nova-mdev-compat validate, of rule files."""

import json

import ddt

from nova_mdev_compat.publisher.rules import loading
from tests.unit import commands
from tests.unit import crafted

GOOD = 'rules:\n- {name: acme, when: {driver: acme}, compatible: [{}]}\n'
BAD = 'rules:\n- name: acme\n  when: {driver: acme}\n  date: 1.5\n'
ADDS = 'rules:\n- {name: mine, adds_to: %s}\n'

#: Title, arguments, what is on standard input, exit status.
STATUSES = (
    ('a rule file', 'validate good.yaml', '', 0),
    ('a wrong one', 'validate bad.yaml', '', 1),
    ('both', 'validate good.yaml bad.yaml', '', 1),
    ('a document and a rule file', 'validate example.json good.yaml', '', 0),
    ('a document called a rule file', 'validate document.yaml', '', 1),
    ('a rule file called a document', 'validate rules.json', '', 1),
    ('a rule file of another name', 'validate rules.d', '', 0),
    ('a wrong one of another name', 'validate bad.d', '', 1),
    ('rules on standard input', 'validate -', GOOD, 0),
    ('wrong rules on standard input', 'validate -', BAD, 1),
    ('a document on standard input', 'validate -',
     json.dumps(crafted.EXAMPLE), 0),
    ('not there', 'validate missing.yaml', '', 2),
    ('a directory', 'validate directory.yaml', '', 2),
    ('not there and wrong', 'validate missing.yaml bad.yaml', '', 2),
    ('too long', 'validate long.yaml', '', 1),
    ('adding to a shipped rule', 'validate shipped.yaml', '', 0),
    ('adding to no rule', 'validate adds.yaml', '', 1),
    ('adding to a rule of another file', 'validate adds.yaml good.yaml', '',
     0),
    ('one file twice', 'validate good.yaml good.yaml', '', 0),
)


@ddt.ddt
class TestValidate(commands.CommandTestCase):

    def setUp(self) -> None:
        super().setUp()
        for name, content in (
                ('good.yaml', GOOD), ('bad.yaml', BAD), ('rules.d', GOOD),
                ('bad.d', BAD), ('rules.json', GOOD),
                ('example.json', crafted.EXAMPLE),
                ('document.yaml', crafted.EXAMPLE),
                ('long.yaml', '#' * (2 << 20)),
                ('shipped.yaml', ADDS % 'nvidia-vgpu'),
                ('adds.yaml', ADDS % 'acme')):
            self.file(name, content)
        (self.directory / 'directory.yaml').mkdir()

    def arguments(self, line: str) -> list[str]:
        return [str(self.directory / word) if '.' in word else word
                for word in line.split()]

    @ddt.data(*STATUSES)
    @ddt.unpack
    def test_status(self, title: str, line: str, given: str,
                    status: int) -> None:
        found = self.run_command(*self.arguments(line), given=given)
        self.assertEqual(status, found.status, found)

    def test_shipped_files(self) -> None:
        files = sorted(map(str, loading.shipped_folder().glob('*.yaml')))
        self.assertNotEqual([], files)
        found = self.run_command('validate', *files)
        self.assertEqual((0, ''), (found.status, found.err))
        self.assertEqual([f'{name}: valid' for name in files],
                         found.out.splitlines())

    def test_as_text(self) -> None:
        name = str(self.directory / 'bad.yaml')
        found = self.run_command('validate', name)
        self.assertTrue(found.out.startswith(
            f'{name}:4: rule acme: date: 1.5 is a float'), found.out)

    def test_as_json(self) -> None:
        found = self.run_command(*self.arguments(
            'validate --format json bad.yaml example.json'))
        rules, document = json.loads(found.out)
        self.assertEqual((False, True), (rules['valid'], document['valid']))
        fault, = rules['faults']
        self.assertEqual({'line', 'rule', 'message'}, set(fault))
        self.assertEqual((4, 'acme'), (fault['line'], fault['rule']))
