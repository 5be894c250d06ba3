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


"""The reading of nova.conf agrees with Nova's own.

Nova's code runs beside ours on the same generated configurations.
"""

import collections
from collections.abc import Callable
import contextlib
import os
import pathlib
from typing import Any
from unittest import mock

import fixtures
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from nova.compute import pci_placement_translator
from nova import conf as nova_options
from nova import exception
from nova.objects import pci_device
from nova.pci import devspec
from nova.pci import whitelist
from nova.virt.libvirt import driver
from nova.virt import node
from oslo_config import cfg
from oslo_serialization import jsonutils
import testtools

from nova_mdev_compat.publisher import devices
from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher import nova_conf

# Older releases have neither parents without a PCI address nor these checks.
KNOWS_VIRTUAL = hasattr(driver.LibvirtDriver, '_is_virtual_mdev')
CHECKS_TAGS = hasattr(devspec.PciDeviceSpec, '_normalize_device_spec_tag')

LIBVIRT_NAMES = ('pci_0000_84_00_0', 'pci_0000_af_00_0', 'pci_0000_85_01_7',
                 'mtty_mtty', 'mdpy_mdpy', 'css_0_0_0313', 'ap_matrix',
                 'pci_0000_84_00', 'x')
# The good ones come often, as one bad value makes the whole file worthless.
ADDRESSES = ('0000:84:00.0', '0000:af:00.0', '0000:85:01.7', '0000:84:00.1',
             '0000:af:00.1', '0000:85:01.6', 'mtty_mtty', 'mdpy_mdpy',
             '0000:84:00.0', '0000:af:00.0', '0000:AF:00.0', '0000:84:00_0',
             '0000:85:01.7', 'mtty_mtty', 'mdpy_mdpy', 'css_0_0_0313',
             'ap_matrix', '84:00.0', '0000:84:00.8')
USABLE = [address for address in ADDRESSES
          if KNOWS_VIRTUAL or '_' not in address[:9]]
TYPES = ('nvidia-35', 'nvidia-36', 'mtty-1')
GROUPS = st.fixed_dictionaries({}, optional={
    'device_addresses': st.lists(st.sampled_from(USABLE), min_size=1,
                                 max_size=3).map(','.join),
    'mdev_class': st.sampled_from(('VGPU', 'CUSTOM_A', 'CUSTOM_B', 'CUSTOM_C',
                                   'PGPU')),
    'max_instances': st.sampled_from(('0', '1', '16', '2', '3')),
})
VIRTUAL = ('/sys/devices/virtual/mtty/mtty', '/sys/devices/virtual/mdpy/mdpy')

HEX = ('0000', '0a', '81', '00', '01', '1', 'g', '', '*', '20', ' 1 ', '0x1',
       '-1')
FIELD = st.sampled_from(HEX)
GLOBS = st.one_of(
    st.builds('{}:{}:{}.{}'.format, FIELD, FIELD, FIELD, FIELD),
    st.builds('{}:{}.{}'.format, FIELD, FIELD, FIELD),
    st.builds('{}.{}'.format, FIELD, FIELD),
    st.sampled_from(('', '*', '*:*:*.*', ':81:00.', '0000:81:00.0',
                     '0000:81:00.*', '0000:81:00', '1:0000:81:00.0')))
REGEXES = st.fixed_dictionaries({}, optional={
    name: st.sampled_from(('.*', '81', '0000', '0[01]', '[0-3]', '', '(', '0',
                           '00'))
    for name in ('domain', 'bus', 'slot', 'function')})
IDS = st.sampled_from(('10de', '10DE', ' 10de ', '0x10de', '*', ' * ', '26b9',
                       '8086', '26ba', '*', '10de', '10de', 'x', '100000'))
GOOD = st.sampled_from(('0000:81:00.0', '0000:81:00.4', '0000:81:01.1',
                        '*:81:*.*', ':81:00.', '0a:00.1', '.4', ''))
SPECS = st.fixed_dictionaries({}, optional={
    'vendor_id': IDS, 'product_id': IDS,
    'address': st.one_of(GOOD, GOOD, GLOBS, REGEXES),
    'physical_network': st.sampled_from(('net', None)),
    'traits': st.sampled_from(('', 'a,b', 'B,A')),
    'managed': st.sampled_from(('yes', 'what') if CHECKS_TAGS else ('yes',)),
    'resource_class': st.sampled_from(('PGPU', 'my-gpu', 'CUSTOM_X', ''))})
REFUSED = 'refused'

#: Address, physical function, vendor, product.
DEVICES = (
    ('0000:81:00.0', None, '10de', '26b9'),
    ('0000:81:00.4', '0000:81:00.0', '10de', '26b9'),
    ('0000:81:01.1', '0000:81:00.0', '10de', '26ba'),
    ('0000:0a:00.1', None, '8086', '0001'),
)


def two_functions(*traits: str) -> list[dict[str, str]]:
    return [{'address': address, 'resource_class': 'PGPU', 'traits': names}
            for address, names in zip(('0000:81:00.4', '0000:81:01.1'),
                                      traits)]


def written(enabled: list[str], groups: dict[str, dict[str, str]]) -> str:
    lines = ['[devices]', 'enabled_mdev_types = ' + ','.join(enabled)]
    for name, options in groups.items():
        lines.append(f'[mdev_{name}]')
        lines += [f'{option} = {value}' for option, value in options.items()]
    return '\n'.join(lines) + '\n'


def nova_configuration(file: str) -> cfg.ConfigOpts:
    """Nova's options, but not the ones that the process goes by."""
    conf = cfg.ConfigOpts()
    for module in (nova_options.base, nova_options.devices,
                   nova_options.paths, nova_options.pci):
        module.register_opts(conf)
    conf([], project='nova', default_config_files=[file],
         default_config_dirs=[])
    return conf


def bare_driver() -> driver.LibvirtDriver:
    """Nova's driver with the attributes that concern mdev types alone."""
    bare = object.__new__(driver.LibvirtDriver)
    bare.pgpu_type_mapping = collections.defaultdict(str)
    bare.mdev_class_mapping = collections.defaultdict(lambda: 'VGPU')
    bare.mdev_classes = set()
    bare.mdev_type_max_mapping = collections.defaultdict(str)
    bare.pgpu_type_default = None
    bare.virtual_mdevs = set()
    return bare


class AgreementTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.FakeLogger())
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        for path in VIRTUAL:
            (self.directory / path[1:]).mkdir(parents=True)

    def write(self, text: str) -> str:
        file = self.directory / 'nova.conf'
        file.write_text(text, encoding='utf-8')
        return str(file)

    def read(self, file: str) -> nova_conf.HostConfiguration:
        return nova_conf.read([file], root=str(self.directory),
                              hostname=lambda: 'gpu1')

    def assertAgree(self, by_nova: Callable[[str], Any],
                    by_us: Callable[[str], Any], file: str) -> None:
        """Both give the same, or both refuse the file."""
        try:
            expected = by_nova(file)
        except (exception.NovaException, cfg.Error, ValueError):
            self.assertRaises(nova_conf.InvalidNovaConfiguration,
                              by_us, file)
            return
        self.assertEqual(expected, by_us(file))


class TestMdevTypes(AgreementTestCase):

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.sampled_from(TYPES), max_size=4),
           st.dictionaries(st.sampled_from(TYPES), GROUPS))
    @example(['mtty-1'], {'mtty-1': {
        'device_addresses': ',0000:84:00.0', 'mdev_class': 'CUSTOM_A'}})
    def test_types_and_classes(self, enabled: list[str],
                               groups: dict[str, dict[str, str]]) -> None:
        self.assertAgree(self.by_nova, self.by_us,
                         self.write(written(enabled, groups)))

    def by_nova(self, file: str) -> dict[str, Any]:
        nova_driver = bare_driver()
        exists = os.path.exists
        with contextlib.ExitStack() as stack:
            conf = nova_configuration(file)
            stack.enter_context(mock.patch.object(driver, 'CONF', conf))
            stack.enter_context(mock.patch.object(
                os.path, 'exists',
                lambda path: path in VIRTUAL or exists(path)))
            nova_driver.supported_vgpu_types = (
                nova_driver._get_supported_vgpu_types())
        return {
            'devices': [(nova_driver._get_vgpu_type_per_pgpu(name),
                         nova_driver._get_resource_class_for_device(name))
                        for name in LIBVIRT_NAMES],
            'maxima': dict(nova_driver.mdev_type_max_mapping)}

    def by_us(self, file: str) -> dict[str, Any]:
        mdev = self.read(file).mdev
        return {
            'devices': [(mdev.mdev_type(name), mdev.resource_class(name))
                        for name in LIBVIRT_NAMES],
            'maxima': mdev.maxima}


class TestPciDevices(AgreementTestCase):

    @settings(max_examples=500, deadline=None)
    @given(st.lists(SPECS, max_size=3))
    @example(two_functions('a,b', 'B,A'))
    @example(two_functions('a-b', 'CUSTOM_A_B'))
    @example(two_functions('a', 'b'))
    def test_providers_and_classes(self, specs: list[dict[str, Any]]) -> None:
        lines = ['[pci]', 'report_in_placement = true']
        lines += ['device_spec = ' + jsonutils.dumps(spec) for spec in specs]
        self.assertAgree(self.by_nova, self.by_us,
                         self.write('\n'.join(lines) + '\n'))

    def by_nova(self, file: str) -> dict[str, Any] | str:
        def is_physical(*fields: str) -> bool:
            return '{}:{}:{}.{}'.format(*fields) == '0000:81:00.0'

        specs = nova_configuration(file).pci.device_spec
        with mock.patch.object(devspec.utils, 'is_physical_function',
                               is_physical):
            accepted = whitelist.Whitelist(specs)
        view = pci_placement_translator.PlacementView('gpu1', [])
        try:
            for device in pci_objects():
                spec = accepted.get_devspec(device)
                if spec:
                    view.process_dev(device, spec)
        except exception.PlacementPciException:
            return REFUSED
        return {name: (provider.resource_class,
                       [device.address for device in provider.devs])
                for name, provider in view.rps.items()}

    def by_us(self, file: str) -> dict[str, Any] | str:
        configuration = self.read(file)
        if any('Nova refuses' in problem for problem
               in devices.problems(parents(), configuration)):
            return REFUSED
        found: dict[str, Any] = {}
        for device in devices.devices(parents(), configuration):
            self.assertTrue(device.pci_in_placement)
            place = found.setdefault(device.provider_name('gpu1'),
                                     (device.resource_class, []))
            place[1].append(device.parent)
        return found


def pci_objects() -> list[pci_device.PciDevice]:
    return [pci_device.PciDevice(
        address=address, parent_addr=physical, vendor_id=vendor,
        product_id=product, status='available', dev_type=(
            'type-VF' if physical else
            'type-PF' if address == '0000:81:00.0' else 'type-PCI'),
        extra_info={}) for address, physical, vendor, product in DEVICES]


def parents() -> list[Parent]:
    found = []
    for address, physical, vendor, product in DEVICES:
        facts: dict[str, Fact] = {
            'bus': 'pci', 'pci.vendor': vendor, 'pci.device': product}
        if physical:
            facts['pci.physical_function'] = physical
        elif address == '0000:81:00.0':
            facts['pci.total_vfs'] = 2
        found.append(Parent(address, facts))
    return found


class TestComputeId(AgreementTestCase):

    UUIDS = ('8e5a9d2e-50bb-4a68-bb5c-2d0e7fb8a1f5',
             '8E5A9D2E-50BB-4A68-BB5C-2D0E7FB8A1F5\n',
             '8e5a9d2e50bb4a68bb5c2d0e7fb8a1f5',
             'd0a1f4d4-6a47-4c8b-bf0e-5b7f5d3d3d0e', 'no', '', None)

    @settings(deadline=None)
    @given(st.sampled_from(UUIDS), st.sampled_from(UUIDS))
    def test_uuid(self, beside: str | None, state: str | None) -> None:
        directory = self.directory / 'state'
        directory.mkdir(exist_ok=True)
        for place, text in ((self.directory, beside), (directory, state)):
            file = place / 'compute_id'
            file.unlink(missing_ok=True)
            if text is not None:
                file.write_text(text, encoding='ascii')
        self.assertAgree(
            self.by_nova, lambda file: self.read(file).root_uuid,
            self.write(f'[DEFAULT]\nstate_path = {directory}\n'))

    def by_nova(self, file: str) -> str | None:
        with mock.patch.object(node, 'CONF', nova_configuration(file)):
            found: str | None = node.read_local_node_uuid()
            return found
