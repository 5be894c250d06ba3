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


"""Which devices of the host are published, and on which providers."""

from __future__ import annotations

from collections.abc import Iterable

from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.host_device import HostDevice
from nova_mdev_compat.publisher import mdev_devices
from nova_mdev_compat.publisher.nova_conf import HostConfiguration
from nova_mdev_compat.publisher import pci_devices

__all__ = ['HostDevice', 'devices', 'problems']


def devices(parents: Iterable[Parent],
            configuration: HostConfiguration) -> list[HostDevice]:
    """A row for each device that Nova hands out, sorted by provider.

    A provider that is named here need not exist: Nova makes none for a
    parent that has no room and no devices, or is over `max_instances`.
    """
    known = list(parents)
    found = [*mdev_devices.devices(known, configuration.mdev),
             *pci_devices.devices(known, configuration.device_specs)]
    return sorted(found, key=lambda device: (device.provider_suffix,
                                             device.parent))


def problems(parents: Iterable[Parent],
             configuration: HostConfiguration) -> list[str]:
    """What does not fit together, for the operator to look at."""
    known = list(parents)
    return [*configuration.problems,
            *mdev_devices.problems(known, configuration.mdev),
            *pci_devices.problems(known, configuration.device_specs)]
