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


"""Files in sysfs that one vendor's driver alone makes.

NVIDIA: "Virtual GPU Software User Guide", the section on the vendor-specific
VFIO framework.  QAT: Documentation/ABI/testing/sysfs-driver-qat of Linux.
mlx5: Documentation/ABI/stable/sysfs-class-infiniband of Linux.
"""

from __future__ import annotations

import re

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.probes import device
from nova_mdev_compat.publisher.probes import pci
from nova_mdev_compat.publisher.probes.tree import Tree

_TYPE_ROW = re.compile(r'\s*([0-9]+)\s*:\s*(\S.*?)\s*')


def nvidia(tree: Tree, path: str) -> dict[str, Fact]:
    """The vGPU type of a virtual function without mdev, and what it may be.

    Both change: with the type set, other types can no longer be made.
    """
    facts: dict[str, Fact] = {}
    current = tree.text(path, 'nvidia', 'current_vgpu_type')
    if current and current.isdecimal() and int(current):
        facts['nvidia.vgpu_type'] = int(current)
    creatable = creatable_vgpu_types(
        tree.text(path, 'nvidia', 'creatable_vgpu_types') or '')
    if creatable:
        facts['nvidia.creatable_vgpu_types'] = tuple(
            sorted(set(creatable.values())))
    return facts


def creatable_vgpu_types(text: str) -> dict[int, str]:
    """Names by number: rows of `558 : NVIDIA A40-2Q` below a heading."""
    rows = (_TYPE_ROW.fullmatch(line) for line in text.splitlines())
    return {int(row.group(1)): row.group(2) for row in rows if row}


def physical_function(tree: Tree, address: str) -> dict[str, Fact]:
    """What a virtual function takes from its physical function.

    :param address: of the physical function.
    """
    path = f'{pci.DEVICES}/{address}'
    facts: dict[str, Fact] = {
        f'pf.{name}': value
        for name, value in device.driver(tree, path).items()}
    number = tree.optional(path, 'device')
    if number and number.startswith('0x'):
        facts['pf.device'] = number[2:]
    return facts


def firmware(tree: Tree, address: str) -> dict[str, Fact]:
    """What runs on the board, from its physical function.

    :param address: of the physical function.
    """
    path = f'{pci.DEVICES}/{address}'
    facts: dict[str, Fact] = {}
    services = tree.optional(path, 'qat', 'cfg_services')
    if services:
        facts['qat.cfg_services'] = services
    for name in (tree.names(path, 'infiniband') or ())[:1]:
        for fact, file in (('infiniband.firmware', 'fw_ver'),
                           ('infiniband.board', 'board_id')):
            value = tree.optional(path, 'infiniband', name, file)
            if value:
                facts[fact] = value
    return facts
