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

"""Reading a fleet from placement: few requests for most of it, and one by
one for what those do not tell.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import fnmatch
from typing import Protocol
from typing import TypeVar

from nova_mdev_compat.fleet.providers import CORRUPT
from nova_mdev_compat.fleet.providers import DeviceProvider
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.fleet.providers import NOTHING
from nova_mdev_compat.fleet.providers import Publication
from nova_mdev_compat.fleet.providers import UNPUBLISHED
from nova_mdev_compat.fleet.providers import USABLE
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.documents import InUse
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement import inventories
from nova_mdev_compat.placement.inventories import Capacities
from nova_mdev_compat.placement.inventories import NamedProvider
from nova_mdev_compat.placement.trait_cache import TraitCache

T = TypeVar('T')

_NO_SUCH = NamedProvider('', '', '')


class Progress(Protocol):
    """Tells a person how far a long job is."""

    def __call__(self, items: Sequence[T], title: str) -> Iterable[T]:
        """The items, as they are worked on."""


def silently(items: Sequence[T], title: str) -> Iterable[T]:
    """Progress that nobody sees."""
    return items


def read(client: Client, cache: TraitCache, patterns: Sequence[str],
         deadline: Callable[[], Deadline],
         progress: Progress = silently) -> Fleet:
    """The device providers of a cloud, now.

    :param patterns: the resource classes that are devices, as the option
        `resource_classes` has them.
    :param deadline: a new bound for each request.
    :raises PlacementError: placement could not be read.
    """
    in_use = cache.in_use()
    published = _published(cache, in_use, progress)
    classes = device_classes(client, patterns, deadline)
    named = inventories.providers(client, deadline())
    capacities = _capacities(client, named, published, classes, deadline,
                             progress)
    found = sorted(_providers(named, capacities, classes, published),
                   key=lambda one: (one.host, one.name, one.uuid))
    devices = {one.uuid for one in found}
    return Fleet(
        tuple(found), in_use.documents, in_use.unusable,
        {uuid: tuple(sorted(capacities.get(uuid, ())))
         for uuid in sorted(published.keys() - devices)})


def device_classes(client: Client, patterns: Sequence[str],
                   deadline: Callable[[], Deadline]) -> list[str]:
    """The resource classes that placement has and a pattern names."""
    return sorted(
        name for name in inventories.resource_classes(client, deadline())
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns))


def _published(cache: TraitCache, in_use: InUse,
               progress: Progress) -> dict[str, Publication]:
    """What each provider with a marker or a label publishes."""
    found = {uuid: Publication(
        UNPUBLISHED, fault=f'its label {label} stands for no document')
        for uuid, label in cache.unmapped().items()}
    for digest in progress(sorted(in_use.digests), 'documents'):
        document = in_use.documents.get(digest)
        publication = Publication(USABLE, digest, document) if document \
            else Publication(CORRUPT, digest, None,
                             f'its document is unusable: '
                             f'{in_use.unusable[digest]}')
        found.update(dict.fromkeys(cache.members(digest), publication))
    found.update(dict.fromkeys(cache.doubles(), Publication(
        CORRUPT, fault='it carries several markers or labels')))
    return found


def _capacities(client: Client, named: Mapping[str, NamedProvider],
                published: Mapping[str, Publication], classes: Sequence[str],
                deadline: Callable[[], Deadline],
                progress: Progress) -> dict[str, Capacities]:
    found = inventories.of_many(client, deadline())
    wanted = set(published)
    for name in classes:
        wanted |= inventories.with_room(client, name, deadline())
    # A device of a host without memory may be full and unpublished. Nova
    # puts devices below the root.
    wanted |= {one.uuid for one in named.values() if one.uuid != one.root}
    for uuid in progress(sorted(wanted - found.keys()), 'inventories'):
        try:
            found[uuid] = inventories.of_one(client, uuid, deadline())
        except NotFound:
            # Deleted since it was listed.
            continue
    return found


def _providers(named: Mapping[str, NamedProvider],
               capacities: Mapping[str, Capacities], classes: Sequence[str],
               published: Mapping[str, Publication]
               ) -> Iterable[DeviceProvider]:
    for uuid, provider in named.items():
        for name in classes:
            capacity = capacities.get(uuid, {}).get(name)
            if capacity is not None:
                host = named.get(provider.root, _NO_SUCH).name
                yield DeviceProvider(
                    uuid, provider.name, provider.root, host, name, capacity,
                    published.get(uuid, NOTHING))
