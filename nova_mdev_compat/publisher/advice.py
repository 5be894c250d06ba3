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

"""What an operator is to do about PCI in placement, in words."""

from __future__ import annotations

from collections.abc import Iterator
import json

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits
from nova_mdev_compat.publisher.difference import Difference
from nova_mdev_compat.publisher.difference import State
from nova_mdev_compat.publisher import host_labels

_ONCE = 'put {} into [pci] device_spec and restart nova-compute'


def complaints(found: Difference) -> Iterator[str]:
    """What keeps providers from being published, a line each."""
    for state in found.nova_marks:
        yield _nova_marks(state)
    for state in found.labels.contested:
        yield _contested(state)
    for state in found.labels.clashing:
        yield (f'{state.provider.name}: {_names(state)} cannot stand for its '
               f'document {state.wanted.names.digest} alone: give each entry '
               'of [pci] device_spec one label, and devices with different '
               'documents different entries.')
    for state in found.labels.missing:
        if state not in found.labels.clashing:
            yield (f'{state.provider.name} does not carry its label '
                   f'{_names(state)} (yet): restart nova-compute.')
    for state in found.labels.mixed:
        yield (f'{state.provider.name} carries a marker of another document '
               f'beside its label {_names(state)}, and counts as '
               'unpublished: take the marker out of [pci] device_spec.')


def _names(state: State) -> str:
    return ' and '.join(label.name for label in state.labels)


def _nova_marks(state: State) -> str:
    entry, names = state.wanted.device_spec, state.wanted.names
    assert entry is not None
    name = state.provider.name
    bad = host_labels.malformed(entry)
    if bad:
        return (f'{name}: {bad[0]} in [pci] device_spec is no label: a label '
                f'has up to {labels.MAX_LENGTH} of A to Z and 0 to 9.')
    label = labels.trait(host_labels.proposed(entry, state.provider.root))
    if _has_marker(entry):
        return (f'{name} is PCI in placement, where Nova takes off other '
                'traits than its own: '
                f'{_ONCE.format(device_spec(entry, names.marker))}. With '
                f'{label} in place of the marker this would not come again.')
    return (f'{name} is PCI in placement, where Nova takes off other traits '
            f'than its own: {_ONCE.format(device_spec(entry, label))}, once.')


def _contested(state: State) -> str:
    label = state.labels[0]
    assert label.current is not None
    whose = 'an operator' if label.current.owner == labels.OPERATOR \
        else f'host {label.current.owner}'
    return (f'{state.provider.name}: label {label.name} stands for document '
            f'{label.current.digest}, as {whose} said, and this device '
            f'(host {label.owner}) has document {state.wanted.names.digest}. '
            'It is left so. Hosts that share a label must be upgraded '
            'together; "nova-mdev-compat publish --label" says what counts.')


def _has_marker(entry: str) -> bool:
    return any(traits.read_marker(name) is not None for name in _names_in(
        json.loads(entry)))


def _names_in(entry: dict[str, str]) -> list[str]:
    return [name for name in entry.get('traits', '').split(',') if name]


def device_spec(entry: str, trait: str) -> str:
    """An entry of `[pci] device_spec` with one of our traits among its own.

    :param entry: as it is, as JSON.
    :param trait: a marker or a label's; it takes the place of any marker.
    """
    try:
        found = json.loads(entry)
        others = [name for name in _names_in(found)
                  if traits.read_marker(name.strip()) is None]
    except (ValueError, AttributeError):
        return f'"traits": "{trait}"'
    return json.dumps({**found, 'traits': ','.join([*others, trait])})
