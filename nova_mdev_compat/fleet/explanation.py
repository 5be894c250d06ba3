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

"""Which providers could take a server's device, and why not the others."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses

from nova_mdev_compat.compat.verdict import Verdict
from nova_mdev_compat.fleet.providers import CORRUPT
from nova_mdev_compat.fleet.providers import DeviceProvider
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.fleet.providers import UNPUBLISHED
from nova_mdev_compat.placement.offers import Candidate
from nova_mdev_compat.placement.offers import Offers
from nova_mdev_compat.placement import pairing
from nova_mdev_compat.placement.verdicts import Question
from nova_mdev_compat.placement.verdicts import Verdicts

#: What becomes of a provider, the best first.
ACCEPTED = 'accepted'
NOT_OFFERED = 'not offered'
NO_ROOM = 'host lacks room'
FULL = 'full'
REFUSED = 'refused'
OTHER_CLASS = 'other class'
HERE = 'source'
OUTCOMES = (ACCEPTED, NOT_OFFERED, NO_ROOM, FULL, REFUSED, UNPUBLISHED,
            CORRUPT, OTHER_CLASS, HERE)


@dataclasses.dataclass(frozen=True, slots=True)
class HeldDevice:
    """One or more devices that a consumer holds of one provider."""

    provider: DeviceProvider
    amount: int


@dataclasses.dataclass(frozen=True, slots=True)
class Policies:
    """What the filter does with what has no usable document.

    :param unpublished_source: whether such a device may go anywhere.
    :param unpublished_destination: whether such a provider may be taken.
    """

    unpublished_source: bool = True
    unpublished_destination: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of one provider, for one device of the source.

    :param verdict: the document's word, where it was asked.
    :param why: in words; one line for each reason.
    """

    source: HeldDevice
    provider: DeviceProvider
    outcome: str
    verdict: Verdict | None
    why: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Providers that fare alike, for the same reason.

    :param answers: at least one.
    """

    answers: tuple[Answer, ...]

    @property
    def first(self) -> Answer:
        return self.answers[0]

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(one.provider.host for one in self.answers))

    @property
    def free(self) -> int:
        return sum(one.provider.capacity.free for one in self.answers)


@dataclasses.dataclass(frozen=True, slots=True)
class Offered:
    """Placement's allocation candidates for the move.

    :param limited: at most `max_placement_results` of them, as Nova gets.
    :param all: without that limit.
    :param common: what the move needs beside the devices, in words.
    :param limit: that of `limited`.
    """

    limited: Offers
    all: Offers
    common: str
    limit: int


class Explanation:
    """Answers for every provider.

    :param sources: what the server holds, all in one tree.
    """

    def __init__(self, fleet: Fleet, sources: Sequence[HeldDevice],
                 question: Question, policies: Policies, offered: Offered,
                 verdicts: Verdicts) -> None:
        self._fleet = fleet
        self.sources = tuple(sources)
        self._question = question
        self._policies = policies
        self._offered = offered
        self._verdicts = verdicts
        self._by_uuid = {(one.uuid, one.resource_class): one
                         for one in fleet.providers}
        classes = {one.provider.resource_class for one in sources}
        self._limited, self._all = (
            {name: offers.providers(name) for name in classes}
            for offers in (offered.limited, offered.all))

    def answers(self, hosts: Iterable[str] = ()) -> list[Answer]:
        """The answers, the best first.

        :param hosts: names of the only hosts that matter; none: all do.
        """
        wanted = set(hosts)
        return [answer for source in self._kinds() for answer in sorted(
            (self._answer(source, provider)
             for provider in self._fleet.providers
             if (provider.host in wanted if wanted else
                 provider.resource_class == source.provider.resource_class)),
            key=lambda one: OUTCOMES.index(one.outcome))]

    def has_somewhere(self, hosts: Iterable[str] = ()) -> bool:
        """Whether the filter keeps a candidate that Nova would see.

        :param hosts: names of the only hosts that matter; none: all do.
        """
        root, wanted = self.sources[0].provider.root, set(hosts)
        return any(
            self._fits(candidate) for candidate
            in self._offered.limited.candidates
            if all(provider.root != root
                   and (not wanted or provider.host in wanted)
                   for provider in self._taken(candidate)))

    def _fits(self, candidate: Candidate) -> bool:
        """As the filter judges it: by all pairs that Nova could make."""
        return all(
            pairing.fits(
                [_held(one.provider, one.amount) for one in self.sources
                 if one.provider.resource_class == name],
                [_held(provider, candidate[provider.uuid][name])
                 for provider in self._taken(candidate)
                 if provider.resource_class == name],
                self._accepts)
            for name in self._limited)

    def _taken(self, candidate: Candidate) -> Iterator[DeviceProvider]:
        """The device providers that a candidate takes something from."""
        for uuid, held in candidate.items():
            for name in held:
                provider = self._by_uuid.get((uuid, name))
                if provider is not None:
                    yield provider

    def _accepts(self, source: pairing.HeldDevice,
                 destination: pairing.HeldDevice) -> bool:
        if source.document is None or source.digest is None:
            return self._policies.unpublished_source
        if destination.document is None or destination.digest is None:
            return self._policies.unpublished_destination
        return self._verdicts.of(
            self._question, source.digest, source.document,
            destination.digest, destination.document).accepted

    def _kinds(self) -> list[HeldDevice]:
        """One device of each kind: the others fare alike."""
        found: dict[tuple[str, str | None, int], HeldDevice] = {}
        for source in self.sources:
            found.setdefault((source.provider.resource_class,
                              source.provider.digest, source.amount), source)
        return list(found.values())

    def _answer(self, source: HeldDevice, provider: DeviceProvider) -> Answer:
        verdict: Verdict | None = None
        if provider.resource_class != source.provider.resource_class:
            outcome, why = OTHER_CLASS, [
                f'it has {provider.resource_class}, the server holds '
                f'{source.provider.resource_class}']
        elif provider.root == source.provider.root:
            outcome, why = HERE, ['the server is on this host']
        else:
            outcome, verdict, why = self._judged(source, provider)
            if outcome == ACCEPTED:
                outcome, room = self._room(source, provider)
                why += room
        return Answer(source, provider, outcome, verdict, tuple(why))

    def _judged(self, source: HeldDevice, provider: DeviceProvider
                ) -> tuple[str, Verdict | None, list[str]]:
        mine, theirs = source.provider.publication, provider.publication
        if mine.document is None or mine.digest is None:
            if self._policies.unpublished_source:
                return ACCEPTED, None, ['the source is unpublished, and '
                                        'unpublished_source is accept']
            return REFUSED, None, ['the source is unpublished, and '
                                   'unpublished_source is reject']
        if theirs.document is None or theirs.digest is None:
            if self._policies.unpublished_destination:
                return ACCEPTED, None, [
                    f'{theirs.fault}, and unpublished_destination is accept']
            return theirs.state, None, [theirs.fault]
        verdict = self._verdicts.of(self._question, mine.digest,
                                    mine.document, theirs.digest,
                                    theirs.document)
        if not verdict.accepted:
            return REFUSED, verdict, _reasons(verdict)
        return ACCEPTED, verdict, [f'by entry {verdict.entry}']

    def _room(self, source: HeldDevice,
              provider: DeviceProvider) -> tuple[str, list[str]]:
        capacity = provider.capacity
        if capacity.free < source.amount:
            return FULL, [f'{capacity.used} of {capacity.total} are used, '
                          f'and {source.amount} wanted']
        if provider.uuid in self._limited[provider.resource_class]:
            return ACCEPTED, []
        if provider.uuid in self._all[provider.resource_class]:
            return NOT_OFFERED, [
                'placement has it beyond the first '
                f'{self._offered.limit} candidates (max_placement_results)']
        return NO_ROOM, ['its host is disabled or has no room for '
                         f'{self._offered.common or "it"}']


def _held(provider: DeviceProvider, amount: int) -> pairing.HeldDevice:
    return pairing.HeldDevice(
        provider.uuid, provider.resource_class, amount,
        provider.digest if provider.document is not None else None,
        provider.document)


def _reasons(verdict: Verdict) -> list[str]:
    return [reason.message if reason.entry is None
            else f'{reason.message} (entry {reason.entry})'
            for reason in verdict.reasons]


def groups(answers: Iterable[Answer]) -> list[Group]:
    """Answers that are alike together, in the order that they came in."""
    found: dict[tuple[object, ...], list[Answer]] = {}
    for one in answers:
        why = () if one.outcome == FULL else one.why
        found.setdefault((id(one.source), one.outcome, one.provider.digest,
                          why), []).append(one)
    return [Group(tuple(members)) for members in found.values()]
