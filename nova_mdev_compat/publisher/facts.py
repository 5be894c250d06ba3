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

==============================  =============================================
`parent`                        kernel's name of the parent: `0000:84:00.0`,
                                `mtty`, `0.0.0313`, `matrix`
`bus`                           `pci`, `css`, `ap`, or `virtual`
`device_api`                    `vfio-pci` and so on
`mdev_type`                     as the kernel names it, `nvidia-558`; not on
                                a physical device
`type.name`                     vendor's name of the type, `NVIDIA A40-2Q`
`type.description`              the text as it is
`type.description.<key>`        each of its `key=value` or `key: value`
                                parts, an integer where it is one
`driver`, `driver.version`      kernel driver of the parent and its release
`kernel.release`                `uname -r` of the host
`pci.vendor`, `pci.device`,     four lower-case hex digits each
`pci.subsystem_vendor`,
`pci.subsystem_device`
`ccw.subchannel_type`,          integers
`ccw.chpid_type`
`nvml.driver_version`,          what NVIDIA's management library says of the
`nvml.ecc`, `nvml.board`, ...   GPU behind the parent
==============================  =============================================
"""

from __future__ import annotations

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
    """A probe could not find out: that is not the same as "no devices"."""


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

    Made without arguments but the host's file system root.
    """

    def parents(self, known: Mapping[str, Parent]) -> Iterable[Parent]:
        """Parents that were found, or more facts of known ones.

        :param known: what the probes before found, by name.
        :raises ProbeFailed: it could not find out.
        """
