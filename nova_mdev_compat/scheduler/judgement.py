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

"""Which candidates of a move stay: the source's devices against the cache."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
from typing import Any

from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.conf.settings import Settings
from nova_mdev_compat.placement.trait_cache import TraitCache
from nova_mdev_compat.placement.verdicts import Question
from nova_mdev_compat.scheduler import candidates
from nova_mdev_compat.scheduler.candidates import Candidate
from nova_mdev_compat.scheduler.candidates import Keep
from nova_mdev_compat.scheduler import pairing
from nova_mdev_compat.scheduler.pairing import HeldDevice
from nova_mdev_compat.scheduler.source import Source

RESIZE = 'resize'
ACCEPT = 'accept'


def question(operation: str, settings: Settings) -> Question:
    """What an operation asks of a destination."""
    return Question.of_operation(operation, settings.honour_create,
                                 settings.live_migration_same_type)


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """One move, judged against what is published."""

    source: Source
    question: Question
    settings: Settings
    cache: TraitCache
    #: When the request began, on the cache's clock.
    began: float = 0.0

    @property
    def unpublished(self) -> list[HeldDevice]:
        """The source's devices that have no usable document."""
        return [one for one in self.source.devices if one.document is None]

    def keep(self, first: Candidate) -> Keep | None:
        """What narrows a host's candidates; None: every one passes.

        :param first: any candidate of the request: they all take the same
            amounts of the same classes.
        """
        tests = [test for name in sorted({
            one.resource_class for one in self.source.devices})
            for test in [self._class_test(name, first)] if test is not None]
        if len(tests) < 2:
            return tests[0] if tests else None
        return candidates.every(tests)

    def found_newer(self, hosts: Sequence[Any],
                    narrowing: candidates.Narrowing) -> bool:
        """Looks up providers that may be newer than what `keep` went by.

        :returns: whether something was found, so that `keep` may answer
            otherwise.
        """
        # Those in no set are what the policy for unpublished ones decides. A
        # host that keeps a candidate needs no newer one.
        doubtful = narrowing.gone.before \
            if self.settings.unpublished_destination != ACCEPT \
            else [host.allocation_candidates for host in hosts]
        if doubtful and self.cache.catch_up():
            return True
        if not self.cache.doubts(candidates.providers(doubtful), self.began):
            return False
        return self.cache.find_newer(candidates.providers_of(
            doubtful, frozenset(one.resource_class
                                for one in self.source.devices)), self.began)

    def _class_test(self, resource_class: str,
                    first: Candidate) -> Keep | None:
        sources = [one for one in self.source.devices
                   if one.resource_class == resource_class]
        wanted = sum(candidates.of_candidate(first, resource_class).values())
        if not wanted:
            # The new flavor gives the devices up.
            return None
        unpublished = [one for one in sources if one.document is None]
        if unpublished and self.settings.unpublished_source != ACCEPT:
            return candidates.where(lambda candidate: False)
        if len(unpublished) == len(sources):
            return None
        source = sources[0]
        if source.document is not None and source.digest is not None \
                and {one.digest for one in sources} == {source.digest} \
                and wanted == pairing.amount(sources):
            # The common case: one kind of device, so every pair is alike.
            return self._one_kind(source.document, source.digest,
                                  resource_class, wanted)
        return self._several_kinds(sources, resource_class)

    def _one_kind(self, document: Document, digest: str,
                  resource_class: str, amount: int) -> Keep:
        if self.settings.unpublished_destination == ACCEPT:
            return candidates.none_from(self.cache.refusing(
                document, digest, self.question), resource_class, amount)
        return candidates.all_from(self.cache.accepting(
            document, digest, self.question), resource_class, amount)

    def _several_kinds(self, sources: Sequence[HeldDevice],
                       resource_class: str) -> Keep:
        published = self.cache.published()
        every = self.source.operation != RESIZE

        def passes(candidate: Candidate) -> bool:
            return pairing.fits(
                sources, list(_destinations(candidate, resource_class,
                                            published)),
                self._accepts, every)
        return candidates.where(passes)

    def _accepts(self, source: HeldDevice, destination: HeldDevice) -> bool:
        if source.document is None or source.digest is None:
            return self.settings.unpublished_source == ACCEPT
        if destination.document is None or destination.digest is None:
            return self.settings.unpublished_destination == ACCEPT
        return self.cache.verdicts.of(
            self.question, source.digest, source.document,
            destination.digest, destination.document).accepted


def _destinations(candidate: Candidate, resource_class: str,
                  published: dict[str, tuple[str, Document]]
                  ) -> Iterable[HeldDevice]:
    for provider, amount in candidates.of_candidate(
            candidate, resource_class).items():
        digest, document = published.get(provider, (None, None))
        yield HeldDevice(provider, resource_class, amount, digest, document)
