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


"""What sysfs says of a PCI device.

See Documentation/ABI/testing/sysfs-bus-pci of Linux.
"""

from __future__ import annotations

import re

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.probes.tree import Tree

#: Where every PCI device is.
DEVICES = 'bus/pci/devices'

_FILES = {
    'pci.vendor': 'vendor',
    'pci.device': 'device',
    'pci.subsystem_vendor': 'subsystem_vendor',
    'pci.subsystem_device': 'subsystem_device',
    'pci.class': 'class',
    'pci.revision': 'revision',
}
_NUMBER = re.compile('0x([0-9a-f]{2,6})')


def read(tree: Tree, path: str) -> dict[str, Fact]:
    """Its ids, and its place among virtual functions."""
    facts: dict[str, Fact] = {}
    for name, file in _FILES.items():
        number = _NUMBER.fullmatch(tree.text(path, file) or '')
        if number:
            facts[name] = number.group(1)
    physical = tree.link(path, 'physfn')
    if physical:
        facts['pci.physical_function'] = physical
    total = tree.number(path, 'sriov_totalvfs')
    if total:
        facts['pci.total_vfs'] = total
    # What a guest gets when it gets the device itself.
    facts['device_api'] = 'vfio-pci'
    return facts
