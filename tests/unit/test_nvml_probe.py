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


"""The probe of NVML, with answers from its reference guide."""

import sys
from typing import Any
from unittest import mock

import ddt
import testtools
import yaml

from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.facts import ProbeFailed
from nova_mdev_compat.publisher.probes.nvml import NvmlProbe
from tests.unit import nvml_library
from tests.unit import sysfs_trees

with open(sysfs_trees.DATA / 'nvml-answers.yaml', encoding='utf-8') as file:
    RECORDED: dict[str, dict[str, Any]] = yaml.safe_load(file)

NVIDIA = frozenset({'0000:41:00.0', '0000:41:00.4'})

#: The function that fails, its error, words of the failure.
FAILURES = (
    ('nvmlInit', 'LIBRARY_NOT_FOUND', 'libnvidia-ml.so.1'),
    ('nvmlInit', 'DRIVER_NOT_LOADED', 'Driver Not Loaded'),
    ('nvmlInit', 'LIB_RM_VERSION_MISMATCH', 'reload the driver'),
    ('nvmlSystemGetDriverVersion', 'UNKNOWN', 'Unknown Error'),
    ('nvmlGetVgpuVersion', 'NO_PERMISSION', 'Insufficient Permissions'),
    ('nvmlDeviceGetHandleByPciBusId', 'GPU_IS_LOST',
     '0000:41:00.0: GPU is lost'),
    ('nvmlDeviceGetHandleByPciBusId', 'NOT_FOUND', '0000:41:00.0: Not Found'),
    ('nvmlDeviceGetCurrentEccMode', 'GPU_IS_LOST', 'GPU is lost'),
    ('nvmlVgpuTypeGetName', 'TIMEOUT', 'Timeout'),
)


def known(tree: str) -> dict[str, Parent]:
    return {parent.name: parent
            for parent in sysfs_trees.documented()[tree].parents}


def expected(row: dict[str, Any]) -> Parent:
    facts = {name: value for name, value in row.items() if name != 'types'}
    return Parent('', facts, row.get('types', {}))


@ddt.ddt
class TestNvml(testtools.TestCase):

    @ddt.data(*RECORDED)
    def test_everything(self, name: str) -> None:
        recorded = RECORDED[name]
        library = nvml_library.Library(recorded['answers'])
        found = NvmlProbe(library=library).parents(known(recorded['tree']))
        self.assertEqual(
            {name: expected(row) for name, row in recorded['parents'].items()},
            {parent.name: Parent('', parent.facts, parent.types)
             for parent in found})
        self.assertEqual(('nvmlInit',), library.calls[0])
        self.assertEqual(('nvmlShutdown',), library.calls[-1])

    @ddt.data(*FAILURES)
    @ddt.unpack
    def test_fails(self, function: str, error: str, words: str) -> None:
        answers = dict(RECORDED['mdev']['answers'])
        failing = {'error': error}
        if isinstance(answers.get(function), dict):
            answers[function] = dict.fromkeys(answers[function], failing)
        else:
            answers[function] = failing
        library = nvml_library.Library(answers)
        failure = self.assertRaises(
            ProbeFailed, NvmlProbe(library=library).parents,
            known('nvidia-mdev-on-vf'))
        self.assertIn(words, str(failure))
        self.assertEqual(NVIDIA, failure.parents)
        closed = ('nvmlShutdown',) in library.calls
        self.assertEqual(function != 'nvmlInit', closed)

    def test_binding_is_not_installed(self) -> None:
        with mock.patch.dict(sys.modules, {'pynvml': None}):
            failure = self.assertRaises(
                ProbeFailed, NvmlProbe().parents, known('nvidia-mdev-on-vf'))
        self.assertIn('nova-mdev-compat[nvml]', str(failure))
        self.assertEqual(NVIDIA, failure.parents)

    def test_library_is_not_installed(self) -> None:
        """The real binding, on a machine without the driver."""
        failure = self.assertRaises(
            ProbeFailed, NvmlProbe().parents, known('nvidia-mdev-on-vf'))
        self.assertIn('NVML Shared Library Not Found', str(failure))

    @ddt.data('intel-gvt-g', 'mlx5-vf', 'vfio-ap')
    def test_does_nothing_without_nvidia(self, tree: str) -> None:
        library = nvml_library.Library({})
        self.assertEqual([], NvmlProbe(library=library).parents(known(tree)))
        self.assertEqual([], library.calls)

    def test_a_lost_gpu_does_not_stop_the_others(self) -> None:
        parents = known('nvidia-mdev-on-vf')
        parents['0000:81:00.0'] = Parent(
            '0000:81:00.0', parents['0000:41:00.0'].facts)
        answers = dict(RECORDED['mdev']['answers'])
        answers['nvmlDeviceGetHandleByPciBusId'] = {
            **answers['nvmlDeviceGetHandleByPciBusId'],
            '0000:81:00.0': {'error': 'GPU_IS_LOST'}}
        failure = self.assertRaises(
            ProbeFailed,
            NvmlProbe(library=nvml_library.Library(answers)).parents, parents)
        self.assertEqual({'0000:81:00.0'}, failure.parents)
        self.assertEqual(
            [expected(row) for row in RECORDED['mdev']['parents'].values()],
            [Parent('', parent.facts, parent.types)
             for parent in failure.found])

    @ddt.data({'driver': 'vfio-pci'}, {'driver': 'nouveau'},
              {'pci.class': '040300'},
              {'driver': 'nvidia-nvswitch', 'pci.class': '068000'})
    def test_leaves_what_is_no_gpu_of_the_driver(
            self, facts: dict[str, str]) -> None:
        parents = known('nvidia-mdev-on-vf')
        for name, parent in parents.items():
            parents[name] = Parent(name, {**parent.facts, **facts})
        library = nvml_library.Library({})
        self.assertEqual([], NvmlProbe(library=library).parents(parents))

    def test_asks_a_gpu_with_256_functions_once(self) -> None:
        parents = known('nvidia-mdev-on-vf')
        function = parents['0000:41:00.4']
        for number in range(255):
            parents[f'vf-{number}'] = Parent(
                f'vf-{number}', function.facts, function.types)
        library = nvml_library.Library(RECORDED['mdev']['answers'])
        found = NvmlProbe(library=library).parents(parents)
        self.assertEqual(257, len(found))
        self.assertEqual(len(library.calls), len(set(library.calls)))
