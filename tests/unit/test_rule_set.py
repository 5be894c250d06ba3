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

"""How rules combine, and what is said of those that are broken."""

from typing import Any

import testtools

from nova_mdev_compat.publisher.rules.faults import InvalidRule
from nova_mdev_compat.publisher.rules import reading
from nova_mdev_compat.publisher.rules.rule_set import RuleSet

FACTS: dict[str, Any] = {
    'driver': 'acme', 'device_api': 'vfio-pci', 'mdev_type': 'acme-x1',
    'driver.version': '1.3', 'kernel.release': '6.12', 'ports': 2}
ACME = """
rules:
- name: acme
  when: {driver: acme}
  attributes: {ports: {fact: ports}}
  compatible: [{}]
"""


def rule_set(*texts: str) -> RuleSet:
    """Of files that are called a.yaml, b.yaml and so on."""
    return RuleSet(reading.read(f'{"abcdef"[index]}.yaml', text.encode())
                   for index, text in enumerate(texts))


class TestCombination(testtools.TestCase):

    def described(self, *texts: str, **facts: Any) -> Any:
        rules = rule_set(*texts)
        self.assertEqual((), rules.faults)
        return rules.document({**FACTS, **facts})

    def attributes(self, *texts: str, **facts: Any) -> Any:
        return self.described(*texts, **facts).plain['self'].get(
            'attributes', {})

    def test_the_last_rule_that_holds_describes(self) -> None:
        other = ACME.replace('name: acme', 'name: mine').replace(
            '{ports: {fact: ports}}', '{mine: true}')
        found = self.described(ACME, other)
        self.assertEqual(('mine',), found.rules)
        self.assertEqual({'mine': True}, found.plain['self']['attributes'])
        self.assertEqual(('b.yaml',), found.files)
        found = self.described(ACME, other.replace(
            'when: {driver: acme}', 'when: {driver: acme, ports: 4}'))
        self.assertEqual(('acme',), found.rules)

    def test_one_of_the_same_name_replaces(self) -> None:
        other = ACME.replace('{driver: acme}', '{driver: other}')
        found = self.described(ACME, other)
        self.assertEqual(((), 'acme'), (found.rules, found.missing))

    def test_additions(self) -> None:
        found = self.described(ACME, """
rules:
- name: site
  adds_to: acme
  self: {software_version: "1.3"}
  attributes: {site: north}
  compatible:
  - {level: cold, attributes: {site: {any: true}}}
- name: other
  adds_to: acme
  when: {ports: 4}
  attributes: {other: true}
""")
        self.assertEqual(('acme', 'site'), found.rules)
        self.assertEqual(('a.yaml', 'b.yaml'), found.files)
        self.assertEqual({
            'device_api': 'vfio-pci', 'mdev_type': 'acme-x1',
            'software_version': '1.3',
            'attributes': {'ports': 2, 'site': 'north'}},
            found.plain['self'])
        self.assertEqual([{}, {'level': 'cold', 'attributes': {
            'site': {'any': True}}}], found.plain['compatible'])

    def test_an_addition_has_the_last_word(self) -> None:
        text = """
rules:
- name: site
  adds_to: acme
  attributes: {ports: 7}
"""
        self.assertEqual({'ports': 7}, self.attributes(ACME, text))
        self.assertEqual({'ports': 7}, self.attributes(text, ACME))

    def test_an_addition_to_another_rule(self) -> None:
        self.assertEqual(('acme',), self.described(ACME, """
rules:
- {name: other, when: {driver: other}}
- {name: site, adds_to: other, attributes: {site: north}}
""").rules)

    def test_enable_and_disable(self) -> None:
        off = ACME.replace('name: acme', 'name: acme\n  enabled: false')
        self.assertEqual('acme', self.described(off).missing)
        found = self.described(off, 'enable: [acme]')
        self.assertEqual(('acme',), found.rules)
        self.assertEqual(('a.yaml', 'b.yaml'), found.files)
        found = self.described(ACME, 'disable: [acme]')
        self.assertEqual((), found.rules)
        # It had a say: without it there would be a rule.
        self.assertEqual(('b.yaml',), found.files)
        self.assertEqual(('acme',), self.described(
            ACME, 'disable: [acme]', 'enable: [acme]').rules)

    def test_statements(self) -> None:
        text = """
facts:
- facts: {ports: 4, seen: "%{ports}"}
- when: {ports: 4}
  facts: {ports: {fact: seen}, kinds: [a, b]}
rules:
- name: mine
  when: {kinds: {contains: b}}
  attributes: {ports: {fact: ports}, kinds: {fact: kinds}}
"""
        self.assertEqual({'ports': '2', 'kinds': ['a', 'b']},
                         self.attributes(text))

    def test_a_later_statement_stands(self) -> None:
        texts = [f'facts: [{{facts: {{ports: {ports}}}}}]'
                 for ports in (7, 8)]
        self.assertEqual({'ports': 8}, self.attributes(*texts, ACME))
        found = self.described(*texts, ACME)
        self.assertEqual(('a.yaml', 'b.yaml', 'c.yaml'), found.files)

    def test_stages(self) -> None:
        staged = ACME.replace('{fact: ports}', '{fact: ports, stage: accept}')
        self.assertEqual({}, self.attributes(staged))
        for stage, expected in (('publish', {'ports': 2}),
                                ('require', {'ports': 2}), ('accept', {})):
            text = 'stages: {acme: {ports: %s}}' % stage
            found = self.described(staged, text)
            self.assertEqual(
                expected, found.plain['self'].get('attributes', {}))
            self.assertEqual(('a.yaml', 'b.yaml'), found.files)

    def test_bus_facts(self) -> None:
        facts = {'pci.vendor': '10de', 'pci.device': '2235'}
        self.assertEqual({'vendor': '10de', 'device': '2235'}, self.described(
            ACME, **facts).plain['self']['vfio-pci'])
        own = ACME.replace('  attributes', '  self: {vfio-pci: {vendor: '
                           '{fact: pci.vendor}}}\n  attributes')
        self.assertEqual({'vendor': '10de'}, self.described(
            own, **facts).plain['self']['vfio-pci'])
        none = ACME.replace(
            '  attributes', '  self: {vfio-pci: {vendor: {fact: x, '
            'otherwise: {absent: true}}}}\n  attributes')
        self.assertNotIn('vfio-pci', self.described(
            none, **facts).plain['self'])

    def test_a_device_api_by_bus(self) -> None:
        for bus, api in (('pci', 'vfio-pci'), ('css', 'vfio-ccw'),
                         ('ap', 'vfio-ap')):
            facts = {**FACTS, 'bus': bus}
            del facts['device_api']
            self.assertEqual(api, rule_set(ACME).document(
                facts).plain['self']['device_api'])

    def test_it_does_not_change_the_facts(self) -> None:
        facts = dict(FACTS)
        rule_set('facts: [{facts: {ports: 9}}]', ACME).document(facts)
        self.assertEqual(FACTS, facts)


class TestInvalid(testtools.TestCase):
    """What only facts can show: the rule is named, with its line."""

    def fault(self, *texts: str, **facts: Any) -> Any:
        rules = rule_set(*texts)
        self.assertEqual((), rules.faults)
        error = self.assertRaises(InvalidRule, rules.document,
                                  {**FACTS, **facts})
        fault, = error.faults
        return fault

    def expect(self, fault: Any, file: str, line: int, rule: str | None,
               part: str) -> None:
        self.assertEqual((file, line, rule),
                         (fault.file, fault.line, fault.rule), fault)
        self.assertIn(part, fault.message)

    def test_a_fact_that_is_not_known(self) -> None:
        self.expect(self.fault(ACME.replace('fact: ports', 'fact: cores')),
                    'a.yaml', 5, 'acme', 'the fact cores is not known')

    def test_a_fact_of_an_entry(self) -> None:
        self.expect(self.fault(ACME.replace(
            '[{}]', '\n  - {}\n  - attributes:\n      a: {minimum: '
            '{fact: cores}}')),
            'a.yaml', 9, 'acme', 'the fact cores is not known')

    def test_a_version_that_is_none(self) -> None:
        text = ACME.replace('  attributes', '  self: {software_version: '
                            '{fact: driver.version}}\n  attributes')
        fault = self.fault(text, **{'driver.version': '1.3-rc4'})
        self.expect(fault, 'a.yaml', 5, 'acme', 'major.minor')
        self.assertIn('/self/software_version', fault.message)

    def test_an_entry(self) -> None:
        fault = self.fault(ACME, """
rules:
- name: site
  adds_to: acme
  compatible:
  - {}
  - attributes:
      size: {minimum: {fact: ports}, maximum: 1}
""")
        self.expect(fault, 'b.yaml', 8, 'site', 'is over the maximum 1')
        self.assertIn('/compatible/2/attributes/size', fault.message)

    def test_a_document_past_a_limit(self) -> None:
        fault = self.fault(ACME.replace('{fact: ports}', '{fact: many}'),
                           many=tuple('x' * 200 + str(n) for n in range(50)))
        self.expect(fault, 'a.yaml', 3, 'acme', 'over the limit of 8192')

    def test_a_statement(self) -> None:
        self.expect(self.fault('facts:\n- facts:\n    x: "%{cores}"\n', ACME),
                    'a.yaml', 3, None, 'the fact cores is not known')

    def test_a_device_of_no_api(self) -> None:
        error = self.assertRaises(InvalidRule, rule_set().document,
                                  {'parent': '0000:01:00.0', 'driver': 'x'})
        self.assertIn('0000:01:00.0', str(error))
        self.assertIn('device_api', str(error))


class TestDoubts(testtools.TestCase):
    """What broken rules would have had a say in is told with a document."""

    BROKEN = """
rules:
- name: %s
  when: {driver: %s}
  attributes: {x: 1.5}
"""

    def doubts(self, *texts: str, **facts: Any) -> tuple[Any, ...]:
        described = rule_set(*texts).document({**FACTS, **facts})
        return tuple(dict.fromkeys((doubt.file, doubt.rule)
                                   for doubt in described.doubts))

    def test_none(self) -> None:
        self.assertEqual((), self.doubts(ACME))

    def test_a_rule_for_this_device(self) -> None:
        self.assertEqual((('b.yaml', 'mine'),), self.doubts(
            ACME, self.BROKEN % ('mine', 'acme')))

    def test_a_rule_for_another_device(self) -> None:
        self.assertEqual((), self.doubts(
            ACME, self.BROKEN % ('mine', 'other')))

    def test_a_rule_whose_condition_is_broken(self) -> None:
        self.assertEqual((('b.yaml', 'mine'),), self.doubts(
            ACME, self.BROKEN % ('mine', '1.5')))

    def test_a_broken_rule_still_replaces(self) -> None:
        """What it was to replace does not come back behind its back."""
        described = rule_set(ACME, self.BROKEN % ('acme', 'acme')).document(
            FACTS)
        self.assertEqual(((), 'acme'), (described.rules, described.missing))
        self.assertEqual('b.yaml', described.doubts[0].file)

    def test_an_addition(self) -> None:
        broken = self.BROKEN.replace('when', 'adds_to: acme\n  when')
        self.assertEqual((('b.yaml', 'mine'),), self.doubts(
            ACME, broken % ('mine', 'acme')))
        self.assertEqual((), self.doubts(
            ACME, 'rules: [{name: o, when: {driver: acme}}]',
            broken % ('mine', 'acme')))

    def test_a_file(self) -> None:
        self.assertEqual((('b.yaml', None),), self.doubts(ACME, 'rules: ['))

    def test_a_section(self) -> None:
        self.assertEqual((('b.yaml', None),), self.doubts(ACME, 'rule: []'))

    def test_a_statement(self) -> None:
        text = 'facts: [{when: {driver: %s}, facts: {x: 1.5}}]'
        self.assertEqual((('b.yaml', None),), self.doubts(
            ACME, text % 'acme'))
        self.assertEqual((), self.doubts(ACME, text % 'other'))

    def test_a_stage(self) -> None:
        for stages in ('{acme: {ports: soon}}', '{acme: {prots: accept}}'):
            self.assertEqual((('b.yaml', None),), self.doubts(
                ACME, f'stages: {stages}'))
        self.assertEqual((), self.doubts(
            ACME, 'stages: {other: {ports: soon}}'))

    def test_a_switch(self) -> None:
        self.assertEqual((('b.yaml', None),), self.doubts(
            ACME, 'disable: [acem]'))
