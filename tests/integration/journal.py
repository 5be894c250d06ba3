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

"""What was published when, and what a scheduler should have answered."""

from collections.abc import Iterator
import dataclasses
import math
import threading
import time

from tests.integration.documents import Json
from tests.unit import oracle

LIVE = 'live-migration'


@dataclasses.dataclass(frozen=True)
class _Entry:
    """A document and when its writing began; None: none."""

    document: Json | None
    began: float


class Journal:
    """The documents of every provider over the time, on one clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, list[tuple[_Entry, list[float]]]] = {}

    def begin(self, provider: str, document: Json | None) -> None:
        """From now on the provider may carry the document."""
        with self._lock:
            self._entries.setdefault(provider, []).append(
                (_Entry(document, time.monotonic()), []))

    def end(self, provider: str) -> None:
        """From now on it carries that one and not the one before."""
        with self._lock:
            # What was not ended by an attempt that failed is ended by this.
            for _entry, ended in self._entries[provider][:-1]:
                if not ended:
                    ended.append(time.monotonic())

    def between(self, provider: str, start: float,
                end: float) -> list[Json | None]:
        """All that the provider may have carried in that time."""
        with self._lock:
            return [entry.document for entry, ended
                    in self._entries[provider]
                    if entry.began <= end
                    and (ended[0] if ended else math.inf) >= start]

    def changes(self, start: float) -> int:
        """How many documents were published since then."""
        with self._lock:
            return sum(entry.began >= start for found
                       in self._entries.values() for entry, _ in found)


def accepts(destination: Json | None, source: Json | None,
            operation: str) -> bool:
    """What the default policies say, by the brute-force evaluator."""
    if source is None:
        return True
    if destination is None:
        return False
    same_type = destination['self']['mdev_type'] \
        == source['self']['mdev_type']
    if operation == LIVE and not same_type:
        return False
    return oracle.evaluate(
        destination, source['self'],
        'live' if operation == LIVE else 'cold', plain_only=True).accepted


@dataclasses.dataclass(frozen=True)
class Question:
    """What a request asks of the hosts that it is offered.

    :param source: the provider that the moving device is on; None: nothing
        is judged.
    :param offered: the providers of every host that may be named.
    """

    operation: str | None
    source: str | None
    offered: dict[str, list[str]]


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is wrong with an answer.

    :param republished: the host is missing, and of its providers those that
        accept the device came to carry another document in that time. A
        scheduler that reads who carries the old one after, and which
        documents there are before, finds it nowhere.
    """

    text: str
    republished: bool = False


def faults(journal: Journal, question: Question, answer: dict[str, str],
           start: float, end: float) -> list[Fault]:
    """What is wrong with an answer, or nothing.

    Providers are published one by one, so what was published at one moment
    has no meaning beyond one provider: each must be answered for as it was
    at some moment of that time, all of them for one document of the source.

    :param answer: the provider chosen on each host that was named.
    """
    sources: list[Json | None] = [None]
    if question.source is not None:
        sources = journal.between(question.source, start, end)
    found = [list(_faults(journal, question, answer, source, start, end))
             for source in sources]
    return min(found, key=len)


def _faults(journal: Journal, question: Question, answer: dict[str, str],
            source: Json | None, start: float, end: float
            ) -> Iterator[Fault]:
    for host, providers in question.offered.items():
        verdicts = {
            provider: _verdicts(journal, question, provider, source, start,
                                end) for provider in providers}
        chosen = answer.get(host)
        if chosen is not None and True not in verdicts.get(chosen, ()):
            yield Fault(f'{host}: {chosen} does not accept the device')
        accepting = [provider for provider, found in verdicts.items()
                     if found == {True}]
        if chosen is None and accepting:
            yield Fault(
                f'{host} is missing, though {accepting} accept',
                question.source is not None and all(
                    len(journal.between(provider, start, end)) > 1
                    for provider in accepting))
    for host in answer.keys() - question.offered.keys():
        yield Fault(f'{host} was named and not offered')


def _verdicts(journal: Journal, question: Question, provider: str,
              source: Json | None, start: float, end: float) -> set[bool]:
    if question.operation is None or source is None:
        return {True}
    return {accepts(document, source, question.operation)
            for document in journal.between(provider, start, end)}
