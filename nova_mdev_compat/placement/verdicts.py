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

"""Verdicts between documents, kept: neither of the two can change."""

from __future__ import annotations

import collections
import dataclasses
import threading

from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.document import Level
from nova_mdev_compat.compat.matching import Matcher
from nova_mdev_compat.compat.patterns import shown
from nova_mdev_compat.compat.verdict import Reason
from nova_mdev_compat.compat.verdict import Verdict

# Verdicts and matchers kept; a fleet of 64 kinds of device has 4,096 pairs.
MAX_VERDICTS = 16384
MAX_MATCHERS = 1024

#: The one of Nova's migration types that takes a device's state along.
LIVE_MIGRATION = 'live-migration'


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """What a move asks of a destination.

    :param level: `live` when the device's state goes along, else `cold`.
    :param plain_only: the destination makes a plain device only.
    :param same_type: the two mdev types must be equal by name.
    """

    level: Level
    plain_only: bool = True
    same_type: bool = False

    @classmethod
    def of_operation(cls, operation: str, honour_create: bool,
                     live_migration_same_type: bool) -> Question:
        """What an operation asks, with the options of these names.

        :param operation: one of Nova's migration types.
        """
        live = operation == LIVE_MIGRATION
        return cls('live' if live else 'cold', plain_only=not honour_create,
                   same_type=live and live_migration_same_type)


class Verdicts:
    """Answers questions about pairs of documents, and remembers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._matchers: collections.OrderedDict[str, Matcher] = \
            collections.OrderedDict()
        self._verdicts: collections.OrderedDict[
            tuple[Question, str, str], Verdict] = collections.OrderedDict()

    def of(self, question: Question, source_digest: str, source: Document,
           digest: str, destination: Document) -> Verdict:
        """Whether the destination's document accepts the source's device."""
        key = question, source_digest, digest
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = _ask(self._matcher(digest, destination), source,
                           question)
            with self._lock:
                self._verdicts[key] = verdict
                if len(self._verdicts) > MAX_VERDICTS:
                    self._verdicts.popitem(last=False)
        return verdict

    def _matcher(self, digest: str, document: Document) -> Matcher:
        matcher = self._matchers.get(digest)
        if matcher is None:
            matcher = Matcher(document)
            with self._lock:
                self._matchers[digest] = matcher
                if len(self._matchers) > MAX_MATCHERS:
                    self._matchers.popitem(last=False)
        return matcher


def _ask(matcher: Matcher, source: Document, question: Question) -> Verdict:
    verdict = matcher.match(source.device, question.level,
                            question.plain_only)
    mine, its = matcher.device.mdev_type, source.device.mdev_type
    if verdict.accepted and question.same_type and mine != its:
        return Verdict(False, reasons=(Reason(
            'same-type', '/mdev_type', verdict.entry, its,
            f'only {shown(mine)}', f'mdev_type: the source has {shown(its)} '
            f'and this device {shown(mine)}; the document accepts it, but '
            'Nova moves a running server to the same type only '
            '(live_migration_same_type)'),))
    return verdict
