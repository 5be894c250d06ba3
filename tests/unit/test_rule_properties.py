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

FACTS = ('driver', 'ports', 'nvml.ecc', 'kernel.release', 'mdev_type',
         'device_api', 'bus', 'pci.vendor', 'modes', 'parent')
TEXTS = ('', 'a', 'acme', 'acme-x1', 'mtty-1', '1.0', '1.3.0', '6.12-x',
         'vfio-pci', 'vfio-ap', 'pci', 'css', '10de', '${n}', '$', '$$',
         '%{driver}', '%{ports}', '%{modes}', '%%', '%', '%{', 'x${n}',
         '%{driver}-${n}', 'é', '\u0661', '\x85', 'a' * 255, 'a' * 256,
         'accept', 'publish', 'require', 'on', '2026-01-01', '~', 'null')
NAMES = ('a', 'b', 'acme', 'fact', 'value', 'otherwise', 'driver', 'any',
         'absent', 'minimum', 'maximum', 'stage', 'n', '', 'A')

texts = st.sampled_from(TEXTS)
integers = st.one_of(st.integers(-3, 9), st.sampled_from(
    (2 ** 31, 2 ** 63 - 1, 2 ** 63, -2 ** 63 - 1)))
scalars = st.one_of(texts, integers, st.booleans())
anything = st.recursive(
    st.one_of(scalars, st.none(), st.floats(), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES + FACTS), inner, max_size=3)),
    max_leaves=6)


def mostly(strategy: Any) -> Any:
    """What is right nearly always, and anything at all at times."""
    return st.one_of(*[strategy] * 12, anything)


def mapping(**members: Any) -> Any:
    return mostly(st.fixed_dictionaries({}, optional={
        name.replace('_', '-') if name.startswith('vfio') else name:
        mostly(strategy) for name, strategy in members.items()}))


def named(strategy: Any) -> Any:
    return mostly(st.dictionaries(st.sampled_from(('a', 'b', 'fact', 'n')),
                                  mostly(strategy), max_size=3))


facts_names = st.sampled_from(FACTS)
fact = st.fixed_dictionaries({'fact': facts_names}, optional={
    'otherwise': st.one_of(scalars, st.just({'absent': True}))})
values = st.one_of(scalars, fact, fact, st.lists(texts, max_size=3))
bounds = st.one_of(st.integers(-3, 9), st.sampled_from(('1', '6.7', '6.18')))
tests = st.one_of(
    scalars, st.fixed_dictionaries({}, optional={
        'minimum': bounds, 'maximum': bounds}),
    st.builds(lambda text: {'glob': text}, texts),
    st.sampled_from(({'present': True}, {'absent': True})),
    st.builds(lambda some: {'any_of': some}, st.lists(scalars, max_size=3)))
conditions = st.recursive(
    st.dictionaries(facts_names, mostly(tests), min_size=1, max_size=3),
    lambda inner: st.one_of(
        st.builds(lambda some: {'any_of': some}, st.lists(inner, max_size=2)),
        st.builds(lambda some: {'all_of': some}, st.lists(inner, max_size=2)),
        st.builds(lambda one: {'not': one}, inner)), max_leaves=4)
patches = st.one_of(
    values, st.sampled_from(({'any': True}, {'absent': True})),
    st.fixed_dictionaries({}, optional={'minimum': values,
                                        'maximum': values}),
    st.builds(lambda some: {'any_of': some},
              st.one_of(st.lists(scalars, max_size=3), fact)))
attributes = st.one_of(values, st.fixed_dictionaries({}, optional={
    'value': values, 'fact': facts_names,
    'stage': st.sampled_from(('accept', 'publish', 'require'))}))
entries = mapping(
    level=st.sampled_from(('live', 'cold')), variables=mostly(st.just(
        {'n': {'minimum': 1, 'maximum': 8}})), mdev_type=patches,
    software_version=patches, vfio_pci=named(patches),
    attributes=named(patches), create=mapping(
        mdev_type=values, attributes=named(values)))
names = st.sampled_from(('a', 'b', 'acme'))
rules = mapping(
    name=names, when=conditions, adds_to=names, date=texts, source=texts,
    enabled=st.booleans(), self=mapping(
        device_api=values, mdev_type=values, software_version=values,
        vfio_pci=named(values)), attributes=named(attributes),
    compatible=st.lists(entries, max_size=3))
files = mapping(
    rules=st.lists(rules, max_size=4), facts=st.lists(mapping(
        when=conditions, facts=st.dictionaries(facts_names, mostly(values),
                                               max_size=3)), max_size=2),
    stages=st.dictionaries(names, named(st.sampled_from(
        ('accept', 'publish', 'require'))), max_size=2),
    enable=st.lists(names, max_size=2), disable=st.lists(names, max_size=2))
known = st.dictionaries(facts_names, st.one_of(
    scalars, st.lists(st.sampled_from(('a', 'b', '$')), unique=True).map(
        tuple)))


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


class TestProperties(testtools.TestCase):

    def try_out(self, text: bytes, facts: dict[str, Any]) -> None:
        rule_set = RuleSet([reading.read('rules.yaml', text)])
        for fault in rule_set.faults:
            self.assertEqual('rules.yaml', fault.file)
            self.assertLessEqual(0, fault.line)
            self.assertLessEqual(fault.line, text.count(b'\n') + 1)
        try:
            found = rule_set.document(facts)
        except InvalidRule as error:
            for fault in error.faults:
                self.assertTrue(fault.message)
            return
        self.assertEqual(
            documents.load(json.dumps(found.plain)), found.document)

    @hypothesis.given(st.binary(max_size=200), known)
    def test_any_bytes(self, text: bytes, facts: dict[str, Any]) -> None:
        self.try_out(text, facts)

    @hypothesis.given(st.text(max_size=200), known)
    def test_any_text(self, text: str, facts: dict[str, Any]) -> None:
        self.try_out(text.encode('utf-8', 'surrogatepass'), facts)

    @hypothesis.settings(max_examples=400, deadline=None, suppress_health_check
                         =[hypothesis.HealthCheck.too_slow])
    @hypothesis.given(files, known)
    def test_any_rules(self, content: Any, facts: dict[str, Any]) -> None:
        self.try_out(yaml.safe_dump(content, allow_unicode=True).encode(
            'utf-8', 'surrogatepass'), facts)

    @hypothesis.settings(max_examples=60, deadline=None)
    @hypothesis.given(edited(), known)
    def test_edited_files(self, text: bytes, facts: dict[str, Any]) -> None:
        self.try_out(text, facts)
