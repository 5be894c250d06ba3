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

"""A fleet of sixty hosts of six kinds, in a placement without a Nova."""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
import json
import sqlite3
from typing import Any
import uuid

from placement import db_api

from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from tests.functional import placement_cloud

_NAMESPACE = uuid.UUID('6d646576-636f-6d70-6174-666c65657400')
TYPE = 'nvidia-558'
OTHER_TYPE = 'nvidia-1145'
DEVICES = 4
FLAVOR = {'VCPU': 8, 'MEMORY_MB': 16384}


@dataclasses.dataclass(frozen=True)
class Kind:
    """Ten hosts that are alike, with two pGPUs each.

    :param used: devices of each pGPU that servers hold.
    """

    name: str
    document: Document | None
    used: int
    corrupt: bool = False


def document(mdev_type: str, release: str, oldest: str,
             **attributes: Any) -> Document:
    """One that loads its own branch and some older ones."""
    newest = release.rpartition('.')[0]
    return loading.load(json.dumps({
        'format': 1,
        'self': {'device_api': 'vfio-pci', 'mdev_type': mdev_type,
                 'software_version': release, 'attributes': attributes},
        'compatible': [{'software_version': {
            'minimum': oldest, 'maximum': newest}}]}))


OLD = document(TYPE, '535.161.05', '525.60', ecc=True)
NEW = document(TYPE, '550.90.05', '535.54', ecc=True)
WITHOUT_ECC = document(TYPE, '535.161.05', '525.60', ecc=False)
OTHER = document(OTHER_TYPE, '550.90.05', '535.54', ecc=True)
BROKEN = document(TYPE, '535.161.07', '525.60', ecc=True)

KINDS = (
    Kind('old', OLD, 2),
    Kind('new', NEW, 3),
    Kind('noecc', WITHOUT_ECC, DEVICES),
    Kind('other', OTHER, 0),
    Kind('unpublished', None, 1),
    Kind('corrupt', BROKEN, 0, corrupt=True),
)
HOSTS_A_KIND = 10


def host_uuid(host: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, host))


def provider_name(host: str, number: int = 0) -> str:
    return f'{host}_pci_0000_{0x81 + number:02x}_00_0'


def provider_uuid(host: str, number: int = 0) -> str:
    return str(uuid.uuid5(_NAMESPACE, provider_name(host, number)))


def server_uuid(host: str, pgpu: int = 0, number: int = 0) -> str:
    """Of a server that holds a device of a host's pGPU."""
    return str(uuid.uuid5(_NAMESPACE, f'{host} {pgpu} {number}'))


def host_names(kind: Kind) -> list[str]:
    return [f'{kind.name}-{number:02d}'
            for number in range(1, HOSTS_A_KIND + 1)]


# The database of a placement that was filled once; filling takes seconds.
_filled: list[sqlite3.Connection] = []


def fill(placement: placement_cloud.Placement) -> None:
    """Writes the fleet, its documents and its servers."""
    engine = db_api.placement_context_manager.writer.get_engine()
    connection = engine.raw_connection()
    try:
        if _filled:
            _filled[0].backup(connection.driver_connection)
            return
        _fill(placement)
        _filled.append(sqlite3.connect(':memory:', check_same_thread=False))
        connection.driver_connection.backup(_filled[0])
    finally:
        connection.close()


def _fill(placement: placement_cloud.Placement) -> None:
    for kind in KINDS:
        _write_body(placement, kind)
        for host in host_names(kind):
            _make_host(placement, host, kind)
    # In one request, since each takes placement a while.
    placement.call('POST', '/reshaper', {
        'inventories': dict(_inventories()),
        'allocations': dict(_allocations())})


def _make_host(placement: placement_cloud.Placement, host: str,
               kind: Kind) -> None:
    root = host_uuid(host)
    _make_provider(placement, root, host, None)
    for number in range(2):
        found = provider_uuid(host, number)
        _make_provider(placement, found, provider_name(host, number), root)
        if kind.document is not None:
            placement.call('PUT', f'/resource_providers/{found}/traits', {
                'resource_provider_generation': 0,
                'traits': [traits.encode(kind.document).marker]})


def _make_provider(placement: placement_cloud.Placement, found: str,
                   name: str, parent: str | None) -> None:
    placement.call('POST', '/resource_providers', {
        'uuid': found, 'name': name, 'parent_provider_uuid': parent})


def _write_body(placement: placement_cloud.Placement, kind: Kind) -> None:
    if kind.document is None:
        return
    names = traits.encode(kind.document)
    chunks = names.chunks
    if kind.corrupt:
        # A letter of each piece is another one.
        chunks = tuple(
            name[:-9] + ('B' if name[-9] == 'A' else 'A') + name[-8:]
            for name in chunks)
    placement.make_traits(*chunks, names.marker)


def _inventories() -> Iterator[tuple[str, Any]]:
    for kind in KINDS:
        for host in host_names(kind):
            yield host_uuid(host), {
                'resource_provider_generation': 0, 'inventories': {
                    'VCPU': _inventory(128), 'MEMORY_MB': _inventory(524288)}}
            for number in range(2):
                yield provider_uuid(host, number), {
                    'resource_provider_generation':
                        0 if kind.document is None else 1,
                    'inventories': {'VGPU': _inventory(DEVICES)}}


def _inventory(total: int) -> dict[str, Any]:
    return {'total': total, 'reserved': 0, 'min_unit': 1, 'max_unit': total,
            'step_size': 1, 'allocation_ratio': 1.0}


def _allocations() -> Iterator[tuple[str, Any]]:
    for kind in KINDS:
        for host in host_names(kind):
            for pgpu in range(2):
                for number in range(kind.used):
                    yield server_uuid(host, pgpu, number), {
                        'allocations': {
                            host_uuid(host): {'resources': FLAVOR},
                            provider_uuid(host, pgpu): {
                                'resources': {'VGPU': 1}}},
                        'project_id': 'project', 'user_id': 'user',
                        'consumer_generation': None,
                        'consumer_type': 'INSTANCE'}
