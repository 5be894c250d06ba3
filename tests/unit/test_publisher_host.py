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

"""What a host wants its providers to carry, where probes fail."""

import pathlib

import fixtures
import testtools

from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.findings import Failure
from nova_mdev_compat.publisher.findings import Findings
from nova_mdev_compat.publisher.host import EVERYTHING
from nova_mdev_compat.publisher.host import Host
from nova_mdev_compat.publisher.rules.rule_set import RuleSet
from nova_mdev_compat.publisher import wording

CONFIG = """
[DEFAULT]
host = gpu1
[devices]
enabled_mdev_types = acme-1
"""
NAMES = ('0000:84:00.0', '0000:85:00.0')
SUFFIXES = ('pci_0000_84_00_0', 'pci_0000_85_00_0')


class TestFailures(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.config = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'nova.conf')
        self.config.write_text(CONFIG)

    def intent(self, parents: tuple[str, ...],
               *failures: Failure) -> tuple[set[str], dict[str, str]]:
        """Suffixes of what is wanted, and what is unknown."""
        found = Findings({name: Parent(
            name, {'bus': 'pci', 'subsystem': 'pci', 'driver': 'acme',
                   'driver.version': '1'},
            {'acme-1': {'device_api': 'vfio-pci'}}) for name in parents},
            failures)
        intent = Host([str(self.config)], RuleSet(), pathlib.Path('/sys'),
                      find=lambda root, only: found).intent()
        return {*intent.wanted}, dict(intent.unknown)

    def test_none(self) -> None:
        self.assertEqual(({*SUFFIXES}, {}), self.intent(NAMES))
        # In one line for all, or a host of 256 would give as many.
        (line,) = [line for line in self.log.output.splitlines()
                   if 'no rule is for this device' in line]
        self.assertTrue(line.startswith(', '.join(SUFFIXES)))

    def test_of_everything(self) -> None:
        self.assertEqual(
            (set(), {EVERYTHING: 'probe sysfs: no'}),
            self.intent(NAMES, Failure('sysfs', 'no')))

    def test_of_one_that_is_known(self) -> None:
        self.assertEqual(
            ({SUFFIXES[1]}, {SUFFIXES[0]: 'probe nvml: lost'}),
            self.intent(NAMES, Failure(
                'nvml', 'lost', frozenset([NAMES[0]]))))

    def test_of_one_that_is_not(self) -> None:
        failure = Failure('sysfs', 'no', frozenset([NAMES[0]]))
        self.assertEqual(
            ({SUFFIXES[1]}, {NAMES[0]: 'probe sysfs: no'}),
            self.intent(NAMES[1:], failure))
        self.assertEqual((set(), {NAMES[0]: 'probe sysfs: no'}),
                         self.intent((), failure))
        # Nobody knows what that one offers.
        words = 'no parent of this host offers acme-1'
        self.assertNotIn(words, self.log.output)
        self.intent(())
        self.assertIn(words, self.log.output)


class TestWording(testtools.TestCase):

    def test_names(self) -> None:
        for names, words in (
                ('a', 'a'), ('ba', 'a, b'), ('cab', 'a, b, c'),
                ('dcba', 'a, b, c and 1 more'),
                (map(str, range(256)), '0, 1, 10 and 253 more')):
            self.assertEqual(words, wording.named(names))

    def test_reasons(self) -> None:
        self.assertEqual(
            [('x', ['a', 'c']), ('y', ['a', 'b'])], [*wording.by_reason([
                ('c', 'x'), ('b', 'y'), ('a', 'y'), ('a', 'x')])])
