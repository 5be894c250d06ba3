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


"""The page on facts names every fact, and its probe works."""

import importlib.util
import json
import pathlib
import re
from typing import Any

import fixtures
import testtools

from nova_mdev_compat.publisher import facts
from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher import findings
from nova_mdev_compat.publisher.probes.sysfs import SysfsProbe
from tests.unit import sysfs_trees
from tests.unit import test_nvml_probe

SOURCE = pathlib.Path(__file__).parents[2] / 'doc' / 'source'
KEYS = 'type.description.<key>'


def documented_names() -> set[str]:
    table = (SOURCE / 'facts.rst').read_text('utf-8').partition('Probes\n')[0]
    cells = re.findall(r'^   \* - (``.*?)\n     - ', table, re.M | re.S)
    return {name for cell in cells for name in re.findall('``(.*?)``', cell)}


def names_in(parents: list[Parent]) -> set[str]:
    names: set[str] = set()
    for parent in parents:
        for mdev_type in (None, *parent.types):
            names.update(parent.device(mdev_type))
    return {KEYS if name.startswith('type.description.') else name
            for name in names}


class TestFactsPage(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def found_names(self) -> set[str]:
        parents = [parent for tree in sysfs_trees.documented().values()
                   for parent in tree.parents]
        parents += SysfsProbe(str(
            sysfs_trees.unpack_captured(self.root))).parents({})
        parents += [test_nvml_probe.expected(row)
                    for recorded in test_nvml_probe.RECORDED.values()
                    for row in recorded['parents'].values()]
        return names_in(parents)

    def test_names_every_fact(self) -> None:
        self.assertEqual(self.found_names(), documented_names())

    def test_the_source_names_them_too(self) -> None:
        text = facts.__doc__ or ''
        for name in documented_names():
            start = name.rpartition('.')[0] + '.*`'
            self.assertTrue(f'`{name}`' in text or f'`{start}' in text, name)

    def pool_probe(self) -> Any:
        spec = importlib.util.spec_from_file_location(
            'pool_probe', SOURCE / 'pool_probe.py')
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.PoolProbe

    def find(self, text: str | None) -> findings.Findings:
        file = self.root / 'pools.json'
        if text is not None:
            file.write_text(text, encoding='utf-8')
        sysfs_trees.unpack_captured(self.root)
        pool_probe = self.pool_probe()
        return findings.find(str(self.root), probes={
            'sysfs': SysfsProbe,
            'pools': lambda root: pool_probe(root, str(file))})

    def test_example_adds_a_fact(self) -> None:
        found = self.find(json.dumps({'mtty': 'serial', 'gone': 'x'}))
        self.assertEqual((), found.failures)
        self.assertEqual('serial', found.parents['mtty'].device(
            'mtty-1')['site.pool'])
        self.assertNotIn('site.pool', found.parents['mdpy'].facts)
        self.assertNotIn('gone', found.parents)

    def test_example_without_its_file(self) -> None:
        self.assertEqual((), self.find(None).failures)

    def test_example_fails(self) -> None:
        found = self.find('{')
        self.assertIn('probe pools: ', str(found.failure('mtty')))
        self.assertEqual({'mtty', 'mdpy', 'mbochs'}, set(found.parents))
