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

"""Which providers carry which markers, in as few requests as fit."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import itertools
import sys

from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline

# A marker has 46 characters; web servers commonly take a request line of
# 8,190 bytes. So many markers fit, of both kinds together.
_MARKERS_A_REQUEST = 140


def carriers(client: Client, some: Sequence[str], none: Sequence[str],
             deadline: Deadline) -> frozenset[str]:
    """UUIDs of the providers with one of some markers and none of others.

    One request unless there are very many markers.

    :param some: digests; a provider has at least one of them.
    :param none: digests; a provider has none of them.
    """
    if len(some) + len(none) <= _MARKERS_A_REQUEST:
        return _compact(client.providers(
            [_any_of(some), *([_none_of(none)] if none else [])], deadline))
    found: set[str] = set()
    for wanted in _parts(some):
        found.update(client.providers([_any_of(wanted)], deadline))
        for unwanted in _parts(none):
            found.difference_update(client.providers(
                [_any_of(wanted), _any_of(unwanted)], deadline))
    return _compact(found)


def _compact(providers: Iterable[str]) -> frozenset[str]:
    """A set to be kept, of strings that other sets share.

    A set that has grown has twice the room that its copy needs.
    """
    return frozenset(set(map(sys.intern, providers)))


def doubles(client: Client, digests: Sequence[str],
            deadline: Deadline) -> frozenset[str]:
    """UUIDs of the providers with more than one of some markers.

    Two different places in a list differ in some bit of their numbers. So a
    provider with two markers has, for that bit, one from each half: a request
    a bit is enough, and its answer is empty as a rule. Of more markers than
    fit into a request, each part is asked so, and then against each other.
    """
    parts = list(_parts(digests, _MARKERS_A_REQUEST))
    questions = [*itertools.chain.from_iterable(map(_halves, parts)), *(
        (some, others) for one, other in itertools.combinations(parts, 2)
        for some in _parts(one) for others in _parts(other))]
    found: set[str] = set()
    for some, others in questions:
        found.update(client.providers(
            [_any_of(some), _any_of(others)], deadline))
    return frozenset(found)


def _halves(digests: Sequence[str]
            ) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Every two of them are on different sides at least once."""
    for bit in range((len(digests) - 1).bit_length()):
        halves: tuple[list[str], list[str]] = [], []
        for place, digest in enumerate(digests):
            halves[place >> bit & 1].append(digest)
        yield halves


def _any_of(digests: Sequence[str]) -> str:
    return 'in:' + ','.join(map(traits.marker, digests))


def _none_of(digests: Sequence[str]) -> str:
    return ','.join('!' + traits.marker(digest) for digest in digests)


def _parts(digests: Sequence[str],
           size: int | None = None) -> Iterator[Sequence[str]]:
    size = size or _MARKERS_A_REQUEST // 2
    for start in range(0, len(digests), size):
        yield digests[start:start + size]
