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


"""The mediated devices that Nova makes, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
import re

from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.host_device import HostDevice
from nova_mdev_compat.publisher.mdev_configuration import MdevConfiguration


def libvirt_name(parent: Parent) -> str:
    """The name of a parent's node device in libvirt.

    As libvirt's udev backend makes it: the subsystem and the kernel's name,
    with `_` for what is no letter or digit: `pci_0000_84_00_0`,
    `mtty_mtty`, `css_0_0_0313`; `ap_matrix` is spelt out there.
    """
    if parent.facts.get('bus') == 'ap':
        return f'ap_{parent.name}'
    subsystem = parent.facts.get('subsystem', parent.facts.get('bus'))
    return re.sub('[^A-Za-z0-9]', '_', f'{subsystem}_{parent.name}')


def devices(parents: Sequence[Parent],
            mdev: MdevConfiguration) -> Iterator[HostDevice]:
    """A row for each parent that makes a type which it offers."""
    for parent in parents:
        name = libvirt_name(parent)
        mdev_type = mdev.mdev_type(name)
        if mdev_type in parent.types:
            yield HostDevice(
                parent=parent.name, mdev_type=mdev_type,
                provider_suffix=name,
                resource_class=mdev.resource_class(name),
                facts=parent.device(mdev_type))


def problems(parents: Sequence[Parent],
             mdev: MdevConfiguration) -> Iterator[str]:
    """What the configuration asks for and this host does not have."""
    if not mdev.types and not mdev.default:
        return
    makers = {libvirt_name(parent): parent
              for parent in parents if parent.types}
    offered = {name for parent in makers.values() for name in parent.types}
    for name in sorted({*mdev.types.values(), mdev.default or ''} - {''}):
        if name not in offered:
            yield (f'[devices] enabled_mdev_types: no parent of this host '
                   f'offers {name}')
    yield from _address_problems(makers, mdev, offered)
    yield from _parent_problems(makers, mdev)
    yield from _maximum_problems(makers, mdev)


def _address_problems(makers: dict[str, Parent], mdev: MdevConfiguration,
                      offered: set[str]) -> Iterator[str]:
    by_address = {mdev.address(name): parent
                  for name, parent in makers.items()}
    for address, mdev_type in mdev.types.items():
        place = f'[mdev_{mdev_type}] device_addresses: {address}'
        parent = by_address.get(address)
        if parent is None:
            hint = ('; Nova compares as written, so use lower case'
                    if address.lower() in by_address else '')
            yield f'{place} is no mdev parent of this host{hint}'
        elif mdev_type not in parent.types and mdev_type in offered:
            yield (f'{place} does not offer {mdev_type}, but '
                   f'{", ".join(sorted(parent.types))}')


def _parent_problems(makers: dict[str, Parent],
                     mdev: MdevConfiguration) -> Iterator[str]:
    enabled = {*mdev.types.values(), mdev.default}
    for name, parent in makers.items():
        if mdev.address(name) is not None or not enabled & set(parent.types):
            continue
        if parent.facts.get('bus') == 'virtual':
            yield (f'{parent.name}: Nova makes devices of it only if a '
                   f'group [mdev_<type>] names it: device_addresses = {name}')
        else:
            yield (f'{parent.name}: Nova makes no provider for it, as '
                   f'{name} is no PCI address')


def _maximum_problems(makers: dict[str, Parent],
                      mdev: MdevConfiguration) -> Iterator[str]:
    for mdev_type, maximum in mdev.maxima.items():
        room = sum(_room(parent, mdev_type) for name, parent in makers.items()
                   if mdev.mdev_type(name) == mdev_type)
        if room > maximum:
            yield (f'[mdev_{mdev_type}] max_instances is {maximum} and there '
                   f'is room for {room}: Nova leaves some of the parents '
                   'without a provider')


def _room(parent: Parent, mdev_type: str) -> int:
    facts = parent.types.get(mdev_type, {})
    counts = (facts.get('type.available_instances', 0),
              facts.get('type.instances', 0))
    return sum(count for count in counts if isinstance(count, int))
