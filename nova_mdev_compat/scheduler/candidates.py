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
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import fnmatch
import functools
import itertools
import operator
from typing import Any
from typing import NamedTuple
from typing import TypeAlias

_ALLOCATIONS = operator.itemgetter('allocations')
# [scheduler] max_placement_results is 1,000.
_MAX_LOOKED_AT = 1000

Candidate: TypeAlias = Mapping[str, Any]

#: Amounts by provider, of one resource class.
Holdings: TypeAlias = Mapping[str, int]


#: From a host's candidates to those that stay, in order.
Keep: TypeAlias = Callable[[Sequence[Candidate]], Sequence[Candidate]]


class Removal(NamedTuple):
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


@dataclasses.dataclass(slots=True)
class Removals:
    """Hosts that lost candidates.

    Three lists in step, and no object for each: a move can take something
    from every host of a cloud.
    """

    hosts: list[Any] = dataclasses.field(default_factory=list)
    before: list[Sequence[Candidate]] = dataclasses.field(
        default_factory=list)
    left: list[Sequence[Candidate]] = dataclasses.field(default_factory=list)

    def __len__(self) -> int:
        return len(self.hosts)

    def __iter__(self) -> Iterator[Removal]:
        return map(Removal, self.hosts, self.before, self.left)


@dataclasses.dataclass(slots=True)
class Narrowing:
    """What is taken from the hosts of a request.

    :param stay: the hosts that stay, in order.
    :param gone: those that lost all their candidates.
    :param fewer: those that lost some.
    :param bare: those that had none to lose, and go too.
    """

    stay: list[Any] = dataclasses.field(default_factory=list)
    gone: Removals = dataclasses.field(default_factory=Removals)
    fewer: Removals = dataclasses.field(default_factory=Removals)
    bare: list[Any] = dataclasses.field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything was taken."""
        return bool(self.gone or self.fewer or self.bare)

    def take(self, hosts: Iterable[Any], keep: Keep, enforce: bool) -> None:
        """Takes from hosts the candidates that do not stay.

        A host's list is reassigned, never changed in place: Nova may have
        kept the old one.

        :param enforce: when false, nothing is changed and every host stays.
        """
        # This runs for each host of a cloud, so it calls nothing but `keep`.
        stay, gone, fewer = self.stay, self.gone, self.fewer
        gone_hosts, gone_before, gone_left = gone.hosts, gone.before, gone.left
        fewer_hosts, fewer_before, fewer_left = \
            fewer.hosts, fewer.before, fewer.left
        for host in hosts:
            before = host.allocation_candidates
            left = keep(before)
            if left:
                stay.append(host)
                if len(left) == len(before):
                    continue
                fewer_hosts.append(host)
                fewer_before.append(before)
                fewer_left.append(left)
            else:
                if not enforce:
                    stay.append(host)
                if not before:
                    self.bare.append(host)
                    continue
                gone_hosts.append(host)
                gone_before.append(before)
                gone_left.append(left)
            if enforce:
                host.allocation_candidates = left

    def restore(self) -> None:
        """Gives hosts back what was taken from them."""
        for removals in (self.gone, self.fewer):
            for host, before in zip(removals.hosts, removals.before):
                host.allocation_candidates = before


def device_classes(hosts: Iterable[Any],
                   patterns: Sequence[str]) -> frozenset[str]:
    """The device classes of a request.

    All candidates of a request hold the same classes, so the first one that
    any host has decides. A rebuild has none.
    """
    wanted = tuple(patterns)
    for host in hosts:
        for candidate in host.allocation_candidates:
            return frozenset(
                [name for held in candidate['allocations'].values()
                 for name in held['resources'] if _is_device(name, wanted)])
    return frozenset()


@functools.lru_cache(maxsize=1024)
def _is_device(name: str, patterns: tuple[str, ...]) -> bool:
    # Remembered for the requests that hold no device, which it must cost
    # nothing: a cloud has few classes.
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


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


def none_from(refused: frozenset[str], resource_class: str,
              amount: int) -> Keep:
    """Keeps the candidates that take no device from a refused provider.

    :param amount: how many devices of the class each candidate takes.
    """
    def bad(before: Sequence[Candidate]) -> list[Candidate]:
        return [candidate for candidate in before
                for provider, held in candidate['allocations'].items()
                if resource_class in held['resources']
                and provider in refused]
    if amount > 1:
        return lambda before: _without(before, bad(before))
    return lambda before: [
        candidate for candidate in before
        for provider, held in candidate['allocations'].items()
        if resource_class in held['resources'] and provider not in refused]


def all_from(accepted: frozenset[str], resource_class: str,
             amount: int) -> Keep:
    """Keeps the candidates that take their devices from accepted providers.

    These are the loops that run over every candidate of every host, so
    nothing is called there. What a provider gives is asked first: in a large
    cloud the set is larger than the processor's cache, and each look into it
    another place of it, while a candidate's dictionaries are side by side.

    :param amount: how many devices of the class each candidate takes. One
        comes from one provider, so a candidate with an accepted one is good.
    """
    def bad(before: Sequence[Candidate]) -> list[Candidate]:
        return [candidate for candidate in before
                for provider, held in candidate['allocations'].items()
                if resource_class in held['resources']
                and provider not in accepted]
    if amount > 1:
        return lambda before: _without(before, bad(before))
    return lambda before: [
        candidate for candidate in before
        for provider, held in candidate['allocations'].items()
        if resource_class in held['resources'] and provider in accepted]


def where(passes: Callable[[Candidate], bool]) -> Keep:
    """Keeps the candidates that pass a test."""
    return lambda before: [one for one in before if passes(one)]


def every(tests: Sequence[Keep]) -> Keep:
    """Keeps what each of several tests keeps."""
    return lambda before: functools.reduce(
        lambda left, test: test(left), tests, before)


def _without(before: Sequence[Candidate],
             bad: Sequence[Candidate]) -> Sequence[Candidate]:
    if not bad:
        return before
    gone = set(map(id, bad))
    return [candidate for candidate in before if id(candidate) not in gone]


def providers(hosts: Iterable[Sequence[Candidate]]) -> list[str]:
    """All providers of the hosts' candidates, also those of no device.

    That is cheaper than to look at what each is for. Of more candidates than
    placement offers by default, the first ones.
    """
    return list(itertools.chain.from_iterable(map(
        _ALLOCATIONS, itertools.islice(
            itertools.chain.from_iterable(hosts), _MAX_LOOKED_AT))))


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
