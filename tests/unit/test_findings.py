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


"""All probes together."""

from collections.abc import Iterable
from collections.abc import Mapping
import logging
import pathlib
from typing import Any
from unittest import mock

import ddt
import fixtures
from stevedore import extension
import testtools

from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.facts import Probe
from nova_mdev_compat.publisher.facts import ProbeFailed
from nova_mdev_compat.publisher import findings
from nova_mdev_compat.publisher.probes.nvml import NvmlProbe
from nova_mdev_compat.publisher.probes.sysfs import SysfsProbe
from tests.unit import sysfs_trees

GPU = Parent('0000:84:00.0', {'bus': 'pci', 'board': 'X'},
             {'acme-1': {'device_api': 'vfio-pci'}})
OTHER = Parent('mtty', {'bus': 'virtual'})

#: Title, what a probe gives, words of the failure.
BAD_FACTS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ('float', {'a': 1.5}, 'a is 1.5'),
    ('nothing', {'a': None}, 'a is None'),
    ('list', {'a': ['b']}, "a is ['b']"),
    ('numbers', {'a': (1, 2)}, 'a is (1, 2)'),
    ('capitals', {'Board': 'X'}, "'Board' is not a name"),
    ('two dots', {'a..b': 'X'}, "'a..b' is not a name"),
    ('no text', {1: 'X'}, '1 is not a name'),
)


def probe(found: Iterable[Parent] = (),
          raises: BaseException | None = None) -> Any:
    """A class of probes that give or raise this."""
    class Given:
        def __init__(self, root: str) -> None:
            self.root = root

        def parents(self, known: Mapping[str, Parent]) -> Iterable[Parent]:
            if raises:
                raise raises
            return found
    return Given


@ddt.ddt
class TestFind(testtools.TestCase):

    def find(self, **probes: type[Probe]) -> findings.Findings:
        return findings.find('/nowhere', probes=probes)

    def test_installed_probes(self) -> None:
        found, failures = findings.installed()
        self.assertEqual({'sysfs': SysfsProbe, 'nvml': NvmlProbe}, found)
        self.assertEqual([], failures)

    def test_finds_with_installed_probes(self) -> None:
        root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        sysfs_trees.unpack_captured(root)
        found = findings.find(str(root))
        self.assertEqual({'mtty', 'mdpy', 'mbochs'}, set(found.parents))
        self.assertEqual((), found.failures)

    def test_adds_facts(self) -> None:
        more = Parent(GPU.name, {'board': 'Y', 'site.rack': 4},
                      {'acme-1': {'site.tier': 'gold'},
                       'acme-2': {'device_api': 'vfio-pci'}})
        found = self.find(zzz=probe([OTHER]), site=probe([more]),
                          sysfs=probe([GPU]))
        self.assertEqual(
            {GPU.name: Parent(
                GPU.name, {'bus': 'pci', 'board': 'Y', 'site.rack': 4},
                {'acme-1': {'device_api': 'vfio-pci', 'site.tier': 'gold'},
                 'acme-2': {'device_api': 'vfio-pci'}}),
             OTHER.name: OTHER}, found.parents)

    def test_sysfs_goes_first(self) -> None:
        order: list[str] = []

        def noting(name: str) -> Any:
            class Noting:
                def __init__(self, root: str) -> None:
                    order.append(name)

                def parents(self, known: Mapping[str, Parent]
                            ) -> Iterable[Parent]:
                    return ()
            return Noting

        self.find(**{name: noting(name)
                     for name in ('zzz', 'sysfs', 'nvml', 'acme')})
        self.assertEqual(['sysfs', 'acme', 'nvml', 'zzz'], order)

    def test_failure_of_everything(self) -> None:
        found = self.find(sysfs=probe(raises=ProbeFailed('/sys: EIO')))
        self.assertEqual({}, found.parents)
        self.assertEqual('probe sysfs: /sys: EIO', str(found.failures[0]))
        self.assertEqual(found.failures[0], found.failure('anything'))

    def test_failure_of_some(self) -> None:
        failing = probe(raises=ProbeFailed('lost', [GPU.name]))
        found = self.find(sysfs=probe([GPU, OTHER]), nvml=failing)
        self.assertEqual({GPU.name, OTHER.name}, set(found.parents))
        self.assertEqual('probe nvml: lost', str(found.failure(GPU.name)))
        self.assertIsNone(found.failure(OTHER.name))

    def test_failure_of_some_gives_the_others(self) -> None:
        more = Parent(OTHER.name, {'site.rack': 4})
        failing = probe(raises=ProbeFailed('lost', [GPU.name], [more]))
        found = self.find(sysfs=probe([GPU, OTHER]), nvml=failing)
        self.assertEqual(4, found.parents[OTHER.name].facts['site.rack'])
        self.assertIsNone(found.failure(OTHER.name))
        self.assertIsNotNone(found.failure(GPU.name))

    def test_failure_that_gives_bad_facts(self) -> None:
        bad: Any = Parent('x', {'A': 1})
        failing = probe(raises=ProbeFailed('lost', [GPU.name], [bad]))
        found = self.find(sysfs=probe([OTHER]), nvml=failing)
        self.assertIn("'A' is not a name", str(found.failure(OTHER.name)))

    @ddt.data((KeyError('rack'), "KeyError: 'rack'"),
              (SystemExit(7), 'SystemExit: 7'))
    @ddt.unpack
    def test_any_exception_is_a_failure(self, error: BaseException,
                                        words: str) -> None:
        logger = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        found = self.find(sysfs=probe([OTHER]), site=probe(raises=error))
        self.assertEqual(f'probe site: {words}',
                         str(found.failure(OTHER.name)))
        self.assertEqual({OTHER.name: OTHER}, found.parents)
        self.assertEqual(1, logger.output.count('Traceback'))

    @ddt.data(*BAD_FACTS)
    @ddt.unpack
    def test_bad_facts(self, title: str, facts: dict[str, Any],
                       words: str) -> None:
        for parent in (Parent('x', facts), Parent('x', {}, {'t': facts})):
            found = self.find(sysfs=probe([OTHER]),
                              site=probe([GPU, parent]))
            self.assertIn(words, str(found.failure(OTHER.name)))
            self.assertEqual({OTHER.name: OTHER}, found.parents)

    def test_probe_that_cannot_be_loaded(self) -> None:
        def manager(namespace: str, on_load_failure_callback: Any) -> Any:
            entry = mock.Mock()
            entry.name = 'site'
            on_load_failure_callback(None, entry, ImportError('no site'))
            return iter(())

        self.useFixture(fixtures.MonkeyPatch(
            'stevedore.extension.ExtensionManager', manager))
        found = findings.find('/nowhere')
        self.assertEqual('probe site: cannot be loaded: no site',
                         str(found.failure('anything')))
        self.assertIs(manager, extension.ExtensionManager)
        self.assertEqual((), findings.find('/nowhere', only=[]).failures)

    def test_wanted_probes_alone(self) -> None:
        found, failures = findings.installed(['sysfs'])
        self.assertEqual({'sysfs': SysfsProbe}, found)
        self.assertEqual([], failures)

    def test_wanted_probe_is_not_installed(self) -> None:
        found, failures = findings.installed(['sysfs', 'sisfs'])
        self.assertEqual(['probe sisfs: no such probe is installed'],
                         [str(failure) for failure in failures])
