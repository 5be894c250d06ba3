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

"""A libvirt that has the sample drivers' parents, for Nova's own driver."""

from __future__ import annotations

from collections.abc import Iterator

import fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver

from tests.kernel import machines

# As libvirt writes it, for instance for mtty.
_XML = """\
<device>
  <name>{address}</name>
  <path>/sys/devices/virtual/{parent}/{parent}</path>
  <parent>computer</parent>
  <capability type='mdev_types'>
    <capability type='mdev_types'>
      <type id='{mdev_type}'>
        <deviceAPI>vfio-pci</deviceAPI>
        <availableInstances>12</availableInstances>
      </type>
    </capability>
  </capability>
</device>
"""


class _Parent:
    """A node device that is no PCI device."""

    def __init__(self, machine: machines.Machine) -> None:
        self._xml = _XML.format(address=machine.address,
                                parent=machine.parent,
                                mdev_type=machine.mdev_type)

    def XMLDesc(self, flags: int) -> str:
        return self._xml


class VirtualParents(fakelibvirt.HostPCIDevicesInfo):
    """The node devices of a machine: its parent, and nothing on PCI."""

    def __init__(self, machine: machines.Machine) -> None:
        super().__init__(num_pci=0, num_pfs=0, num_vfs=0)
        self._parents = {machine.address: _Parent(machine)}

    def get_device_by_name(self, device_name: str) -> _Parent | None:
        return self._parents.get(device_name)

    def get_all_mdev_capable_devices(self) -> list[str]:
        return list(self._parents)


class VirtualAddresses(fixtures.Fixture):
    """Nova's driver finds the parents below /sys/devices/virtual."""

    def _setUp(self) -> None:
        original = driver.LibvirtDriver._validate_device_address

        def validate(own: driver.LibvirtDriver, address: str) -> None:
            if address in _addresses():
                own.virtual_mdevs.add(address)
            else:
                original(own, address)

        self.useFixture(fixtures.MockPatchObject(
            driver.LibvirtDriver, '_validate_device_address', validate))


def operation_failed(words: str) -> Exception:
    """What libvirt raises when a migration fails."""
    error: Exception = fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError, words,
        error_code=fakelibvirt.VIR_ERR_OPERATION_FAILED,
        error_domain=fakelibvirt.VIR_FROM_QEMU)
    return error


def _addresses() -> Iterator[str]:
    return (machine.address for machine in machines.MACHINES)
