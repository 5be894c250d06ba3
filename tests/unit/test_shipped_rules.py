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

"""Each shipped rule on facts, and its documents before the matcher."""

import collections
import datetime
import pathlib
from typing import Any

import ddt
import fixtures
import testtools
import yaml

from nova_mdev_compat.compat.matching import Matcher
from nova_mdev_compat.publisher.probes.sysfs import SysfsProbe
from nova_mdev_compat.publisher.rules import loading
from tests.unit import rule_cases
from tests.unit import sysfs_trees

DOCUMENTS = tuple(rule_cases.cases('documents'))
PAIRS = tuple(rule_cases.cases('pairs'))
#: Trees that stand for /sys, and the rules that describe their devices.
PROBED = (
    ('intel-gvt-g', {('0000:00:02.0', 'i915-GVTg_V5_4'): 'intel-gvt-g'}),
    ('nvidia-mdev-on-vf', {('0000:41:00.4', 'nvidia-558'): 'nvidia-vgpu'}),
    ('nvidia-vf-without-mdev', {('0000:41:00.4', None): 'nvidia-vgpu-vf'}),
    ('qat-gen4-vf', {('0000:6b:00.1', None): 'intel-qat-gen4-vf'}),
    ('hisi-acc-vf', {('0000:76:00.1', None): 'hisi-acc-vf'}),
    ('mlx5-vf', {('0000:08:00.2', None): 'mlx5-vf'}),
    ('vfio-ccw', {('0.0.0313', 'vfio_ccw-io'): 'vfio-ccw'}),
    ('vfio-ap', {('matrix', 'vfio_ap-passthrough'): None}),
    (None, {('mtty', 'mtty-1'): 'mtty', ('mtty', 'mtty-2'): 'mtty',
            ('mdpy', 'mdpy-vga'): 'mdpy-mbochs',
            ('mbochs', 'mbochs-small'): 'mdpy-mbochs'}),
)
VERDICTS = rule_cases.DIRECTORY / 'kernel' / 'verdicts.yaml'


class TestShippedFiles(testtools.TestCase):

    def test_there_are_no_faults(self) -> None:
        loaded = loading.load([loading.shipped_folder()])
        self.assertEqual((), loaded.faults)
        self.assertNotEqual((), loaded.rule_set.rules)

    def test_every_rule_names_source_and_date(self) -> None:
        for rule in rule_cases.rule_set().rules:
            self.assertTrue(rule.source, rule.name)
            self.assertTrue(rule.description, rule.name)
            # Raises where it is none.
            datetime.date.fromisoformat(rule.date)

    def test_every_statement_names_source_and_date(self) -> None:
        for path in loading.shipped_folder().glob('*.yaml'):
            content = yaml.safe_load(path.read_text('utf-8'))
            for statement in content.get('facts', ()):
                self.assertTrue(statement['source'], path)
                self.assertIsInstance(statement['date'], datetime.date)

    def test_every_rule_has_documents(self) -> None:
        used = {name for case in DOCUMENTS for name in case.content['rules']}
        self.assertEqual(
            {rule.name for rule in rule_cases.rule_set().rules}, used)

    def test_every_rule_accepts_and_refuses(self) -> None:
        """In pairs whose destination it has a say in."""
        seen = collections.defaultdict(set)
        for case in PAIRS:
            described = case.rule_set.document(case.facts('destination'))
            for name in described.rules:
                seen[name].add(case.content['accepted'])
        for rule in rule_cases.rule_set().rules:
            self.assertEqual({True, False}, seen[rule.name], rule.name)


@ddt.ddt
class TestDocuments(testtools.TestCase):

    @ddt.data(*DOCUMENTS)
    def test_document(self, case: Any) -> None:
        found = case.rule_set.document(case.facts('device'))
        self.assertEqual(tuple(case.content['rules']), found.rules)
        self.assertEqual(case.content.get('missing'), found.missing)
        for member, expected in (('self', found.plain['self']),
                                 ('compatible', found.plain['compatible'])):
            if member in case.content:
                self.assertEqual(case.content[member], expected)
        self.assertEqual((), found.doubts)

    @ddt.data(*DOCUMENTS)
    def test_what_is_not_known_is_noted(self, case: Any) -> None:
        found = case.rule_set.document(case.facts('device'))
        if found.missing is None:
            unknown = sorted({note.split(' the fact ')[1].split(' ')[0]
                              for note in found.notes})
            self.assertEqual(case.content.get('unknown', []), unknown)

    @ddt.data(*DOCUMENTS)
    def test_one_rule_describes_it(self, case: Any) -> None:
        """Shipped rules do not depend on their order."""
        rules = case.rule_set
        known = rules._state(case.facts('device'), {})
        bases = [rule.name for rule in rules.rules
                 if rule.adds_to is None and rule.when.holds(known)]
        self.assertEqual(list(case.content['rules'][:1]), bases)

    @ddt.data(*DOCUMENTS)
    def test_it_does_not_change_with_use(self, case: Any) -> None:
        facts = case.facts('device')
        used = {**facts, 'type.available_instances': 0, 'type.instances': 7,
                'nvidia.creatable_vgpu_types': ()}
        rules = case.rule_set
        self.assertEqual(rules.document(facts).document.canonical,
                         rules.document(used).document.canonical)


@ddt.ddt
class TestProbed(testtools.TestCase):
    """What the probe of /sys finds is what the rules ask for."""

    @ddt.data(*PROBED)
    @ddt.unpack
    def test_rules(self, name: str | None, expected: Any) -> None:
        root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        if name is None:
            sysfs_trees.unpack_captured(root)
            sysfs_trees.build({'proc/sys/kernel': {
                'osrelease': '6.12.117+deb13-amd64'}}, root)
        else:
            sysfs_trees.documented()[name].build(root)
        parents = {parent.name: parent
                   for parent in SysfsProbe(root).parents({})}
        for (parent, mdev_type), rule in expected.items():
            found = rule_cases.rule_set().document(
                parents[parent].device(mdev_type))
            self.assertEqual((rule,), found.rules[:1] or (None,))


@ddt.ddt
class TestPairs(testtools.TestCase):

    @ddt.data(*PAIRS)
    def test_pair(self, case: Any) -> None:
        rules = case.rule_set
        verdict = Matcher(
            rules.document(case.facts('destination')).document).match(
                rules.document(case.facts('source')).document.device,
                level=case.content.get('level', 'live'), plain_only=True)
        self.assertEqual(case.content['accepted'], verdict.accepted,
                         (case.content['origin'], verdict))
        if 'fields' in case.content:
            self.assertEqual(
                set(case.content['fields']),
                {reason.pointer for reason in verdict.reasons} - {''})


class TestKernel(testtools.TestCase):
    """What a kernel has loaded is accepted, what it has refused is not."""

    def test_verdicts(self) -> None:
        verdicts = yaml.safe_load(VERDICTS.read_text('utf-8'))
        self.assertEqual(14, len(verdicts))
        for verdict in verdicts:
            accepted = Matcher(_document(verdict['destination'])).match(
                _document(verdict['source'],
                          verdict.get('stream', {})).device)
            self.expectThat(accepted.accepted, testtools.matchers.Equals(
                verdict['loaded']), str(verdict))


def _document(mdev_type: str, stream: dict[str, int] | None = None) -> Any:
    """The document of a driver, or of one with another stream."""
    facts = {'device_api': 'vfio-pci', 'bus': 'virtual',
             'mdev_type': mdev_type, 'driver': mdev_type.partition('-')[0],
             'driver.version': '0.1', 'kernel.release': '6.12.117'}
    stated = ''
    if stream:
        version = f'{stream.get("major", 1)}.{stream.get("minor", 0)}'
        stated = yaml.safe_dump({'facts': [
            {'when': {'driver.version': '0.1'},
             'facts': {'mtty.stream': version,
                       'mtty.flags': stream.get('flags', 0)}}]})
    rules = rule_cases.rule_set(*([stated] if stated else []))
    return rules.document(facts).document
