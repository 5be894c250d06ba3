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


"""A device of the host, and the provider that it is published on."""

from __future__ import annotations

import dataclasses

from nova_mdev_compat.publisher.facts import Facts


@dataclasses.dataclass(frozen=True, slots=True)
class HostDevice:
    """A device that Nova hands out from this host.

    :param parent: the kernel's name of its parent, or of the physical device
        itself: `0000:84:00.0`, `mtty`.
    :param mdev_type: the type that Nova makes there; None is a physical
        device.
    :param provider_suffix: what follows the root provider's name and a `_`
        in the name of the device's provider: `pci_0000_84_00_0`,
        `mtty_mtty`, and `0000:AF:00.0` (in capitals) for PCI in placement.
    :param resource_class: the class of the provider's inventory.
    :param facts: what the probes say of it.
    :param pci_in_placement: Nova replaces this provider's traits with those
        of its own `[pci] device_spec` every minute or so.
    :param device_spec: the entry of `[pci] device_spec` that the device
        matches, as JSON; empty without.

    Virtual functions of PCI in placement share the provider of their
    physical function: several devices can have the same provider.
    """

    parent: str
    mdev_type: str | None
    provider_suffix: str
    resource_class: str
    facts: Facts
    pci_in_placement: bool = False
    device_spec: str = ''

    def provider_name(self, root_name: str) -> str:
        """Name of its provider.

        :param root_name: name of the root provider, which is the hypervisor
            hostname.
        """
        return f'{root_name}_{self.provider_suffix}'
