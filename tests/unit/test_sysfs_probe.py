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


"""The probe of /sys, on a captured tree, documented ones and broken ones."""

from collections.abc import Callable
import os
import pathlib
import shutil
from unittest import mock

import ddt
import fixtures
import testtools

from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.facts import ProbeFailed
from nova_mdev_compat.publisher.probes.sysfs import SysfsProbe
from nova_mdev_compat.publisher.probes import tree as sysfs_tree
from tests.unit import sysfs_trees

PLAIN = {'device_api': 'vfio-pci', 'type.instances': 0}
GVT = 'sys/devices/pci0000:00/0000:00:02.0'
TYPES = f'{GVT}/mdev_supported_types'
TYPE = f'{TYPES}/i915-GVTg_V5_4'

CAPTURED = {
    'mtty': Parent(
        'mtty',
        {'bus': 'virtual', 'subsystem': 'mtty', 'driver': 'mtty',
         'driver.version': '0.1'},
        {'mtty-1': {**PLAIN, 'type.name': 'Single port serial',
                    'type.available_instances': 23, 'type.instances': 1},
         'mtty-2': {**PLAIN, 'type.name': 'Dual port serial',
                    'type.available_instances': 11}}),
    'mdpy': Parent(
        'mdpy', {'bus': 'virtual', 'subsystem': 'mdpy', 'driver': 'mdpy'},
        {f'mdpy-{name}': {
            **PLAIN, 'type.name': f'mdpy-{name}',
            'type.description': f'virtual display, {size} framebuffer',
            'type.available_instances': 3, 'type.instances': made}
         for name, size, made in (('vga', '640x480', 1),
                                  ('xga', '1024x768', 0),
                                  ('hd', '1920x1080', 0))}),
    'mbochs': Parent(
        'mbochs',
        {'bus': 'virtual', 'subsystem': 'mbochs', 'driver': 'mbochs'},
        {f'mbochs-{name}': {
            **PLAIN, 'type.name': f'mbochs-{name}',
            'type.description': f'virtual display, {size} MB video memory',
            'type.available_instances': room}
         for name, size, room in (('small', 4, 64), ('medium', 16, 16),
                                  ('large', 64, 4))}),
}


def replace_by_link(path: str, to: str) -> Callable[[pathlib.Path], None]:
    def replace(root: pathlib.Path) -> None:
        place = root / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()
        place.symlink_to(to)
    return replace


def remove(path: str) -> Callable[[pathlib.Path], None]:
    def unlink(root: pathlib.Path) -> None:
        place = root / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()
    return unlink


#: Title, what is done to the tree of Intel GVT-g, words of the failure of its
#: one parent.
BROKEN = (
    ('types in a circle',
     replace_by_link(TYPES, 'mdev_supported_types'), 'mdev_supported_types'),
    ('no types at all', remove(TYPES), 'has no mdev_supported_types'),
    ('a type without its API', remove(f'{TYPE}/device_api'), 'device_api'),
    # Reading the first byte of this file is an I/O error.
    ('an I/O error', replace_by_link(f'{TYPE}/device_api', '/proc/self/mem'),
     'Input/output error'),
    ('an endless file', replace_by_link(f'{TYPE}/description', '/dev/zero'),
     'longer than 65536'),
    ('a file in a circle',
     replace_by_link(f'{TYPE}/description', 'description'), 'description'),
    ('an id in a circle', replace_by_link(f'{GVT}/vendor', 'vendor'),
     'vendor'),
)
#: The same, of the failure of everything.
NOTHING_KNOWN = (
    ('parents in a circle',
     replace_by_link('sys/class/mdev_bus', 'mdev_bus'), 'mdev_bus'),
    ('PCI devices in a circle',
     replace_by_link('sys/bus/pci/devices', 'devices'), 'devices'),
    ('no sysfs', remove('sys/class'), 'not a sysfs'),
)

#: Title, what is done, a fact that is left out.
LEFT_OUT = (
    ('no description', remove(f'{TYPE}/description'), 'type.description'),
    ('no room is told',
     remove(f'{TYPE}/available_instances'), 'type.available_instances'),
    ('an I/O error of what changes anyway',
     replace_by_link(f'{TYPE}/available_instances', '/proc/self/mem'),
     'type.available_instances'),
    ('no driver', remove(f'{GVT}/driver'), 'driver'),
    ('a subsystem in a circle',
     replace_by_link(f'{GVT}/subsystem', 'subsystem'), 'pci.vendor'),
    ('no revision', remove(f'{GVT}/revision'), 'pci.revision'),
)


class ProbeTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def gvt(self) -> pathlib.Path:
        return sysfs_trees.documented()['intel-gvt-g'].build(self.root)

    def found(self, root: pathlib.Path | None = None) -> dict[str, Parent]:
        parents = SysfsProbe(str(root or self.root)).parents({})
        return {parent.name: parent for parent in parents}

    def device(self) -> dict[str, object]:
        return dict(self.found()['0000:00:02.0'].device('i915-GVTg_V5_4'))


class TestCaptured(ProbeTestCase):
    """What a Linux 6.12 really said."""

    def test_everything(self) -> None:
        sysfs_trees.unpack_captured(self.root)
        self.assertEqual(CAPTURED, self.found())

    def test_sys_itself_is_a_root_too(self) -> None:
        sysfs_trees.unpack_captured(self.root)
        self.assertEqual(CAPTURED, self.found(self.root / 'sys'))

    def test_facts_of_a_device(self) -> None:
        sysfs_trees.unpack_captured(self.root)
        self.assertEqual(
            {'parent': 'mtty', 'bus': 'virtual', 'subsystem': 'mtty',
             'driver': 'mtty', 'driver.version': '0.1',
             'device_api': 'vfio-pci', 'mdev_type': 'mtty-2',
             'type.name': 'Dual port serial', 'type.available_instances': 11,
             'type.instances': 0},
            self.found()['mtty'].device('mtty-2'))


@ddt.ddt
class TestDocumented(ProbeTestCase):
    """Trees as the documentation describes them."""

    @ddt.data(*sysfs_trees.documented())
    def test_everything(self, name: str) -> None:
        documented = sysfs_trees.documented()[name]
        documented.build(self.root)
        self.assertEqual({parent.name: parent
                          for parent in documented.parents}, self.found())


@ddt.ddt
class TestBroken(ProbeTestCase):

    @ddt.data(*BROKEN)
    @ddt.unpack
    def test_fails(self, title: str, damage: Callable[[pathlib.Path], None],
                   words: str) -> None:
        damage(self.gvt())
        error = self.assertRaises(ProbeFailed, self.found)
        self.assertIn(words, str(error))
        self.assertEqual({'0000:00:02.0'}, error.parents)
        self.assertEqual((), error.found)

    @ddt.data(*NOTHING_KNOWN)
    @ddt.unpack
    def test_finds_out_nothing(
            self, title: str, damage: Callable[[pathlib.Path], None],
            words: str) -> None:
        damage(self.gvt())
        error = self.assertRaises(ProbeFailed, self.found)
        self.assertIn(words, str(error))
        self.assertIsNone(error.parents)

    def test_others_go_on(self) -> None:
        sysfs_trees.unpack_captured(self.root)
        types = 'sys/devices/virtual/{0}/{0}/mdev_supported_types'
        for name in ('mtty', 'mbochs'):
            remove(types.format(name))(self.root)
        error = self.assertRaises(ProbeFailed, self.found)
        self.assertEqual({'mtty', 'mbochs'}, error.parents)
        self.assertEqual((CAPTURED['mdpy'],), error.found)
        self.assertTrue(str(error).endswith('; and 1 more like this'))

    @ddt.data(*LEFT_OUT)
    @ddt.unpack
    def test_leaves_out(self, title: str,
                        damage: Callable[[pathlib.Path], None],
                        fact: str) -> None:
        damage(self.gvt())
        self.assertNotIn(fact, self.device())

    def test_may_not_list(self) -> None:
        self.gvt()
        listdir = os.listdir

        def refuse(path: str) -> list[str]:
            if path.endswith('mdev_supported_types'):
                raise PermissionError(13, 'Permission denied')
            return listdir(path)

        with mock.patch.object(sysfs_tree.os, 'listdir', refuse):
            error = self.assertRaises(ProbeFailed, self.found)
        self.assertIn('mdev_supported_types: Permission denied', str(error))

    def test_bytes_that_are_not_utf8(self) -> None:
        (self.gvt() / TYPE / 'name').write_bytes(b'GVT\xff\xfe\n')
        self.assertEqual(r'GVT\xff\xfe', self.device()['type.name'])

    def test_no_devices_is_no_failure(self) -> None:
        (self.root / 'sys' / 'class').mkdir(parents=True)
        self.assertEqual({}, self.found())


class TestVanishing(ProbeTestCase):
    """A device goes away between two readings."""

    def vanish(self, after: str, path: str) -> dict[str, Parent]:
        listdir = os.listdir

        def list_and_remove(directory: str) -> list[str]:
            names = listdir(directory)
            if directory.endswith(after):
                shutil.rmtree(self.root / path, ignore_errors=True)
            return names

        with mock.patch.object(sysfs_tree.os, 'listdir', list_and_remove):
            return self.found()

    def test_type(self) -> None:
        self.gvt()
        found = self.vanish('mdev_supported_types', TYPE)
        self.assertEqual({}, found['0000:00:02.0'].types)

    def test_parent(self) -> None:
        self.gvt()
        self.assertEqual({}, self.vanish('class/mdev_bus', GVT)[
            '0000:00:02.0'].types)

    def test_device(self) -> None:
        self.gvt()
        self.assertEqual({}, self.vanish('bus/pci/devices', GVT))


class TestManyFunctions(ProbeTestCase):

    def test_asks_their_physical_function_once(self) -> None:
        documented = sysfs_trees.documented()['nvidia-vf-without-mdev']
        tree = dict(documented.tree)
        function = 'sys/devices/pci0000:40/0000:41:00.4'
        devices = dict(tree['sys/bus/pci/devices'])
        for number in range(6, 256):
            name = f'0000:{0x42 + number // 8:02x}:00.{number % 8}'
            tree[f'sys/devices/pci0000:40/{name}'] = tree[function]
            devices[name] = f'-> ../../../devices/pci0000:40/{name}'
        tree['sys/bus/pci/devices'] = devices
        sysfs_trees.build(tree, self.root)
        opened: list[str] = []
        text = sysfs_tree.Tree.text

        def recorded(self: sysfs_tree.Tree, *parts: str) -> str | None:
            opened.append('/'.join(parts))
            return text(self, *parts)

        with mock.patch.object(sysfs_tree.Tree, 'text', recorded):
            found = self.found()
        self.assertEqual(253, len(found))
        # Once as a device of its own, once for all its functions.
        self.assertEqual(2, opened.count(
            'bus/pci/devices/0000:41:00.0/device'))
