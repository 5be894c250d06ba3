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

"""One round of the publisher: look at the host, compare, write, tell."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses

from oslo_log import log as logging

from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.publisher import advice
from nova_mdev_compat.publisher import difference as differences
from nova_mdev_compat.publisher.difference import Difference
from nova_mdev_compat.publisher.difference import State
from nova_mdev_compat.publisher.intent import Intent
from nova_mdev_compat.publisher import reconciliation
from nova_mdev_compat.publisher.reconciliation import Outcome
from nova_mdev_compat.publisher import wording

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """What one round found and did."""

    intent: Intent
    difference: Difference
    outcome: Outcome

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """Names of the providers that are not in placement."""
        return (*self.difference.absent, *self.outcome.vanished)

    @property
    def complete(self) -> bool:
        """Whether nothing is left that could come right by itself."""
        return not (self.waiting_for or self.outcome.failed
                    or self.intent.unknown)

    @property
    def published(self) -> dict[str, str]:
        """Digest by the name of each provider that carries its document."""
        return {
            **{state.provider.name: state.wanted.names.digest
               for state in self.difference.right},
            **{change.provider: change.digest
               for change in self.outcome.changes},
            **{state.provider.name: state.wanted.names.digest
               for state in self._mapped}}

    @property
    def _mapped(self) -> list[State]:
        """The providers whose labels have come to stand for their documents.
        """
        found, said = self.difference.labels, self.outcome.said
        return [state for state in found.to_map
                if state not in found.missing and state not in found.mixed
                and said.get(state.labels[0].name)
                == state.wanted.names.digest]


class Agent:
    """Publishes what a host's devices are, round by round.

    :param read: finds out what the host wants its providers to carry.
    :param timeout: seconds for reading placement once, and for writing one
        provider.
    """

    def __init__(self, client: Client, read: Callable[[], Intent],
                 timeout: float) -> None:
        self._client = client
        self._read = read
        self._timeout = timeout
        self._told: set[str] = set()

    def look(self) -> Round:
        """What would be written; nothing is.

        :raises PlacementError: placement could not be read.
        """
        intent = self._read()
        return Round(intent, differences.compare(
            self._client, intent, self._deadline()), Outcome())

    def carried(self, state: State) -> tuple[str, ...]:
        """Digests of the markers on a provider.

        :raises PlacementError: placement could not be read.
        """
        found = self._client.provider_traits(state.provider.uuid,
                                             self._deadline())
        return tuple(sorted(filter(None, map(traits.read_marker,
                                             found.traits))))

    def round(self) -> Round:
        """Looks, and writes what is to be written.

        :raises PlacementError: placement could not be read or written.
        """
        seen = self.look()
        done = dataclasses.replace(seen, outcome=reconciliation.settle(
            self._client, seen.difference, self._deadline))
        self._tell(done)
        return done

    def _deadline(self) -> Deadline:
        return Deadline(self._timeout)

    def _tell(self, done: Round) -> None:
        for change in done.outcome.changes:
            LOG.info('Provider %s carries document %s%s.', change.provider,
                     change.digest, ''.join(
                         f', in place of {digest}'
                         for digest in change.replaced))
        for mapped in done.outcome.mapped:
            LOG.info('Label %s stands for document %s%s.', mapped.label,
                     mapped.digest, f', in place of {mapped.replaced}'
                     if mapped.replaced else '')
        if done.outcome.lost:
            LOG.info('Lost %d races with other writers, and wrote again.',
                     len(done.outcome.lost))
        if done.outcome.written:
            LOG.info('Wrote %d body traits.', len(done.outcome.written))
        # Once as long as it is so, and not in every round.
        words = dict.fromkeys(complaints(done))
        for line in words:
            if line not in self._told:
                LOG.warning('%s', line)
        self._told = set(words)
        LOG.debug('%d providers carry their documents.', len(done.published))


def complaints(done: Round) -> list[str]:
    """What somebody should know, a line each."""
    return [
        *_left(done.intent.unknown),
        *_absent(done.waiting_for),
        *(f'{wording.named(names)} could not be written: {why}' for why, names
          in wording.by_reason(done.outcome.failed.items())),
        *_kept(done.difference.kept),
        *advice.complaints(done.difference),
    ]


def _left(unknown: Mapping[str, str]) -> Iterator[str]:
    for why, names in wording.by_reason(unknown.items()):
        stay = 'is left as it is' if len(names) == 1 else \
            'are left as they are'
        yield f'{wording.named(names)} {stay}: {why}'


def _absent(names: Collection[str]) -> Iterator[str]:
    if names:
        absent, them = ('is', 'it') if len(names) == 1 else ('are', 'them')
        yield (f'{wording.named(names)} {absent} not in placement (yet); '
               f'nova-compute makes {them}.')


def _kept(states: Collection[State]) -> Iterator[str]:
    if states:
        names = wording.named(state.provider.name for state in states)
        keep, them = ('keeps', 'it carries') if len(states) == 1 else \
            ('keep', 'they carry')
        yield (f'{names} {keep} the document that {them}: rules that would '
               'have a say are broken.')
