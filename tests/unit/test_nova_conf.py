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


"""What is read from nova.conf, and what is refused."""

import os
import pathlib
import socket
from typing import Any
from unittest import mock

import ddt
import fixtures
import testtools

from nova_mdev_compat.publisher import compute_node
from nova_mdev_compat.publisher import nova_conf

UUID = '8e5a9d2e-50bb-4a68-bb5c-2d0e7fb8a1f5'
OTHER = 'd0a1f4d4-6a47-4c8b-bf0e-5b7f5d3d3d0e'
TWO = '[devices]\nenabled_mdev_types = nvidia-35, nvidia-36\n'
PLACEMENT = '[pci]\nreport_in_placement = true\n'

#: Title, nova.conf, words of the error.
REFUSED = (
    ('named twice', TWO + '[mdev_nvidia-35]\n'
     'device_addresses = 0000:84:00.0\n[mdev_nvidia-36]\n'
     'device_addresses = 0000:85:00.0,0000:84:00.0\n',
     '[mdev_nvidia-36] device_addresses: 0000:84:00.0 is named for '
     'nvidia-35 already'),
    ('no address', TWO + '[mdev_nvidia-35]\ndevice_addresses = 84:00\n',
     '84:00 is neither a PCI address nor below /sys/devices/virtual'),
    ('bad class', TWO + '[mdev_nvidia-35]\nmdev_class = PGPU\n',
     'mdev_class'),
    ('bad maximum', TWO + '[mdev_nvidia-35]\nmax_instances = 0\n',
     'max_instances'),
    ('unknown reference', '[DEFAULT]\nstate_path = $nothing\n', 'nothing'),
    ('not parseable', '[devices\n', 'nova.conf:1'),
    ('device_spec is not JSON', PLACEMENT + 'device_spec = {address: x}\n',
     'not JSON'),
    ('device_spec is a number', PLACEMENT + 'device_spec = 1\n',
     'an object or an array'),
    ('device_spec holds a string', PLACEMENT + 'device_spec = ["x"]\n',
     'an object or an array'),
    ('devname', PLACEMENT + 'device_spec = {"devname": "eth0"}\n',
     'give the address'),
    ('id is a number', PLACEMENT + 'device_spec = {"vendor_id": 4318}\n',
     'vendor_id: 4318 is not a string'),
    ('id is no hex', PLACEMENT + 'device_spec = {"product_id": "gpu"}\n',
     "product_id: 'gpu' is not a hex number"),
    ('function too large',
     PLACEMENT + 'device_spec = {"address": "0000:81:00.8"}\n',
     'address: function: 8 is greater than 7'),
    ('address too long',
     PLACEMENT + 'device_spec = {"address": "1:0000:81:00.0"}\n',
     'too many parts'),
    ('address is a list', PLACEMENT + 'device_spec = {"address": ["81"]}\n',
     'neither a string nor an object'),
    ('bad regular expression',
     PLACEMENT + 'device_spec = {"address": {"bus": "("}}\n',
     "'(' is not a regular expression"),
    ('bad tag', PLACEMENT + 'device_spec = {"managed": "what"}\n',
     'managed:'),
)

#: Title, nova.conf, words of a problem.
PROBLEMS = (
    ('two defaults', TWO, '[mdev_nvidia-36] has no device_addresses, and '
     'nvidia-35 is the default type already: Nova does not use nvidia-36'),
    ('class of the default', TWO + '[mdev_nvidia-35]\n'
     'mdev_class = CUSTOM_A\n[mdev_nvidia-36]\n'
     'device_addresses = 0000:84:00.0\n',
     '[mdev_nvidia-35] mdev_class is CUSTOM_A, but without device_addresses '
     'Nova gives VGPU'),
    ('no state_path', '', 'state_path is not set: the root provider is '
     'looked for by its name'),
    ('no compute_id', '[DEFAULT]\nstate_path = /nowhere\n',
     'there is no compute_id file in'),
)


class NovaConfTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)

    def write(self, text: str, name: str = 'nova.conf') -> str:
        file = self.directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding='utf-8')
        return str(file)

    def read(self, text: str, **others: Any) -> nova_conf.HostConfiguration:
        return nova_conf.read([self.write(text)], root=str(self.directory),
                              hostname=lambda: 'gpu1.example', **others)


@ddt.ddt
class TestRead(NovaConfTestCase):

    @ddt.data(*REFUSED)
    @ddt.unpack
    def test_refuses(self, title: str, text: str, words: str) -> None:
        error = self.assertRaises(nova_conf.InvalidNovaConfiguration,
                                  self.read, text)
        self.assertIn(words, str(error))
        self.assertNotEqual((), error.problems)

    def test_says_all_that_is_wrong(self) -> None:
        error = self.assertRaises(
            nova_conf.InvalidNovaConfiguration, self.read,
            TWO + '[mdev_nvidia-35]\ndevice_addresses = a,b\n')
        self.assertEqual(2, len(error.problems))

    @ddt.data(*PROBLEMS)
    @ddt.unpack
    def test_problems(self, title: str, text: str, words: str) -> None:
        self.assertIn(words, '\n'.join(self.read(text).problems))

    def test_no_file(self) -> None:
        self.assertRaises(nova_conf.InvalidNovaConfiguration, nova_conf.read,
                          [str(self.directory / 'none')])

    def test_nothing_enabled(self) -> None:
        configuration = self.read('')
        self.assertIsNone(configuration.mdev.mdev_type('pci_0000_84_00_0'))
        self.assertEqual((), configuration.device_specs)

    def test_one_type_without_a_group(self) -> None:
        mdev = self.read('[devices]\nenabled_mdev_types = nvidia-35\n').mdev
        self.assertEqual('nvidia-35', mdev.mdev_type('pci_0000_84_00_0'))
        self.assertEqual('VGPU', mdev.resource_class('pci_0000_84_00_0'))

    def test_old_names(self) -> None:
        mdev = self.read('[devices]\nenabled_vgpu_types = nvidia-35\n'
                         '[vgpu_nvidia-35]\n'
                         'device_addresses = 0000:84:00.0\n').mdev
        self.assertEqual('nvidia-35', mdev.mdev_type('pci_0000_84_00_0'))
        self.assertIsNone(mdev.mdev_type('pci_0000_85_00_0'))

    def test_several_files_and_directories(self) -> None:
        first = self.write('[devices]\nenabled_mdev_types = nvidia-35\n')
        second = self.write('[DEFAULT]\nhost = a\n', 'nova-compute.conf')
        third = self.write('[DEFAULT]\nhost = b\n', 'nova.conf.d/host.conf')
        configuration = nova_conf.read(
            [first, second], [os.path.dirname(third)],
            hostname=lambda: 'gpu1')
        self.assertEqual('b', configuration.host)
        self.assertEqual('nvidia-35', configuration.mdev.default)

    def test_specs_only_if_they_are_in_placement(self) -> None:
        entry = 'device_spec = {"vendor_id": "10de"}\n'
        self.assertEqual((), self.read('[pci]\n' + entry).device_specs)
        self.assertEqual(1, len(self.read(PLACEMENT + entry).device_specs))

    def test_specs_by_their_old_name(self) -> None:
        found = self.read(PLACEMENT + 'passthrough_whitelist = '
                          '[{"vendor_id": "10de"}, {}]\n').device_specs
        self.assertEqual(['10de', '*'], [spec.vendor_id for spec in found])


class TestComputeNode(NovaConfTestCase):

    def test_uuid_beside_the_configuration(self) -> None:
        self.write(UUID + '\n', 'compute_id')
        configuration = self.read('[DEFAULT]\nstate_path = /nowhere\n')
        self.assertEqual(UUID, configuration.root_uuid)
        self.assertEqual((socket.gethostname(),), configuration.root_names)
        self.assertEqual((), configuration.problems)

    def test_uuid_in_the_state_path(self) -> None:
        self.write(UUID.upper(), 'state/compute_id')
        self.assertEqual(UUID, self.read(
            f'[DEFAULT]\nstate_path = {self.directory}/state\n').root_uuid)

    def test_two_that_disagree(self) -> None:
        self.write(UUID, 'compute_id')
        self.write(OTHER, 'state/compute_id')
        error = self.assertRaises(
            nova_conf.InvalidNovaConfiguration, self.read,
            f'[DEFAULT]\nstate_path = {self.directory}/state\n')
        self.assertIn(f'compute_id says {UUID} and ', str(error))

    def test_no_uuid(self) -> None:
        self.write('gpu1', 'compute_id')
        error = self.assertRaises(nova_conf.InvalidNovaConfiguration,
                                  self.read, '')
        self.assertIn('compute_id holds no UUID', str(error))

    def test_not_readable(self) -> None:
        (self.directory / 'compute_id').mkdir()
        error = self.assertRaises(nova_conf.InvalidNovaConfiguration,
                                  self.read, '')
        self.assertIn('compute_id: Is a directory', str(error))

    def test_names(self) -> None:
        self.assertEqual(('gpu1.example', socket.gethostname()),
                         self.read('').root_names)
        configuration = self.read('[DEFAULT]\nhost = gpu1-compute\n')
        self.assertEqual(('gpu1.example', 'gpu1-compute'),
                         configuration.root_names)
        self.assertEqual('gpu1-compute', configuration.host)

    def test_host_by_address(self) -> None:
        self.assertEqual('192.0.2.7', self.read(
            '[DEFAULT]\nmy_ip = 192.0.2.7\nhost = $my_ip\n').host)


#: Hostname, canonical name (an error if None), what libvirt says.
HOSTNAMES = (
    ('gpu1', 'gpu1.example', 'gpu1.example'),
    ('gpu1', '', 'gpu1'),
    ('gpu1', 'localhost.localdomain', 'gpu1'),
    ('gpu1', None, 'gpu1'),
    ('gpu1.example', 'other.example', 'gpu1.example'),
    ('localhost', 'gpu1.example', 'localhost'),
)


@ddt.ddt
class TestHypervisorHostname(testtools.TestCase):

    @ddt.data(*HOSTNAMES)
    @ddt.unpack
    def test_hostname(self, own: str, canonical: str | None,
                      expected: str) -> None:
        answer = [(socket.AF_INET, 1, 6, canonical, ('192.0.2.7', 0))]

        def getaddrinfo(*values: object, **named: object) -> Any:
            if canonical is None:
                raise socket.gaierror
            return answer

        with mock.patch.object(socket, 'gethostname', lambda: own), \
                mock.patch.object(socket, 'getaddrinfo', getaddrinfo):
            self.assertEqual(expected, compute_node.hypervisor_hostname())
