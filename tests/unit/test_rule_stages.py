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

"""A new attribute comes to a fleet, host by host.

Three hosts with devices that are truly compatible, and one whose new
attribute differs.  Every host has a stage of its own; the document of each is
held against that of every other, in both directions.
"""

from collections.abc import Iterator
import functools
import itertools
from typing import Any

import ddt
import testtools
import yaml

from nova_mdev_compat.compat.matching import Matcher
from nova_mdev_compat.publisher.rules.faults import InvalidRule
from nova_mdev_compat.publisher.rules import reading
from nova_mdev_compat.publisher.rules.rule_set import RuleSet

#: The rule before it had the attribute, and after.
OLD = """
rules:
- name: acme
  when: {driver: acme}
  self: {software_version: "1.3"}
  attributes:
    ports: {fact: ports}
  compatible:
  - {}
  - {software_version: {minimum: "1.1", maximum: "1.3"}}
  - level: cold
    software_version: {any: true}
"""
NEW = OLD.replace("""
  compatible:
""", """
    ecc: {fact: ecc, otherwise: {absent: true}, stage: accept}
  compatible:
""")
ORDER = ('old', 'accept', 'publish', 'require')
#: Names of values, so that each kind of value is walked: scalars of every
#: type, text that a template would misread, sets.
VALUES: dict[str, tuple[Any, Any]] = {
    'boolean': (True, False), 'integer': (1, 2), 'text': ('on', 'off'),
    'template': ('${x}', '$x'), 'set': (('a', 'b'), ('a', 'c'))}


@functools.cache
def rules(stage: str, new: str = NEW) -> RuleSet:
    """The rules of a host at a stage, the operator's file included."""
    texts = [OLD] if stage == 'old' else [
        new, yaml.safe_dump({'stages': {'acme': {'ecc': stage}}})]
    found = RuleSet(reading.read(str(index), text.encode())
                    for index, text in enumerate(texts))
    assert not found.faults, found.faults
    return found


def document(stage: str, ecc: Any, ports: int = 2, new: str = NEW) -> Any:
    facts = {'driver': 'acme', 'device_api': 'vfio-pci',
             'mdev_type': 'acme-x1', 'ports': ports}
    if ecc is not None:
        facts['ecc'] = ecc
    return rules(stage, new).document(facts).document


def accepts(destination: Any, source: Any, level: str = 'live') -> bool:
    return Matcher(destination).match(source.device, level=level).accepted


def walks(hosts: int) -> Iterator[tuple[str, ...]]:
    """Every state of a fleet that takes one step after the other.

    Hosts take each step in every order; the next step begins when all have
    taken the one before.
    """
    for before, after in itertools.pairwise(ORDER):
        for order in itertools.permutations(range(hosts)):
            state = [before] * hosts
            yield tuple(state)
            for host in order:
                state[host] = after
                yield tuple(state)


STATES = sorted(set(walks(3)))


@ddt.ddt
class TestFleet(testtools.TestCase):

    def test_there_are_states(self) -> None:
        """From all-old, one step at a time, to all-require."""
        self.assertEqual(3 * 8 - 2, len(STATES))
        self.assertIn(('old', 'accept', 'old'), STATES)
        self.assertNotIn(('old', 'publish', 'old'), STATES)

    @ddt.data(*VALUES)
    def test_compatible_hosts_accept_each_other(self, kind: str) -> None:
        value, _ = VALUES[kind]
        for state, level in itertools.product(STATES, ('live', 'cold')):
            documents = [document(stage, value) for stage in state]
            for source, destination in itertools.product(documents, repeat=2):
                self.assertTrue(accepts(destination, source, level),
                                (kind, state, level))

    @ddt.data(*VALUES)
    def test_hosts_that_know_it_refuse_another(self, kind: str) -> None:
        """As soon as the source tells it, not only when it is required."""
        value, other = VALUES[kind]
        for told, knows in itertools.product(
                ('publish', 'require'), ('accept', 'publish', 'require')):
            self.assertFalse(accepts(document(knows, value),
                                     document(told, other)),
                             (kind, told, knows))

    @ddt.data(*VALUES)
    def test_required_everywhere(self, kind: str) -> None:
        value, other = VALUES[kind]
        for one, two in itertools.permutations((value, other), 2):
            for level in ('live', 'cold'):
                self.assertFalse(accepts(document('require', one),
                                         document('require', two), level))
                self.assertTrue(accepts(document('require', one),
                                        document('require', one), level))

    @ddt.data(*ORDER)
    def test_other_attributes_keep_their_word(self, stage: str) -> None:
        for other in ORDER:
            self.assertFalse(accepts(document(stage, True),
                                     document(other, True, ports=4)))

    def test_skipping_a_stage_splits_the_fleet(self) -> None:
        """So stages there are: each one is needed."""
        for one, two in itertools.combinations(ORDER, 2):
            both = accepts(document(one, True), document(two, True)) \
                and accepts(document(two, True), document(one, True))
            neighbours = ORDER.index(two) - ORDER.index(one) == 1
            self.assertEqual(neighbours, both, (one, two))

    def test_hosts_that_cannot_know_it(self) -> None:
        """They lose nothing until it is required."""
        for state in STATES:
            if 'require' in state:
                continue
            documents = [document(stage, ecc) for stage, ecc
                         in zip(state, (True, None, True))]
            for source, destination in itertools.product(documents, repeat=2):
                self.assertTrue(accepts(destination, source), state)
        self.assertFalse(accepts(document('require', None),
                                 document('require', True)))
        self.assertFalse(accepts(document('require', True),
                                 document('require', None)))

    def test_two_attributes_at_a_time(self) -> None:
        """Each at a stage of its own, all of them neighbours."""
        text = NEW.replace('    ecc:', '    board: {value: b, stage: %s}\n'
                           '    ecc:')
        for before, after in itertools.pairwise(ORDER[1:]):
            documents = [
                document(ecc, True, new=text % board)
                for ecc, board in itertools.product((before, after),
                                                    repeat=2)]
            for source, destination in itertools.product(documents, repeat=2):
                self.assertTrue(accepts(destination, source))


class TestFirstRule(testtools.TestCase):
    """A device that had no rule gets one, as the documentation has it."""

    RULE = """
rules:
- name: acme
  when: {driver: acme}
  attributes:
    ports: {fact: ports, stage: %s}
%s
  compatible:
  - {}
"""
    RELEASES = """
    driver_release: {fact: driver.version, stage: %s}
    kernel_release: {fact: kernel.release, stage: %s}
"""
    FACTS = {'driver': 'acme', 'device_api': 'vfio-pci',
             'mdev_type': 'acme-x1', 'ports': 2, 'driver.version': '1.3',
             'kernel.release': '6.12'}

    def test_walk(self) -> None:
        texts = ['', *(self.RULE % (stage, releases) for stage, releases in (
            ('accept', self.RELEASES % ('publish', 'publish')),
            ('publish', self.RELEASES % ('accept', 'accept')),
            ('require', '')))]
        steps = []
        for text in texts:
            rule_set = RuleSet([reading.read('a.yaml', text.encode())]
                               if text else [])
            self.assertEqual((), rule_set.faults)
            steps.append(rule_set.document(self.FACTS).document)
        for one, two in itertools.pairwise(steps):
            for source, destination in itertools.product((one, two),
                                                         repeat=2):
                self.assertTrue(accepts(destination, source))
        self.assertFalse(accepts(steps[0], steps[-1]))


class TestNamedByEntries(testtools.TestCase):
    """What the rule's own entries say of a new attribute."""

    RULE = """
rules:
- name: acme
  when: {driver: acme}
  attributes:
    size: {value: 4, stage: %s}
  compatible:
  - %s
"""

    def entries(self, stage: str, entry: str) -> Any:
        found = RuleSet([reading.read(
            'rules.yaml', (self.RULE % (stage, entry)).encode())])
        self.assertEqual((), found.faults)
        return found.document({'driver': 'acme', 'bus': 'pci'}).plain[
            'compatible']

    def test_operators(self) -> None:
        entry = '{attributes: {size: {maximum: 4}}}'
        both = [{'attributes': {'size': {'maximum': 4}}},
                {'attributes': {'size': {'absent': True}}}]
        self.assertEqual(both, self.entries('accept', entry))
        self.assertEqual(both, self.entries('publish', entry))
        self.assertEqual(both[:1], self.entries('require', entry))

    def test_what_accepts_absence_already(self) -> None:
        for patch in ('{any: true}', '{absent: true}', '[a]'):
            entry = '{attributes: {size: %s}}' % patch
            self.assertEqual(1, len(self.entries('publish', entry)))

    def test_what_variables_are_bound_by(self) -> None:
        entry = '{variables: {n: {minimum: 1, maximum: 4}}, attributes: ' \
            '{size: "${n}"}}'
        self.assertEqual(1, len(self.entries('publish', entry)))

    def test_too_many(self) -> None:
        text = 'rules:\n- name: acme\n  when: {driver: acme}\n' \
            '  compatible:\n  - {}\n  attributes:\n' + ''.join(
                f'    a{index}: {{value: 1, stage: accept}}\n'
                for index in range(7))
        found = RuleSet([reading.read('rules.yaml', text.encode())])
        error = self.assertRaises(InvalidRule, found.document,
                                  {'driver': 'acme', 'bus': 'pci'})
        fault, = error.faults
        self.assertEqual(('rules.yaml', 5, 'acme'),
                         (fault.file, fault.line, fault.rule))
        self.assertIn('more than 64 entries', fault.message)
        self.assertIn('a0, a1, a2', fault.message)
