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

"""The documentation's page on rules is true."""

import json
import pathlib
from typing import Any

import testtools
import yaml

from nova_mdev_compat.publisher.rules import loading
from nova_mdev_compat.publisher.rules import reading
from nova_mdev_compat.publisher.rules.rule_set import RuleSet
from tests.unit import shipped_table

PAGE = pathlib.Path(__file__).parents[2] / 'doc' / 'source' / 'rules.rst'
FOLDER = PAGE.parent / 'rules'
EXAMPLES = ('acme.yaml', 'site.yaml')


def rule_set(*more: tuple[str, bytes]) -> RuleSet:
    return RuleSet((
        *(loading.read_file(path) for path in sorted(
            loading.shipped_folder().glob('*.yaml'))),
        *(reading.read(name, (FOLDER / name).read_bytes())
          for name in EXAMPLES),
        *(reading.read(name, text) for name, text in more)))


def facts() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(
        (FOLDER / 'facts.yaml').read_text('utf-8'))
    return found


class TestPage(testtools.TestCase):

    def test_the_example(self) -> None:
        rules = rule_set()
        self.assertEqual((), rules.faults)
        found = rules.document(facts())
        self.assertEqual(json.loads((FOLDER / 'document.json').read_text(
            'utf-8')), found.plain)
        self.assertEqual(('acme-gpu', 'acme-gpu-here'), found.rules)
        self.assertEqual((), found.notes)

    def test_what_the_site_switches(self) -> None:
        rules = rule_set()
        enabled = {rule.name: rules.is_enabled(rule) for rule in rules.rules}
        self.assertTrue(enabled['nvidia-vgpu-same-branch'])
        self.assertFalse(enabled['intel-gvt-g'])

    def test_yaml_in_the_page(self) -> None:
        """Each piece is a rule file that goes with the examples."""
        pieces = [
            (f'{index}.yaml', ('\n'.join(block).encode()))
            for index, block in enumerate(_blocks(PAGE.read_text('utf-8')))]
        self.assertEqual(2, len(pieces))
        self.assertEqual((), rule_set(*pieces).faults)

    def test_the_fault_in_the_page(self) -> None:
        site = (FOLDER / 'site.yaml').read_bytes().replace(
            b'stage: accept', b'stage: acept')
        fault, = (fault for fault in rule_set(('site.yaml', site)).faults
                  if 'no rule' not in fault.message)
        self.assertIn(str(fault), PAGE.read_text('utf-8'))

    def test_every_test_of_facts_is_there(self) -> None:
        page = PAGE.read_text('utf-8')
        for name in reading.schema()['$defs']['test']['properties']:
            self.assertIn(f'{name}: ', page)

    def test_every_member_is_there(self) -> None:
        page = PAGE.read_text('utf-8')
        schema = reading.schema()
        for part in (schema, schema['$defs']['rule']):
            for name in part['properties'].keys() - {'format'}:
                self.assertIn(f'``{name}``', page)

    def test_the_shipped_rules(self) -> None:
        self.assertEqual(shipped_table.PLACE.read_text('utf-8'),
                         shipped_table.text(),
                         'python -m tests.unit.shipped_table writes it anew')


def _blocks(page: str) -> Any:
    lines = iter(page.splitlines())
    for line in lines:
        if line.strip() != '.. code-block:: yaml':
            continue
        next(lines)
        block = []
        for inside in lines:
            if not inside.strip():
                break
            block.append(inside)
        indent = len(block[0]) - len(block[0].lstrip())
        yield [row[indent:] for row in block]
