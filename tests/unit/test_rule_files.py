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

"""Rule files that are wrong: what is told, where, and what still works."""

import os
import pathlib
from typing import Any

import ddt
import fixtures
import testtools

from nova_mdev_compat.publisher.rules import loading
from nova_mdev_compat.publisher.rules import reading
from nova_mdev_compat.publisher.rules.rule_set import RuleSet
from nova_mdev_compat.publisher.rules import source

GOOD = '- {name: good, when: {driver: acme}, compatible: [{}]}\n'
FACTS = {'driver': 'acme', 'bus': 'pci'}

#: Title, text, (line, rule, part of the message) of each fault.
FAULTS: tuple[tuple[str, str | bytes, tuple[tuple[int, str | None, str],
                                            ...]], ...] = (
    ('empty', '', ((0, None, 'it is empty'),)),
    ('a comment', '# nothing\n', ((0, None, 'it is empty'),)),
    ('a text', 'rules', ((1, None, '"rules" is not right here'),)),
    ('an empty mapping', '{}', ((1, None, 'is not right here'),)),
    ('no YAML', 'rules:\n- name: a\n  when: {driver: [\n',
     ((4, None, 'it is not YAML'),)),
    ('a tab', 'rules:\n\t- a\n', ((2, None, 'it is not YAML'),)),
    ('not UTF-8', b'rules:\n# caf\xe9\n', ((2, None, 'it is not UTF-8'),)),
    ('a control character', 'rules:\n- "\x01"\n',
     ((2, None, 'the character 0x1 is not allowed'),)),
    ('two documents', 'rules: []\n---\nrules: []\n',
     ((2, None, 'it is not YAML'),)),
    ('an unknown section', 'rules: []\nrule: []\n',
     ((2, None, '"rule" is not known here: did you mean "rules"?'),)),
    ('a section twice', 'rules: []\nrules: []\n',
     ((2, None, 'rules is there more than once'),)),
    ('another format', 'format: 2\nrules: []\n',
     ((1, None, '2 is not right here; allowed: the rule file\'s format: 1'),)),
    ('a mapping for an array', 'rules: {a: {}}\n',
     ((1, None, 'allowed: an array of rules'),)),
    ('a name that is no text', 'rules: []\n1: 2\n',
     ((2, None, '1 is no text'),)),
    ('a name that is a list', 'rules: []\n? [a]\n: 1\n',
     ((1, None, 'line 2: a name is a text'),)),
    ('an unknown tag', 'rules: !!python/object:os.system []\n',
     ((1, None, 'the tag'),)),
    ('a set', 'rules: !!set {a}\n', ((1, None, 'the tag'),)),
    ('half of a surrogate pair', 'rules: ["\\ud800"]\n',
     ((1, None, 'half of a surrogate pair'),)),
    ('a character past Unicode', 'rules: ["\\U00110000"]\n',
     ((0, None, 'it is not YAML'),)),

    ('a rule without a name', 'rules:\n- {when: {driver: a}}\n',
     ((2, None, 'name: "name" is missing'),)),
    ('a name in capitals', 'rules:\n- {name: NVIDIA, when: {driver: a}}\n',
     ((2, None, '"NVIDIA" is not right here; allowed: a rule\'s name'),)),
    ('two rules of one name', 'rules:\n' + GOOD + GOOD,
     ((3, 'good', 'this file has a rule of that name already, in line 2'),)),
    ('no condition', 'rules:\n- {name: a}\n',
     ((2, 'a', '"when" is missing'),)),
    ('an empty condition', 'rules:\n- name: a\n  when: {}\n',
     ((3, 'a', 'when: {} is not right here; allowed: tests of facts'),)),
    ('a member twice', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  date: 2026-01-01\n  date: 2026-01-01\n',
     ((5, 'a', 'date is there more than once'),)),
    ('a merge key', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  <<: {date: 2026-01-01}\n',
     ((4, 'a', 'merge keys are not known here'),)),
    ('an unknown member', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  atributes: {}\n',
     ((4, 'a', 'did you mean "attributes"?'),)),
    ('a date that is none', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  date: 2026-02-30\n', ((4, 'a', '2026-02-30 is no date'),)),
    ('a date in words', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  date: last May\n', ((4, 'a', 'allowed: a date, YYYY-MM-DD'),)),
    ('adding to itself', 'rules:\n- name: a\n  adds_to: a\n',
     ((3, 'a', 'a rule cannot add to itself'),)),
    ('adding to nothing', 'rules:\n- name: a\n  adds_to: b\n',
     ((3, 'a', 'it adds to b, but no rule has that name'),)),
    ('adding to what adds', 'rules:\n' + GOOD + '- name: a\n  adds_to: good\n'
     '- name: b\n  adds_to: a\n',
     ((6, 'b', 'it adds to a, but that one adds to good itself'),)),

    ('an unknown test', 'rules:\n- name: a\n  when:\n'
     '    driver: {regex: "(a*)*b"}\n',
     ((4, 'a', '"regex" is not known here'),)),
    ('two tests in one', 'rules:\n- name: a\n  when:\n'
     '    driver: {glob: "a*", present: true}\n',
     ((4, 'a', '"glob" and "present" do not go together'),)),
    ('absent that is false', 'rules:\n- name: a\n  when:\n'
     '    driver: {absent: false}\n',
     ((4, 'a', 'allowed: true, and nothing else'),)),
    ('a range for nothing', 'rules:\n- name: a\n  when:\n    driver: b\n'
     '    ports: {minimum: 4, maximum: 2}\n',
     ((5, 'a', 'when.ports: the minimum 4 is over the maximum 2'),)),
    ('a range of releases for nothing', 'rules:\n- name: a\n  when:\n'
     '    not:\n      kernel.release: {minimum: "6.10", maximum: "6.9"}\n',
     ((5, 'a', 'the minimum 6.10 is over the maximum 6.9'),)),
    ('a range of both kinds', 'rules:\n- name: a\n  when:\n'
     '    all_of:\n    - x: 1\n    - kernel.release: '
     '{minimum: 6, maximum: "6.9"}\n',
     ((6, 'a', 'both integers, or both texts'),)),
    ('a bound in words', 'rules:\n- name: a\n  when:\n'
     '    x: {minimum: new}\n', ((4, 'a', 'numbers with dots'),)),
    ('a float', 'rules:\n- name: a\n  when:\n'
     '    kernel.release: {minimum: 6.10}\n',
     ((4, 'a', '6.10 is a float: write an integer, or put it into quotes'),)),
    ('a number with leading zeros', 'rules:\n- name: a\n  when:\n'
     '    pci.device: 0012\n', ((4, 'a', 'without leading zeros'),)),
    ('hours and minutes', 'rules:\n- name: a\n  when:\n    x: 12:30\n',
     ((4, 'a', '12:30: write an integer'),)),
    ('yes', 'rules:\n- name: a\n  when:\n    nvml.ecc: yes\n',
     ((4, 'a', 'yes: write true or false'),)),
    ('no value', 'rules:\n- name: a\n  when:\n    driver:\n',
     ((4, 'a', 'there is no value'),)),
    ('a fact in capitals', 'rules:\n- name: a\n  when:\n    Driver: b\n',
     ((4, 'a', '"Driver" is not a fact\'s name'),)),
    ('an integer past 64 bits', 'rules:\n- name: a\n  when:\n'
     '    x: 9223372036854775808\n',
     ((4, 'a', '9223372036854775808 is not right here'),)),

    ('a percent sign', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  attributes:\n    x: 100%\n',
     ((5, 'a', 'a percent sign is %%'),)),
    ('a fact in no braces', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  attributes: {x: "%driver"}\n',
     ((4, 'a', 'the name of a fact in braces'),)),
    ('a stage of another name', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  attributes:\n    x: {value: 1, stage: later}\n',
     ((5, 'a', 'attributes.x.stage: "later" is not right here; allowed: '
       'accept, publish or require'),)),
    ('a value and a fact', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  attributes:\n    x: {value: 1, fact: y}\n',
     ((5, 'a', 'a "value" or a "fact", and not both'),)),
    ('a stage alone', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  attributes:\n    x: {stage: accept}\n',
     ((5, 'a', 'a "value" or a "fact", and not both'),)),
    ('otherwise without a fact', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  compatible:\n  - attributes: {x: {otherwise: 1}}\n',
     ((5, 'a', '"otherwise" needs a "fact"'),)),
    ('a driver', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  self: {driver: b}\n',
     ((4, 'a', 'the mdev type contains the driver'),)),
    ('a patched device API', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  compatible:\n  - {}\n  - {device_api: vfio-ap}\n',
     ((6, 'a', 'device_api can not be patched'),)),

    # What the document's own rules say, before there is any device.
    ('a version that is none', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  self: {software_version: "1"}\n',
     ((4, 'a', 'self.software_version: "1" is not right here; allowed: '
       'major.minor'),)),
    ('an entry that needs a version', 'rules:\n- name: a\n'
     '  when: {driver: b}\n'
     '  self: {software_version: {fact: driver.version}}\n'
     '  compatible:\n  - {}\n  - mdev_type: {any: true}\n',
     ((7, 'a', '"software_version" must be named too'),)),
    ('another type that needs a version', 'rules:\n- name: a\n'
     '  when: {driver: b}\n'
     '  self: {mdev_type: b-1, software_version: "1.0"}\n'
     '  compatible:\n  - mdev_type: b-1\n  - mdev_type: b-2\n',
     ((7, 'a', '"software_version" must be named too'),)),
    ('after an entry that cannot be tried', 'rules:\n- name: a\n'
     '  when: {driver: b}\n  compatible:\n'
     '  - variables: {n: {minimum: 1, maximum: 2}}\n'
     '    attributes: {x: "%{y}-${n}"}\n'
     '  - vfio-pci: {device: "22350"}\n',
     ((7, 'a', 'a PCI fact is four lower-case hex digits'),)),
    ('an unused variable', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  compatible:\n  - variables: {n: {minimum: 1, maximum: 2}}\n',
     ((5, 'a', 'compatible.0.variables.n: it is declared but not used'),)),
    ('an unknown variable', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  compatible:\n  - attributes:\n      x: 4\n      y: "${n}"\n',
     ((7, 'a', '"variables" does not declare'),)),
    ('an operator that is none', 'rules:\n- name: a\n  when: {driver: b}\n'
     '  compatible:\n  - mdev_type: {minimum: 1}\n',
     ((5, 'a', 'is not known here'),)),
    ('a bus fact that can never match', 'rules:\n- name: a\n'
     '  when: {driver: b}\n  compatible:\n'
     '  - vfio-pci: {device: "22350"}\n',
     ((5, 'a', 'a PCI fact is four lower-case hex digits'),)),

    ('a statement of nothing', 'facts:\n- when: {driver: a}\n',
     ((2, None, '"facts" is missing'),)),
    ('a statement of a float', 'facts:\n- facts:\n    x: 1.5\n',
     ((3, None, '1.5 is a float'),)),
    ('a statement of a reserved name', 'facts:\n- facts:\n    any_of: 1\n',
     ((3, None, '"any_of" is not a fact\'s name'),)),
    ('a stage of no rule', 'stages:\n  nobody: {x: accept}\n',
     ((2, None, 'no rule is called nobody'),)),
    ('a stage of no attribute', 'stages:\n  good:\n    x: accept\nrules:\n'
     + GOOD, ((3, None, 'the rule good has no attribute x'),)),
    ('an unknown stage', 'stages:\n  good:\n    x: soon\nrules:\n' + GOOD,
     ((3, None, 'allowed: accept, publish or require'),)),
    ('enabling no rule', 'enable: [nobody]\n',
     ((1, None, 'no rule is called nobody'),)),
    ('disabling no rule', 'rules: []\ndisable: [nobody]\n',
     ((2, None, 'no rule is called nobody'),)),

    ('several at once', 'rules:\n- name: a\n'
     '  when: {x: {minimum: 2, maximum: 1}}\n  attributes: {y: 1.5}\n'
     '  compatible:\n  - {}\n  - {drivr: b}\n'
     '  - {attributes: {z: "%"}}\n' + GOOD + '- {name: b}\n',
     ((3, 'a', 'the minimum 2'), (4, 'a', 'is a float'),
      (7, 'a', '"drivr" is not known'), (8, 'a', 'percent'),
      (10, 'b', '"when" is missing'))),
)


def load(text: str | bytes) -> RuleSet:
    return RuleSet([reading.read('rules.yaml', text.encode() if isinstance(
        text, str) else text)])


@ddt.ddt
class TestFaults(testtools.TestCase):

    @ddt.data(*FAULTS)
    @ddt.unpack
    def test_fault(self, title: str, text: str | bytes, expected: Any
                   ) -> None:
        found = load(text).faults
        self.assertEqual(
            [(line, rule) for line, rule, _ in expected],
            [(fault.line, fault.rule) for fault in found], found)
        for fault, (_, _, part) in zip(found, expected):
            self.assertIn(part, fault.message)
            self.assertEqual('rules.yaml', fault.file)

    @ddt.data(*(case for case in FAULTS if 'rules:\n' in str(case[1])
                and case[2][0][1] == 'a'))
    @ddt.unpack
    def test_the_others_work(self, title: str, text: str, expected: Any
                             ) -> None:
        rules = load(text.replace(GOOD, '').replace(
            'rules:\n', 'rules:\n' + GOOD))
        self.assertEqual(('good',), rules.document(FACTS).rules)

    def test_what_may_be_right(self) -> None:
        """What depends on facts is not judged before they are there."""
        for entry in ('{mdev_type: b-2}', '{mdev_type: {fact: mdev_type}}',
                      '{attributes: {x: {minimum: {fact: y}, maximum: 1}}}',
                      '{software_version: "%{driver.version}"}'):
            self.assertEqual((), load(
                'rules:\n- name: a\n  when: {driver: b}\n'
                '  self: {software_version: {fact: driver.version}}\n'
                f'  compatible: [{entry}]\n').faults)

    def test_as_text(self) -> None:
        fault, = load('rules:\n- {name: a}\n').faults
        self.assertTrue(str(fault).startswith('rules.yaml:2: rule a: when: '))
        fault, = load('').faults
        self.assertEqual('rules.yaml: it is empty', str(fault))


class TestBounds(testtools.TestCase):
    """What is too large is refused, in little time and memory."""

    def fault(self, text: str) -> Any:
        found = load(text).faults
        self.assertEqual(1, len(found))
        return found[0]

    def test_length(self) -> None:
        comment = '#' + 'x' * source.MAX_FILE
        self.assertIn('more than 262144 bytes', self.fault(comment).message)

    def test_aliases_of_aliases(self) -> None:
        lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
        lines += [f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 10)}]'
                  for n in range(1, 10)]
        fault = self.fault('\n'.join(lines))
        self.assertIn('more than 20000 values', fault.message)

    def test_an_alias_of_what_holds_it(self) -> None:
        self.assertIn('nested too deeply', self.fault(
            'rules: &a [*a]').message)
        self.assertIn('nested too deeply', self.fault(
            'rules: &a {b: *a}').message)

    def test_depth(self) -> None:
        for text in ('[' * 100_000, '{a: ' * 50_000, '- ' * 100_000):
            self.assertIn('too deeply', self.fault('rules: ' + text + '\n' if
                          not text.startswith('-') else text).message)

    def test_values(self) -> None:
        self.assertIn('more than 20000 values', self.fault(
            'rules: [' + 'a,' * 30_000 + ']').message)

    def test_the_file_is_not_read_to_its_end(self) -> None:
        found = loading.read_file(pathlib.Path('/dev/zero'))
        self.assertIn('more than', found.broken[0].faults[0].message)


class TestFolders(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, 'utf-8')
        return str(path)

    def test_files_in_the_order_of_their_names(self) -> None:
        last = self.write('20-b.yaml', 'rules:\n' + GOOD)
        self.write('10-a.yaml', 'rules:\n' + GOOD)
        loaded = loading.load([self.folder])
        self.assertEqual((), loaded.faults)
        rule, = loaded.rule_set.rules
        self.assertEqual(last, rule.origin.file)

    def test_other_files_are_left_alone(self) -> None:
        for name in ('a.yaml~', '.a.yaml', 'a.json', 'README'):
            self.write(name, '[')
        self.assertEqual((), loading.load([self.folder]).faults)

    def test_a_name_that_looks_like_one(self) -> None:
        name = self.write('a.yml', 'rules:\n' + GOOD)
        fault, = loading.load([self.folder]).faults
        self.assertEqual((name, 0), (fault.file, fault.line))
        self.assertIn('it is not read', fault.message)

    def test_a_folder_that_is_not_there(self) -> None:
        self.write('a.yaml', 'rules:\n' + GOOD)
        missing = self.folder / 'missing'
        loaded = loading.load([self.folder, missing])
        fault, = loaded.faults
        self.assertEqual(str(missing), fault.file)
        self.assertIn('No such file', fault.message)
        self.assertEqual(('good',), loaded.rule_set.document(FACTS).rules)

    def test_a_file_that_cannot_be_read(self) -> None:
        self.write('a.yaml', 'rules:\n' + GOOD)
        os.symlink('nowhere', self.folder / 'b.yaml')
        os.mkdir(self.folder / 'c.yaml')
        loaded = loading.load([self.folder])
        self.assertEqual(['b.yaml', 'c.yaml'], [
            pathlib.Path(fault.file).name for fault in loaded.faults])
        self.assertEqual(('good',), loaded.rule_set.document(FACTS).rules)


class TestShippedFolder(testtools.TestCase):

    def test_in_a_source_tree(self) -> None:
        root = pathlib.Path(__file__).resolve().parents[2]
        self.assertEqual(root / 'etc' / 'nova-mdev-compat' / 'rules.d',
                         loading.shipped_folder())

    def test_installed(self) -> None:
        """Where the record of the installation has them."""
        prefix = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        packages = prefix / 'lib' / 'site-packages'
        info = packages / 'nova_mdev_compat-1.0.dist-info'
        info.mkdir(parents=True)
        info.joinpath('METADATA').write_text(
            'Metadata-Version: 2.1\nName: nova-mdev-compat\nVersion: 1.0\n')
        info.joinpath('RECORD').write_text(
            'nova_mdev_compat/__init__.py,,\n'
            '../../share/nova-mdev-compat/corpus/mtty.yaml,,\n'
            '../../etc/nova-mdev-compat/rules.d/nvidia.yaml,,\n')
        rules = prefix / 'etc' / 'nova-mdev-compat' / 'rules.d'
        rules.mkdir(parents=True)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.__file__',
            str(packages / 'nova_mdev_compat' / '__init__.py')))
        self.useFixture(fixtures.MonkeyPatch('sys.path', [str(packages)]))
        self.assertEqual(rules.resolve(), loading.shipped_folder())

    def test_installed_by_a_distribution(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.__file__', '/nowhere/x/__init__.py'))
        self.useFixture(fixtures.MonkeyPatch('sys.path', []))
        self.assertEqual(pathlib.Path('/etc/nova-mdev-compat/rules.d'),
                         loading.shipped_folder())
