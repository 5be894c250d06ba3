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

"""What a compute host knows of its devices: facts.

Names of facts are lower-case words with dots between them.  The shipped
probes deliver these, each one only where the host knows it:

=================================  ==========================================
`parent`                           kernel's name of the parent:
                                   `0000:84:00.0`, `mtty`, `0.0.0313`,
                                   `matrix`
`bus`                              `pci`, `css`, `ap`, or `virtual`
`subsystem`                        the kernel's word for it: `pci`, `mtty`
`device_api`                       `vfio-pci` and so on
`mdev_type`                        as the kernel names it, `nvidia-558`; not
                                   on a physical device
`type.name`                        vendor's name of the type,
                                   `NVIDIA A40-2Q`
`type.description`                 the text as it is
`type.description.<key>`           each of its `key=value` or `key: value`
                                   parts, an integer where it is one
`type.available_instances`,        integers that change with use: how many
`type.instances`                   can still be made, and how many are
`driver`, `driver.version`         kernel driver of the parent and its
                                   release
`kernel.release`                   `uname -r` of the host
`pci.vendor`, `pci.device`,        four lower-case hex digits each
`pci.subsystem_vendor`,
`pci.subsystem_device`
`pci.class`, `pci.revision`        six and two lower-case hex digits
`pci.physical_function`            address of a virtual function's physical
                                   one
`pci.total_vfs`                    integer, on a physical function alone
`pf.driver`, `pf.driver.version`,  the same of a virtual function's physical
`pf.device`                        function
`qat.cfg_services`                 what Intel QAT's rings serve, `sym;asym`
`infiniband.firmware`,             firmware and board of an mlx5 device, of
`infiniband.board`                 its physical function
`nvidia.vgpu_type`                 integer: what is set on a virtual function
                                   of NVIDIA's that is no mdev parent
`nvidia.creatable_vgpu_types`      names of what can be set; changes with use
`ccw.subchannel_type`,             integers
`ccw.chpid_type`
`ap.features`                      what the vfio_ap driver can do
`nvml.driver_version`              release of NVIDIA's driver
`nvml.ecc`                         boolean: the mode now, not the pending one
`nvml.board`,                      the GPU behind the parent: product name,
`nvml.board.part_number`,          part number, and the number that NVML
`nvml.board.id`                    gives the board on this host
`nvml.vgpu_version.supported.*`,   `minimum` and `maximum`, integers: vGPU
`nvml.vgpu_version.current.*`      versions that the driver supports, and
                                   that the operator left of them
`nvml.type.name`,                  the vGPU type by NVML, of an mdev type or
`nvml.type.class`                  of what is set on the virtual function
=================================  ==========================================

What changes with use does not belong into a document: it would be published
anew whenever a server comes or goes.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
from typing import Protocol
from typing import TypeAlias

#: What can stand in a document too: no floats, no nesting.
Fact: TypeAlias = str | int | bool | tuple[str, ...]

#: Facts by name.
Facts: TypeAlias = Mapping[str, Fact]


class ProbeFailed(Exception):
    """A probe could not find out: that is not the same as "no devices".

    :param reason: what it could not find out, and what to do.
    :param parents: names of the parents that it concerns; None is all, those
        that it would have found too.
    :param found: what it could find out of others.
    """

    def __init__(self, reason: str,
                 parents: Collection[str] | None = None,
                 found: Collection[Parent] = ()) -> None:
        super().__init__(reason)
        self.parents = None if parents is None else frozenset(parents)
        self.found = tuple(found)


@dataclasses.dataclass(frozen=True, slots=True)
class Parent:
    """What devices are made of: a GPU, one of its VFs, a subchannel.

    :param name: the kernel's name of it.
    :param facts: what holds for every device that is made of it.
    :param types: what holds for the devices of one mdev type, by the type's
        name; empty for a physical device.
    """

    name: str
    facts: Facts
    types: Mapping[str, Facts] = dataclasses.field(default_factory=dict)

    def device(self, mdev_type: str | None = None) -> Facts:
        """Facts of a device of a type, or of the parent itself.

        :raises KeyError: the parent has no such type.
        """
        own = {'parent': self.name, **self.facts}
        if mdev_type is None:
            return own
        return {**own, **self.types[mdev_type], 'mdev_type': mdev_type}


class Probe(Protocol):
    """A plug-in of the namespace `nova_mdev_compat.facts`.

    Made with one argument, the directory that stands for /sys.
    """

    def parents(self, known: Mapping[str, Parent]) -> Iterable[Parent]:
        """Parents that were found, or more facts of known ones.

        :param known: what the probes before found, by name.
        :raises ProbeFailed: it could not find out.
        """
