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

"""Why hosts went: one line a request, and each candidate at DEBUG."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import functools
import itertools
from typing import Any

from oslo_log import log as logging

from nova_mdev_compat.compat.verdict import Verdict
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.documents import InUse
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.scheduler import candidates
from nova_mdev_compat.scheduler.candidates import Candidate
from nova_mdev_compat.scheduler.candidates import Narrowing
from nova_mdev_compat.scheduler.candidates import Removals
from nova_mdev_compat.scheduler.judgement import ACCEPT
from nova_mdev_compat.scheduler.judgement import Judgement
from nova_mdev_compat.scheduler.pairing import HeldDevice

LOG = logging.getLogger(__name__)

_HOSTS = 3
_REASONS = 3
# Requests that an explanation may make, a marker each.
_MAX_MARKERS = 16
_UNKNOWN = 'refused by its document, or unpublished'
_SOURCE = 'the source device is unpublished'
_NO_CANDIDATE = 'it had no allocation candidate left'
_UNPAIRED = 'its devices cannot be paired with those of the source'


class Explanation:
    """Reasons for what a judgement removed.

    Which provider carries which refusing marker costs a request a marker,
    so it is asked for only when `ask` says so.
    """

    def __init__(self, judgement: Judgement, ask: bool) -> None:
        self._judgement = judgement
        self._ask = ask

    def of_provider(self, resource_class: str, provider: str) -> str:
        """Why a provider's device is not accepted; empty: it is."""
        if provider in self._judgement.cache.doubles():
            return 'unpublished: it carries several markers or labels'
        digest = self._carried.get(provider)
        if digest is None:
            if self._judgement.settings.unpublished_destination == ACCEPT:
                return ''
            return 'unpublished' if self._complete else _UNKNOWN
        why = self._in_use.unusable.get(digest)
        if why is not None:
            return f'its document {digest} is unusable: {why}'
        return self._refusal(resource_class, digest)

    def of_candidate(self, candidate: Candidate) -> str:
        """Why a candidate went."""
        if not self._ask or self._refuses_source:
            return self._unasked
        for source in self._judgement.source.devices:
            for provider in candidates.of_candidate(
                    candidate, source.resource_class):
                reason = self.of_provider(source.resource_class, provider)
                if reason:
                    return reason
        return _UNPAIRED

    def groups(self, removals: Removals) -> dict[str, list[Any]]:
        """Hosts by the reason of their first dropped candidate."""
        if not self._ask or self._refuses_source:
            # One reason, as far as is known; so a move that takes something
            # from thousands of hosts does not look at what it was.
            return {self._unasked: removals.hosts} if removals else {}
        hosts: dict[str, list[Any]] = collections.defaultdict(list)
        for removal in removals:
            hosts[self.of_candidate(removal.dropped[0])].append(removal.host)
        return hosts

    def refusals(self) -> list[str]:
        """What the documents in use refuse, without asking placement."""
        found = collections.Counter(
            _words(verdict)
            for source in self._sources() for digest in self._in_use.documents
            for verdict in [self._verdict(source, digest)]
            if not verdict.accepted)
        listed = [f'{reason} ({count})'
                  for reason, count in found.most_common(_REASONS)]
        more = len(found) - len(listed)
        return [*listed, f'and {more} more'] if more else listed

    def _refusal(self, resource_class: str, digest: str) -> str:
        for source in self._sources(resource_class):
            verdict = self._verdict(source, digest)
            if not verdict.accepted:
                return _words(verdict)
        return ''

    def _sources(self, resource_class: str | None = None
                 ) -> Iterator[HeldDevice]:
        for one in self._judgement.source.devices:
            if one.document is not None and resource_class in (
                    None, one.resource_class):
                yield one

    def _verdict(self, source: HeldDevice, digest: str) -> Verdict:
        assert source.digest is not None and source.document is not None
        return self._judgement.cache.verdicts.of(
            self._judgement.question, source.digest, source.document, digest,
            self._in_use.documents[digest])

    @functools.cached_property
    def _refuses_source(self) -> bool:
        return bool(self._judgement.unpublished) and self._judgement \
            .settings.unpublished_source != ACCEPT

    @functools.cached_property
    def _unasked(self) -> str:
        """What is known without a look at any candidate."""
        return _SOURCE if self._refuses_source else _UNKNOWN

    @functools.cached_property
    def _in_use(self) -> InUse:
        return self._judgement.cache.in_use()

    @functools.cached_property
    def _asked(self) -> list[str]:
        """The digests whose carriers are asked for: refusing ones first."""
        digests = sorted(
            self._in_use.digests, key=lambda digest: (
                digest not in self._in_use.unusable
                and all(self._verdict(source, digest).accepted
                        for source in self._sources()), digest))
        return digests[:_MAX_MARKERS]

    @functools.cached_property
    def _complete(self) -> bool:
        """Whether a provider that none of the answers has is unpublished."""
        return len(self._asked) == len(self._in_use.digests)

    @functools.cached_property
    def _carried(self) -> dict[str, str]:
        # Each answer has its own bound; all of them together have this one.
        deadline = Deadline(self._judgement.settings.refresh_timeout)
        carried = {}
        for digest in self._asked:
            deadline.remaining()
            for provider in self._judgement.cache.members(digest):
                carried[provider] = digest
        return carried


def log(server: str, judgement: Judgement, narrowing: Narrowing,
        hosts: int) -> None:
    """Says what was removed, and why, or that nothing was."""
    operation = judgement.source.operation
    if not narrowing:
        LOG.debug('Server %s, %s: all candidates of %d hosts stay.', server,
                  operation, hosts)
        return
    gone = len(narrowing.gone) + len(narrowing.bare)
    explanation = Explanation(
        judgement, ask=gone == hosts or LOG.isEnabledFor(logging.DEBUG))
    LOG.info(
        'Server %s, %s: %s %d of %d hosts, and took candidates from %d of '
        'the others. %s', server, operation, _verb(judgement), gone, hosts,
        len(narrowing.fewer), _reasons(explanation, narrowing))
    if LOG.isEnabledFor(logging.DEBUG):
        _log_candidates(server, explanation, narrowing)


def _verb(judgement: Judgement) -> str:
    if judgement.settings.enforce:
        return 'removed'
    return 'would have removed (enforce is false)'


def _reasons(explanation: Explanation, narrowing: Narrowing) -> str:
    try:
        groups = explanation.groups(narrowing.gone)
        if narrowing.bare:
            groups = {**groups, _NO_CANDIDATE: narrowing.bare}
        parts = [
            *_grouped(groups),
            *_grouped(explanation.groups(narrowing.fewer),
                      'candidates of others: ')]
        if any(_UNKNOWN in part for part in parts):
            refusals = explanation.refusals()
            if refusals:
                parts.append('documents in use refuse because of '
                             + '; '.join(refusals))
        return '. '.join(parts)
    except PlacementError as error:
        return f'The reasons cannot be read from placement: {error}'


def _grouped(groups: Mapping[str, Sequence[Any]],
             title: str = '') -> Iterator[str]:
    for reason, hosts in sorted(groups.items(),
                                key=lambda group: (-len(group[1]), group[0])):
        yield f'{title}{reason}: {len(hosts)} ({_names(hosts)})'


def _log_candidates(server: str, explanation: Explanation,
                    narrowing: Narrowing) -> None:
    for removal in itertools.chain(narrowing.gone, narrowing.fewer):
        for candidate in removal.dropped:
            try:
                reason = explanation.of_candidate(candidate)
            except PlacementError as error:
                LOG.debug('Server %s: the reasons cannot be read from '
                          'placement: %s', server, error)
                return
            LOG.debug('Server %s: host %s loses the candidate on %s: %s',
                      server, removal.host.host,
                      ', '.join(sorted(candidate['allocations'])), reason)


def _names(hosts: Sequence[Any]) -> str:
    """The first of them; of thousands, no more is looked at."""
    shown = ', '.join(sorted(host.host for host in hosts[:_HOSTS]))
    return shown if len(hosts) <= _HOSTS else shown + ', ...'


def _words(verdict: Verdict) -> str:
    reasons = [reason.message for reason in verdict.reasons]
    entry = next((reason.entry for reason in verdict.reasons
                  if reason.entry is not None), None)
    closest = '' if entry is None else f' (closest: entry {entry})'
    return ', '.join(reasons) + closest
