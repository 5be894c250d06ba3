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


"""The physical devices of PCI in placement, as rows.

The rules are those of `nova/compute/pci_placement_translator.py` of Nova 34:
a physical function or a plain device has a provider of its own; virtual
functions are inventory of their physical function's provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses

from nova_mdev_compat.publisher.device_spec import address_fields
from nova_mdev_compat.publisher.device_spec import DeviceSpec
from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.host_device import HostDevice


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """A device and the entry of device_spec that it matches."""

    parent: Parent
    spec: DeviceSpec

    @property
    def physical_function(self) -> str | None:
        return _text(self.parent, 'pci.physical_function') or None

    @property
    def provider_suffix(self) -> str:
        """The address in capitals, as Nova writes it there."""
        return (self.physical_function or self.parent.name).upper()

    @property
    def resource_class(self) -> str:
        return self.spec.resource_class(_text(self.parent, 'pci.vendor'),
                                        _text(self.parent, 'pci.device'))


def devices(parents: Sequence[Parent],
            specs: Sequence[DeviceSpec]) -> Iterator[HostDevice]:
    """A row for each device that Nova puts into placement."""
    for suffix, found in _by_provider(parents, specs).items():
        if _conflict(found):
            continue
        for match in found:
            yield HostDevice(
                parent=match.parent.name, mdev_type=None,
                provider_suffix=suffix, resource_class=match.resource_class,
                facts=match.parent.device(), pci_in_placement=True,
                device_spec=match.spec.text)


def problems(parents: Sequence[Parent],
             specs: Sequence[DeviceSpec]) -> Iterator[str]:
    """Providers that Nova refuses to make, and entries without a device."""
    for suffix, found in _by_provider(parents, specs).items():
        conflict = _conflict(found)
        if conflict:
            yield f'[pci] device_spec: {suffix}: {conflict}'
    used = {match.spec.text for match in matches(parents, specs)}
    for spec in specs:
        if spec.remote_managed:
            yield f'[pci] device_spec: left out: {spec.text}'
        elif spec.text not in used:
            yield f'[pci] device_spec: no device matches {spec.text}'


def _by_provider(parents: Sequence[Parent],
                 specs: Sequence[DeviceSpec]) -> dict[str, list[Match]]:
    found: dict[str, list[Match]] = {}
    for match in matches(parents, specs):
        if match.spec.tracked_in_placement and not match.spec.remote_managed:
            found.setdefault(match.provider_suffix, []).append(match)
    return found


def matches(parents: Sequence[Parent],
            specs: Sequence[DeviceSpec]) -> Iterator[Match]:
    """Each device with the first entry that it matches."""
    physical = {parent.name for parent in parents
                if parent.facts.get('pci.total_vfs')}
    for parent in parents:
        if (parent.facts.get('bus') != 'pci'
                or address_fields(parent.name) is None):
            continue
        for spec in specs:
            if _spec_matches(spec, parent, physical):
                yield Match(parent, spec)
                break


def _spec_matches(spec: DeviceSpec, parent: Parent,
                  physical: set[str]) -> bool:
    through = (_text(parent, 'pci.physical_function')
               if spec.address.single() in physical else '')
    return spec.matches(_text(parent, 'pci.vendor'),
                        _text(parent, 'pci.device'), parent.name,
                        through or None)


def _conflict(found: Sequence[Match]) -> str | None:
    """Why Nova cannot make one provider of them, if it cannot."""
    children = [match.physical_function is not None for match in found]
    if any(children) and not all(children):
        return ('Nova refuses a physical function together with its virtual '
                'functions')
    classes = {match.resource_class for match in found}
    if len(classes) > 1:
        return ('Nova refuses virtual functions of one physical function '
                'with different resource classes: '
                + ', '.join(sorted(classes)))
    if len({match.spec.traits for match in found}) > 1:
        return ('Nova refuses virtual functions of one physical function '
                'with different traits')
    if any(children) and any('one_time_use' in match.spec.tags
                             for match in found):
        return 'Nova refuses one_time_use for virtual functions'
    return None


def _text(parent: Parent, fact: str) -> str:
    return str(parent.facts.get(fact, ''))
