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

"""Allocation candidates: which providers they take devices from.

A candidate is what placement's `allocation_requests` hold:
`{'allocations': {provider: {'resources': {class: amount}}}, ...}`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import fnmatch
from typing import Any
from typing import TypeAlias

Candidate: TypeAlias = Mapping[str, Any]

#: Amounts by provider, of one resource class.
Holdings: TypeAlias = Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Removal:
    """A host that lost candidates.

    :param before: the candidates that it had.
    :param left: those that it keeps.
    """

    host: Any
    before: Sequence[Candidate]
    left: Sequence[Candidate]

    @property
    def dropped(self) -> list[Candidate]:
        kept = {id(candidate) for candidate in self.left}
        return [candidate for candidate in self.before
                if id(candidate) not in kept]


def device_classes(hosts: Iterable[Any],
                   patterns: Sequence[str]) -> frozenset[str]:
    """The device classes of a request.

    All candidates of a request hold the same classes, so the first one that
    any host has decides. A rebuild has none.
    """
    for host in hosts:
        for candidate in host.allocation_candidates:
            return frozenset(
                name for held in candidate['allocations'].values()
                for name in held['resources']
                if any(fnmatch.fnmatchcase(name, pattern)
                       for pattern in patterns))
    return frozenset()


def holdings(allocations: Mapping[str, Mapping[str, int]],
             resource_class: str) -> dict[str, int]:
    """What is held of a class, by provider."""
    return {provider: resources[resource_class]
            for provider, resources in allocations.items()
            if resources.get(resource_class)}


def of_candidate(candidate: Candidate, resource_class: str) -> Holdings:
    """What a candidate would take of a class, by provider."""
    return holdings({provider: held['resources'] for provider, held
                     in candidate['allocations'].items()}, resource_class)


def none_from(refused: frozenset[str],
              classes: frozenset[str]) -> Callable[[Candidate], bool]:
    """Whether a candidate takes no device from a refused provider."""
    def keep(candidate: Candidate) -> bool:
        for provider, held in candidate['allocations'].items():
            if provider in refused \
                    and not classes.isdisjoint(held['resources']):
                return False
        return True
    return keep


def all_from(accepted: frozenset[str],
             classes: frozenset[str]) -> Callable[[Candidate], bool]:
    """Whether a candidate takes its devices from accepted providers only.

    This is the loop that runs for every candidate of every host.
    """
    def keep(candidate: Candidate) -> bool:
        for provider, held in candidate['allocations'].items():
            if provider not in accepted \
                    and not classes.isdisjoint(held['resources']):
                return False
        return True
    return keep


def narrow(hosts: Iterable[Any], keep: Callable[[Candidate], bool],
           enforce: bool) -> tuple[list[Any], list[Removal]]:
    """The hosts that keep a candidate, and what was taken from which.

    A host's list is reassigned, never changed in place: Nova may have kept
    the old one.

    :param enforce: when false, nothing is changed and every host stays.
    """
    left: list[Any] = []
    removals: list[Removal] = []
    for host in hosts:
        candidates = host.allocation_candidates
        kept = [one for one in candidates if keep(one)]
        if len(kept) == len(candidates):
            if kept:
                left.append(host)
                continue
        removals.append(Removal(host, candidates, kept))
        if enforce:
            host.allocation_candidates = kept
        if kept or not enforce:
            left.append(host)
    return left, removals


def restore(removals: Iterable[Removal]) -> None:
    """Gives hosts back what was taken from them."""
    for removal in removals:
        removal.host.allocation_candidates = removal.before


def providers_of(hosts: Iterable[Sequence[Candidate]],
                 classes: frozenset[str]) -> list[str]:
    """The device providers of each host's candidates, each host's first ones
    before all others.
    """
    first: dict[str, None] = {}
    others: dict[str, None] = {}
    for candidates in hosts:
        found = first
        for candidate in candidates:
            for provider, held in candidate['allocations'].items():
                if not classes.isdisjoint(held['resources']):
                    found[provider] = None
            found = others
    return [*first, *(one for one in others if one not in first)]
