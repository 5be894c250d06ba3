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


"""Watches the filter inside the running scheduler, and does not alter it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import logging
import time
from typing import Any

import fixtures
import sqlalchemy
from sqlalchemy import engine

from demo import loopback
from nova_mdev_compat.scheduler.candidates import Narrowing
from nova_mdev_compat.scheduler import explanation
from nova_mdev_compat.scheduler.judgement import Judgement

# What oslo.db sends to SQLite before each transaction.
_BEGIN = 'BEGIN'


@dataclasses.dataclass
class Call:
    """One call of the filter.

    :param before: candidates by host, as they came.
    :param after: as the filter left them.
    :param removed: hosts that went, by reason in the product's own words.
    :param narrowed: hosts that lost some of their candidates, likewise.
    """

    before: dict[str, int]
    after: dict[str, int] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    requests: list[str] = dataclasses.field(default_factory=list)
    queries: int = 0
    said: list[str] = dataclasses.field(default_factory=list)
    judgement: Judgement | None = None
    narrowing: Narrowing = dataclasses.field(default_factory=Narrowing)
    removed: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)
    narrowed: Mapping[str, list[str]] = dataclasses.field(
        default_factory=dict)

    def explain(self) -> None:
        """Ask for the reasons.

        The filter itself does so when nothing is left, or at DEBUG.
        """
        if self.judgement is None:
            # Nothing was judged; the log says why.
            return
        found = explanation.Explanation(self.judgement, ask=True)
        self.removed = _names(found.groups(self.narrowing.gone))
        self.narrowed = _names(found.groups(self.narrowing.fewer))


class Watch(fixtures.Fixture):
    """Notes each call of one filter object of a scheduler."""

    def __init__(self, watched: Any, placement: loopback.Placement) -> None:
        self._watched = watched
        self._placement = placement
        self._now: Call | None = None
        self.calls: list[Call] = []

    def _setUp(self) -> None:
        self._filter_all = self._watched.filter_all
        self.useFixture(fixtures.MockPatchObject(
            self._watched, 'filter_all', self._call))
        self._log = explanation.log
        self.useFixture(fixtures.MockPatchObject(
            explanation, 'log', self._explained))
        listener = (engine.Engine, 'before_cursor_execute', self._query)
        sqlalchemy.event.listen(*listener)
        self.addCleanup(sqlalchemy.event.remove, *listener)
        handler = _Handler(self)
        logger = logging.getLogger('nova_mdev_compat')
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        logger.setLevel(logging.INFO)

    def _call(self, hosts: list[Any], spec: Any) -> list[Any]:
        call = self._now = Call(_candidates(hosts))
        self.calls.append(call)
        asked = len(self._placement.requests)
        start = time.perf_counter()
        try:
            left: list[Any] = self._filter_all(hosts, spec)
        finally:
            call.seconds = time.perf_counter() - start
            call.requests = self._placement.requests[asked:]
            self._now = None
        call.after = _candidates(left)
        return left

    def _explained(self, server: str, judged: Judgement,
                   narrowing: Narrowing, hosts: int) -> None:
        if self._now is not None:
            self._now.judgement, self._now.narrowing = judged, narrowing
        self._log(server, judged, narrowing, hosts)

    def _query(self, connection: Any, cursor: Any, statement: str,
               *others: Any) -> None:
        if self._now is not None and not self._placement.answering \
                and statement != _BEGIN:
            self._now.queries += 1

    def said(self, line: str) -> None:
        if self._now is not None:
            self._now.said.append(line)


class _Handler(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.said(f'{record.levelname} {record.getMessage()}')


def _candidates(hosts: Sequence[Any]) -> dict[str, int]:
    return {host.host: len(host.allocation_candidates) for host in hosts}


def _names(groups: Mapping[str, Sequence[Any]]) -> dict[str, list[str]]:
    return {reason: [host.host for host in hosts]
            for reason, hosts in groups.items()}
