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


"""What sysfs says of a device of any bus."""

from __future__ import annotations

import os

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.probes.tree import Tree

# The bus of the vfio_ap driver's one device is called after that device.
_BUSES = {'pci': 'pci', 'css': 'css', 'matrix': 'ap'}


def read(tree: Tree, path: str) -> dict[str, Fact]:
    """Its bus, its driver and the driver's release."""
    facts: dict[str, Fact] = {}
    subsystem = tree.link(path, 'subsystem')
    if subsystem:
        facts['subsystem'] = subsystem
    facts['bus'] = _bus(tree, path, subsystem or '')
    facts.update(driver(tree, path))
    return facts


def driver(tree: Tree, path: str) -> dict[str, Fact]:
    """The driver of a device, by the name that mdev types begin with.

    That is what dev_driver_string() of Linux says: the driver, or for a
    device without one, such as the parent of the mtty sample, its class.
    """
    name = tree.link(path, 'driver')
    if name is None and _is_virtual(tree, path):
        name = tree.link(path, 'subsystem')
    if name is None:
        return {}
    module = tree.link(path, 'driver', 'module') or name
    facts: dict[str, Fact] = {'driver': name}
    version = tree.text('module', module, 'version')
    if version:
        facts['driver.version'] = version
    return facts


def _bus(tree: Tree, path: str, subsystem: str) -> str:
    if _is_virtual(tree, path):
        return 'virtual'
    return _BUSES.get(subsystem, subsystem or 'unknown')


def _is_virtual(tree: Tree, path: str) -> bool:
    """It is below /sys/devices/virtual, where Nova looks for such parents."""
    real = os.path.realpath(tree.path(path))
    return '/devices/virtual/' in real
