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

"""Which providers carry which traits, in as few requests as fit."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import itertools
import sys

from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline

# A marker has 46 characters and the trait of a label no more; web servers
# commonly take a request line of 8,190 bytes. So many fit, of wanted and
# unwanted ones together.
_NAMES_A_REQUEST = 140
# Requests that are made to look for providers with a wanted and an unwanted
# trait, whose answers are empty as a rule; when it would take more, all that
# carry an unwanted one are asked for.
_MAX_CROSSINGS = 16


def carriers(client: Client, some: Sequence[str], none: Sequence[str],
             deadline: Deadline) -> frozenset[str]:
    """UUIDs of the providers with one of some traits and none of others.

    One request unless there are very many traits.

    :param some: names; a provider has at least one of them.
    :param none: names; a provider has none of them.
    """
    if len(some) + len(none) <= _NAMES_A_REQUEST:
        return _compact(client.providers(
            [_any_of(some), *([_none_of(none)] if none else [])], deadline))
    crossings = len(list(_halves(some))) * len(list(_halves(none)))
    if crossings > _MAX_CROSSINGS:
        return _compact(_with_any(client, some, deadline)
                        - _with_any(client, none, deadline))
    found: set[str] = set()
    for wanted in _halves(some):
        found.update(client.providers([_any_of(wanted)], deadline))
        for unwanted in _halves(none):
            found.difference_update(client.providers(
                [_any_of(wanted), _any_of(unwanted)], deadline))
    return _compact(found)


def _with_any(client: Client, names: Sequence[str],
              deadline: Deadline) -> set[str]:
    found: set[str] = set()
    for part in _parts(names):
        found.update(client.providers([_any_of(part)], deadline))
    return found


def _compact(providers: Iterable[str]) -> frozenset[str]:
    """A set to be kept, of strings that other sets share.

    A set that has grown has twice the room that its copy needs.
    """
    return frozenset(set(map(sys.intern, providers)))


def doubles(client: Client, groups: Sequence[Sequence[str]],
            deadline: Deadline) -> frozenset[str]:
    """UUIDs of the providers with traits of more than one group.

    Two different places in a list differ in some bit of their numbers. So a
    provider of two groups has, for that bit, a trait from each half: a request
    a bit is enough, and its answer is empty as a rule. Of more groups than
    fit into a request, each part is asked so, and then against each other.

    :param groups: names of traits; the groups have none in common.
    """
    total = sum(map(len, groups))
    if total > _NAMES_A_REQUEST and total > len(groups):
        return frozenset(_doubles_of_large(client, groups, deadline))
    parts = list(_groups(groups, _NAMES_A_REQUEST))
    questions = [*itertools.chain.from_iterable(map(_sides, parts)), *(
        (some, others) for one, other in itertools.combinations(parts, 2)
        for some in _halves(_flat(one)) for others in _halves(_flat(other)))]
    found: set[str] = set()
    for some, others in questions:
        found.update(client.providers(
            [_any_of(some), _any_of(others)], deadline))
    return frozenset(found)


def _doubles_of_large(client: Client, groups: Sequence[Sequence[str]],
                      deadline: Deadline) -> set[str]:
    """The same where many labels make the groups large.

    To ask every part against every other would take requests by the square
    of their number. So whole memberships are read, group by group, or half
    by half where that takes fewer requests.
    """
    sides = list(_sides(groups))
    if sum(_requests(group) for group in groups) \
            > sum(_requests(side) for both in sides for side in both):
        return {provider for some, others in sides
                for provider in _with_any(client, some, deadline)
                & _with_any(client, others, deadline)}
    seen: set[str] = set()
    found: set[str] = set()
    for group in groups:
        mine = _with_any(client, group, deadline)
        found |= mine & seen
        seen |= mine
    return found


def _requests(names: Sequence[str]) -> int:
    return -(-len(names) // _NAMES_A_REQUEST)


def _sides(groups: Sequence[Sequence[str]]
           ) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Every two groups are on different sides at least once."""
    for bit in range((len(groups) - 1).bit_length()):
        sides: tuple[list[str], list[str]] = [], []
        for place, group in enumerate(groups):
            sides[place >> bit & 1].extend(group)
        yield sides


def _flat(groups: Iterable[Sequence[str]]) -> list[str]:
    return list(itertools.chain.from_iterable(groups))


def _any_of(names: Iterable[str]) -> str:
    return 'in:' + ','.join(names)


def _none_of(names: Iterable[str]) -> str:
    return ','.join('!' + name for name in names)


def _halves(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Parts of which two fit into a request."""
    return _parts(names, _NAMES_A_REQUEST // 2)


def _parts(names: Sequence[str],
           size: int | None = None) -> Iterator[Sequence[str]]:
    size = size or _NAMES_A_REQUEST
    for start in range(0, len(names), size):
        yield names[start:start + size]


def _groups(groups: Sequence[Sequence[str]],
            size: int) -> Iterator[Sequence[Sequence[str]]]:
    for start in range(0, len(groups), size):
        yield groups[start:start + size]
