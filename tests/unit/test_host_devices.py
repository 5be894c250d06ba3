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


"""Rows of devices, from facts and nova.conf."""

import pathlib

import ddt
import fixtures
import testtools

from nova_mdev_compat.publisher import devices
from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher import mdev_devices
from nova_mdev_compat.publisher import nova_conf
from nova_mdev_compat.publisher.probes.sysfs import SysfsProbe
from tests.unit import sysfs_trees

PLACEMENT = '[pci]\nreport_in_placement = true\n'
SPEC = PLACEMENT + 'device_spec = '
MTTY = ('[devices]\nenabled_mdev_types = mtty-1\n'
        '[mdev_mtty-1]\ndevice_addresses = mtty_mtty\n')
A40 = '[devices]\nenabled_mdev_types = nvidia-558\n'
L40S = '"vendor_id": "10de", "product_id": "26b9"'

#: Title, tree, nova.conf, rows: parent, type, provider, class.
ROWS: tuple[tuple[str, str, str, list[tuple[str, str | None, str, str]]],
            ...] = (
    ('nothing enabled', 'nvidia-mdev-on-vf', '', []),
    ('default type', 'nvidia-mdev-on-vf', A40,
     [('0000:41:00.4', 'nvidia-558', 'gpu1_pci_0000_41_00_4', 'VGPU')]),
    ('by address', 'nvidia-mdev-on-vf', A40 + '[mdev_nvidia-558]\n'
     'device_addresses = 0000:41:00.4\nmdev_class = CUSTOM_A40\n',
     [('0000:41:00.4', 'nvidia-558', 'gpu1_pci_0000_41_00_4',
       'CUSTOM_A40')]),
    ('at another address', 'nvidia-mdev-on-vf', A40 + '[mdev_nvidia-558]\n'
     'device_addresses = 0000:41:00.5\n', []),
    ('Intel', 'intel-gvt-g',
     '[devices]\nenabled_mdev_types = i915-GVTg_V5_4\n',
     [('0000:00:02.0', 'i915-GVTg_V5_4', 'gpu1_pci_0000_00_02_0', 'VGPU')]),
    ('type that is not offered', 'intel-gvt-g', A40, []),
    ('sample', 'captured', MTTY,
     [('mtty', 'mtty-1', 'gpu1_mtty_mtty', 'VGPU')]),
    ('sample by default', 'captured',
     '[devices]\nenabled_mdev_types = mtty-1\n', []),
    ('subchannel', 'vfio-ccw',
     '[devices]\nenabled_mdev_types = vfio_ccw-io\n', []),
    ('crypto', 'vfio-ap',
     '[devices]\nenabled_mdev_types = vfio_ap-passthrough\n', []),
    ('all VFs share a provider', 'nvidia-vf-without-mdev',
     SPEC + '{"address": {"function": "[45]"}, %s}\n' % L40S,
     [('0000:41:00.4', None, 'gpu1_0000:41:00.0', 'CUSTOM_PCI_10DE_26B9'),
      ('0000:41:00.5', None, 'gpu1_0000:41:00.0', 'CUSTOM_PCI_10DE_26B9')]),
    ('VFs by their PF', 'mlx5-vf',
     SPEC + '{"address": "0000:08:00.0", "product_id": "101e", '
     '"resource_class": "fast nic"}\n',
     [('0000:08:00.2', None, 'gpu1_0000:08:00.0', 'CUSTOM_FAST_NIC')]),
    ('capitals', 'qat-gen4-vf', SPEC + '{"product_id": "4940"}\n',
     [('0000:6b:00.0', None, 'gpu1_0000:6B:00.0', 'CUSTOM_PCI_8086_4940')]),
    ("Neutron's", 'mlx5-vf',
     SPEC + '{"vendor_id": "15b3", "physical_network": "a"}\n', []),
    ('remote', 'mlx5-vf',
     SPEC + '{"vendor_id": "15b3", "remote_managed": "true"}\n', []),
    ('not in placement', 'qat-gen4-vf',
     '[pci]\ndevice_spec = {"product_id": "4941"}\n', []),
    ('PF and VF', 'qat-gen4-vf', SPEC + '{"vendor_id": "8086"}\n', []),
    ('two classes', 'nvidia-vf-without-mdev',
     SPEC + '[{"address": "0000:41:00.4", "resource_class": "a"},'
     '{"address": "0000:41:00.5", "resource_class": "b"}]\n', []),
)

#: Title, tree, nova.conf, words of a problem.
PROBLEMS = (
    ('type that is not offered', 'intel-gvt-g', A40,
     'no parent of this host offers nvidia-558'),
    ('address that is not there', 'nvidia-mdev-on-vf',
     A40 + '[mdev_nvidia-558]\ndevice_addresses = 0000:41:00.5\n',
     '0000:41:00.5 is no mdev parent of this host'),
    ('address in capitals', 'captured-af',
     A40 + '[mdev_nvidia-558]\ndevice_addresses = 0000:AF:00.0\n',
     '0000:AF:00.0 is no mdev parent of this host; Nova compares as '
     'written'),
    ('another type is offered there', 'captured',
     '[devices]\nenabled_mdev_types = mdpy-hd\n'
     '[mdev_mdpy-hd]\ndevice_addresses = mtty_mtty\n',
     'mtty_mtty does not offer mdpy-hd, but mtty-1, mtty-2'),
    ('sample by default', 'captured',
     '[devices]\nenabled_mdev_types = mtty-1\n',
     'device_addresses = mtty_mtty'),
    ('subchannel', 'vfio-ccw',
     '[devices]\nenabled_mdev_types = vfio_ccw-io\n',
     '0.0.0313: Nova makes no provider for it, as css_0_0_0313 is no PCI '
     'address'),
    ('crypto', 'vfio-ap',
     '[devices]\nenabled_mdev_types = vfio_ap-passthrough\n',
     'ap_matrix is no PCI address'),
    ('too many', 'captured', MTTY + 'max_instances = 23\n',
     'max_instances is 23 and there is room for 24'),
    ('PF and VF', 'qat-gen4-vf', SPEC + '{"vendor_id": "8086"}\n',
     '0000:6B:00.0: Nova refuses a physical function together'),
    ('two classes', 'nvidia-vf-without-mdev',
     SPEC + '[{"address": "0000:41:00.4", "resource_class": "a"},'
     '{"address": "0000:41:00.5", "resource_class": "b"}]\n',
     'CUSTOM_A, CUSTOM_B'),
    ('two traits', 'nvidia-vf-without-mdev',
     SPEC + '[{"address": "0000:41:00.4", "traits": "a"},'
     '{"address": "0000:41:00.5", "traits": "b"}]\n', 'different traits'),
    ('one-time use of a VF', 'qat-gen4-vf',
     SPEC + '{"product_id": "4941", "one_time_use": "true"}\n',
     'one_time_use'),
    ('nothing matches', 'qat-gen4-vf', SPEC + '{"vendor_id": "10de"}\n',
     'no device matches {"vendor_id": "10de"}'),
    ('remote', 'mlx5-vf',
     SPEC + '{"vendor_id": "15b3", "remote_managed": "true"}\n',
     'left out: {"vendor_id": "15b3"'),
)

#: Facts of a parent, its name in libvirt.
NAMES = (
    ('0000:84:00.0', 'pci', 'pci', 'pci_0000_84_00_0'),
    ('mtty', 'virtual', 'mtty', 'mtty_mtty'),
    ('0.0.0313', 'css', 'css', 'css_0_0_0313'),
    ('matrix', 'ap', 'matrix', 'ap_matrix'),
)


@ddt.ddt
class TestDevices(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (self.root / 'compute_id').write_text(
            '8e5a9d2e-50bb-4a68-bb5c-2d0e7fb8a1f5', encoding='ascii')

    def configuration(self, text: str) -> nova_conf.HostConfiguration:
        file = self.root / 'nova.conf'
        file.write_text(text, encoding='utf-8')
        return nova_conf.read([str(file)], root=str(self.root),
                              hostname=lambda: 'gpu1')

    def parents(self, tree: str) -> list[Parent]:
        if tree == 'captured-af':
            return [Parent('0000:af:00.0', {'bus': 'pci', 'subsystem': 'pci'},
                           {'nvidia-558': {}})]
        if tree == 'captured':
            sysfs_trees.unpack_captured(self.root)
        else:
            sysfs_trees.documented()[tree].build(self.root)
        return SysfsProbe(str(self.root)).parents({})

    @ddt.data(*ROWS)
    @ddt.unpack
    def test_rows(self, title: str, tree: str, text: str,
                  expected: list[tuple[str, str | None, str, str]]) -> None:
        parents = self.parents(tree)
        found = devices.devices(parents, self.configuration(text))
        self.assertEqual(expected, [
            (device.parent, device.mdev_type, device.provider_name('gpu1'),
             device.resource_class) for device in found])
        facts = {parent.name: parent for parent in parents}
        for device in found:
            self.assertEqual(facts[device.parent].device(device.mdev_type),
                             device.facts)
            self.assertEqual(device.mdev_type is None,
                             device.pci_in_placement)
            self.assertEqual(device.pci_in_placement,
                             bool(device.device_spec))

    @ddt.data(*PROBLEMS)
    @ddt.unpack
    def test_problems(self, title: str, tree: str, text: str,
                      words: str) -> None:
        found = devices.problems(self.parents(tree), self.configuration(text))
        self.assertIn(words, '\n'.join(found))

    @ddt.data(*[row for row in ROWS if row[3]])
    @ddt.unpack
    def test_no_problems(self, title: str, tree: str, text: str,
                         expected: object) -> None:
        self.assertEqual([], devices.problems(self.parents(tree),
                                              self.configuration(text)))

    @ddt.data(*NAMES)
    @ddt.unpack
    def test_libvirt_name(self, name: str, bus: str, subsystem: str,
                          expected: str) -> None:
        parent = Parent(name, {'bus': bus, 'subsystem': subsystem})
        self.assertEqual(expected, mdev_devices.libvirt_name(parent))
