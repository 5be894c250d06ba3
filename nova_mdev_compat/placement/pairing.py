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
    wanted, offered = _by_type(sources), _by_type(destinations)
    # Unpublished devices could be of any one type, and leave others over.
    spare = {id(one) for one in destinations if _left_over(
        one, offered, wanted, _unpublished(destinations))}
    for source in sources:
        left = _left_over(source, wanted, offered, _unpublished(sources))
        yield source, [
            one for one in destinations
            if source.document is None or one.document is None
            or (source.mdev_type is not None
                and source.mdev_type == one.mdev_type)
            or (left and id(one) in spare)]


def _left_over(device: HeldDevice, mine: collections.Counter[str],
               others: collections.Counter[str], unpublished: int) -> bool:
    """Whether all partners of its type can be taken, so that any will do.

    A physical device has no type, so it never has a partner by name.
    """
    kind = device.mdev_type
    return kind is None or mine[kind] + unpublished > others[kind]


def _unpublished(devices: Iterable[HeldDevice]) -> int:
    return amount(one for one in devices if one.document is None)


def _by_type(devices: Iterable[HeldDevice]) -> collections.Counter[str]:
    amounts: collections.Counter[str] = collections.Counter()
    for device in devices:
        if device.mdev_type is not None:
            amounts[device.mdev_type] += device.amount
    return amounts


def amount(devices: Iterable[HeldDevice]) -> int:
    """How many devices they are in all."""
    return sum(device.amount for device in devices)
