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

"""Whether a candidate's devices can take over those of the source.

Nova pairs the devices of a class itself, by equal type name and otherwise in
whatever order. So every pair that it could make must be accepted, and every
device of the source needs a partner.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from nova_mdev_compat.compat.document import Document


@dataclasses.dataclass(frozen=True, slots=True)
class HeldDevice:
    """One or more devices of a class on one provider.

    :param digest: None when the provider is unpublished.
    """

    provider: str
    resource_class: str
    amount: int
    digest: str | None
    document: Document | None

    @property
    def mdev_type(self) -> str | None:
        return self.document.device.mdev_type if self.document else None


def fits(sources: Sequence[HeldDevice], destinations: Sequence[HeldDevice],
         accepts: Callable[[HeldDevice, HeldDevice], bool],
         every: bool = True) -> bool:
    """Whether all goes well, however Nova pairs them.

    :param sources: what is carried over; an unpublished one can be any type.
    :param destinations: what the candidate takes; likewise.
    :param accepts: whether a destination accepts a source.
    :param every: whether each source device needs a partner; one that a
        resize gives up needs none.
    """
    if every and amount(destinations) < amount(sources):
        return False
    return all(
        accepts(source, destination)
        for source, partners in _pairs(sources, destinations)
        for destination in partners)


def _pairs(sources: Sequence[HeldDevice],
           destinations: Sequence[HeldDevice]
           ) -> Iterable[tuple[HeldDevice, list[HeldDevice]]]:
    """Each source device with every partner that it could get."""
    wanted = _by_type(sources)
    offered = _by_type(destinations)
    # What has no partner of its own type goes to what is left over, and an
    # unpublished device could be of any type.
    spare = [one for one in destinations if one.mdev_type is None
             or offered[one.mdev_type] > wanted[one.mdev_type]]
    for source in sources:
        kind = source.mdev_type
        named = [one for one in destinations
                 if kind is not None and one.mdev_type == kind]
        unknown = [one for one in destinations if one.document is None]
        if kind is None or wanted[kind] > offered[kind]:
            named = [*named, *(one for one in spare if one not in named)]
        yield source, [*named, *(one for one in unknown
                                 if one not in named)]


def _by_type(devices: Iterable[HeldDevice]) -> collections.Counter[str]:
    amounts: collections.Counter[str] = collections.Counter()
    for device in devices:
        if device.mdev_type is not None:
            amounts[device.mdev_type] += device.amount
    return amounts


def amount(devices: Iterable[HeldDevice]) -> int:
    """How many devices they are in all."""
    return sum(device.amount for device in devices)
