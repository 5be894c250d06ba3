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

"""Any text, any rules, any facts: documents or documented faults."""

import copy
import json
from typing import Any

import hypothesis
from hypothesis import strategies as st
import testtools
import yaml

from nova_mdev_compat.codec import loading as documents
from nova_mdev_compat.publisher.rules.faults import InvalidRule
from nova_mdev_compat.publisher.rules import loading
from nova_mdev_compat.publisher.rules import reading
from nova_mdev_compat.publisher.rules.rule_set import RuleSet

Draw = st.DrawFn
SLOW = [hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.filter_too_much]

FACTS = ('driver', 'ports', 'nvml.ecc', 'kernel.release', 'mdev_type',
         'driver.version', 'pci.vendor', 'modes')
TEXTS = ('', 'a', 'acme', '1.0', '1.3.0', '6.12-x', '${n}', '$', '$$',
         '%{driver}', '%{ports}', '%%', 'x${n}', '%{driver}-${n}', 'é',
         '\u0661', 'a' * 255, 'accept', 'on', '2026-01-01', '~', 'null')
WRONG = ('%', '%{', '%{modes}', '%{nothing}', 'a' * 256, '\x85')
MEMBERS = ('a', 'b', 'fact', 'n')
STAGES = ('accept', 'publish', 'require')
VERSIONS = ('1.0', '1.3', '%{driver.version}', '2.0.1')
TYPES = ('acme-x1', 'acme-x2', 'acme-x${n}', '%{driver}-1')
RULES = ('a', 'b', 'acme')

integers = st.one_of(st.integers(-3, 9), st.sampled_from(
    (2 ** 31, 2 ** 63 - 1)))
anything = st.recursive(
    st.one_of(st.sampled_from(TEXTS + WRONG), integers, st.none(),
              st.floats(), st.dates(), st.just(2 ** 63)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(
            st.sampled_from(MEMBERS + FACTS + ('when', 'name', '')), inner,
            max_size=3)), max_leaves=6)
facts_names = st.sampled_from(FACTS)
bounds = st.one_of(
    st.tuples(st.integers(-3, 3), st.integers(3, 9)),
    st.just(('6.7', '6.18'))).map(lambda pair: dict(
        zip(('minimum', 'maximum'), pair)))
texts = st.sampled_from(TEXTS)
scalars = st.one_of(texts, integers, st.booleans())
tests = st.one_of(
    scalars, bounds, texts.map(lambda text: {'glob': text}),
    st.sampled_from(({'present': True}, {'absent': True})),
    st.lists(scalars, min_size=1, max_size=3).map(
        lambda some: {'any_of': some}))
conditions = st.recursive(
    st.one_of(st.just({'driver': 'acme'}), st.dictionaries(
        facts_names, tests, min_size=1, max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(
            lambda some: {'any_of': some}),
        st.lists(inner, min_size=1, max_size=2).map(
            lambda some: {'all_of': some}),
        inner.map(lambda one: {'not': one})), max_leaves=3)
fact = st.builds(
    lambda name, other: {'fact': name, 'otherwise': other}, facts_names,
    st.one_of(scalars, st.just({'absent': True})))
values = st.one_of(scalars, fact, fact, st.lists(
    st.sampled_from(('a', 'b', '$')), unique=True))
named = st.dictionaries(st.sampled_from(MEMBERS), values, max_size=3)
operators = st.one_of(
    st.sampled_from(({'any': True}, {'absent': True}, {'minimum': 1},
                     {'minimum': {'fact': 'ports', 'otherwise': 0}})),
    st.lists(scalars, min_size=1, max_size=3).map(
        lambda some: {'any_of': some}))
patches = st.dictionaries(st.sampled_from(MEMBERS), st.one_of(
    values, operators), max_size=3)
versions = st.one_of(st.sampled_from(VERSIONS), st.sampled_from((
    {'any': True}, {'minimum': '1.0', 'maximum': '%{driver.version}'})))
attributes = st.dictionaries(st.sampled_from(MEMBERS), st.one_of(
    values, st.builds(lambda value, stage: {'value': value, 'stage': stage},
                      values, st.sampled_from(STAGES))), max_size=3)


def optional(**members: Any) -> Any:
    return st.fixed_dictionaries({}, optional=members)


entries = optional(
    level=st.sampled_from(('live', 'cold')), attributes=patches,
    software_version=versions, mdev_type=st.sampled_from(TYPES[:2]),
    create=optional(attributes=named))
bound = st.just({
    'variables': {'n': {'minimum': 1, 'maximum': 8}},
    'mdev_type': 'acme-x${n}', 'software_version': {'any': True},
    'create': {'mdev_type': 'acme-x1'}})
names = st.sampled_from(RULES)
parts = {
    'date': st.just('2026-01-01'), 'enabled': st.booleans(),
    'self': optional(software_version=st.sampled_from(VERSIONS),
                     mdev_type=st.sampled_from(TYPES[:2])),
    'attributes': attributes,
    'compatible': st.lists(st.one_of(entries, bound), max_size=3)}
rules = st.one_of(
    st.fixed_dictionaries({'name': names, 'when': conditions},
                          optional=parts),
    st.fixed_dictionaries({'name': names, 'adds_to': names},
                          optional={**parts, 'when': conditions}))
everything = optional(
    rules=st.lists(rules, min_size=1, max_size=3,
                   unique_by=lambda rule: rule['name']),
    facts=st.lists(st.fixed_dictionaries(
        {'facts': st.dictionaries(facts_names, scalars, min_size=1,
                                  max_size=2)},
        optional={'when': conditions}), max_size=1),
    stages=st.dictionaries(names, st.dictionaries(
        st.sampled_from(MEMBERS), st.sampled_from(STAGES)), max_size=1),
    enable=st.lists(names, max_size=1), disable=st.lists(names, max_size=1))
only_rules = st.builds(
    lambda base, more: {'rules': [
        {'name': 'acme', 'when': {'driver': 'acme'}, **base},
        *({'adds_to': 'acme', 'name': name, **part}
          for name, part in zip(('a', 'b'), more))]},
    optional(**parts), st.lists(optional(**parts), max_size=2))
files = st.one_of(everything, only_rules, only_rules)
known = st.fixed_dictionaries(
    {'driver': st.just('acme'), 'device_api': st.just('vfio-pci'),
     'driver.version': st.sampled_from(('1.3', '1.3.1', 'rc4'))},
    optional={'ports': scalars, 'nvml.ecc': st.booleans(),
              'kernel.release': st.sampled_from(('6.12-x', '6.6')),
              'mdev_type': st.just('acme-x1'), 'pci.vendor': st.just('10de'),
              'modes': st.just(('a', '$'))})


@st.composite
def spoiled(draw: Draw) -> Any:
    """A file that is right but for one place, where anything is."""
    content = copy.deepcopy(draw(files.filter(bool)))
    inside, place = content, draw(st.sampled_from(sorted(content)))
    while draw(st.integers(0, 4)):
        here = inside[place]
        if not here or not isinstance(here, (dict, list)):
            break
        inside = here
        place = draw(st.sampled_from(
            sorted(here) if isinstance(here, dict) else range(len(here))))
    inside[place] = draw(anything)
    return content


@st.composite
def edited(draw: Draw) -> bytes:
    """A shipped rule file with some lines out of place."""
    path = draw(st.sampled_from(sorted(
        loading.shipped_folder().glob('*.yaml'))))
    lines = path.read_text('utf-8').splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        edit = draw(st.sampled_from(('drop', 'double', 'indent', 'value')))
        if edit == 'drop':
            del lines[place]
        elif edit == 'double':
            lines.insert(place, lines[place])
        elif edit == 'indent':
            lines[place] = '  ' + lines[place]
        else:
            lines[place] = lines[place].partition(':')[0] + ': ' + draw(
                st.sampled_from(('1.5', '[]', '{}', '%', '{fact: x}',
                                 'no', '*a', '"', '4'))) + '\n'
    return ''.join(lines).encode()


def _yaml(content: Any) -> bytes:
    return yaml.safe_dump(content, allow_unicode=True).encode()


class TestProperties(testtools.TestCase):

    def try_out(self, text: bytes, facts: dict[str, Any]) -> None:
        rule_set = RuleSet([reading.read('rules.yaml', text)])
        for fault in rule_set.faults:
            self.assertEqual('rules.yaml', fault.file)
            self.assertLessEqual(0, fault.line)
            # YAML ends lines at some of Unicode's characters too.
            self.assertLessEqual(fault.line, 1 + len(
                text.decode(errors='replace').splitlines()))
        try:
            found = rule_set.document(facts)
        except InvalidRule as error:
            for fault in error.faults:
                self.assertTrue(fault.message)
            return
        self.assertEqual(
            documents.load(json.dumps(found.plain)), found.document)

    @hypothesis.settings(deadline=None)
    @hypothesis.given(st.binary(max_size=200), known)
    def test_any_bytes(self, text: bytes, facts: dict[str, Any]) -> None:
        self.try_out(text, facts)

    @hypothesis.settings(deadline=None)
    @hypothesis.given(st.text(max_size=200), known)
    def test_any_text(self, text: str, facts: dict[str, Any]) -> None:
        self.try_out(text.encode('utf-8', 'surrogatepass'), facts)

    @hypothesis.settings(max_examples=300, deadline=None,
                         suppress_health_check=SLOW)
    @hypothesis.given(files, known)
    def test_any_rules(self, content: Any, facts: dict[str, Any]) -> None:
        self.try_out(_yaml(content), facts)

    @hypothesis.settings(max_examples=300, deadline=None,
                         suppress_health_check=SLOW)
    @hypothesis.given(spoiled(), known)
    def test_one_wrong_place(self, content: Any,
                             facts: dict[str, Any]) -> None:
        self.try_out(_yaml(content), facts)

    @hypothesis.settings(max_examples=60, deadline=None)
    @hypothesis.given(edited(), known)
    def test_edited_files(self, text: bytes, facts: dict[str, Any]) -> None:
        self.try_out(text, facts)
