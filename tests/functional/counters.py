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

"""What a test counts: scheduler rounds, pre-checks, the filter's work."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import copy
import dataclasses
import threading
from typing import Any

import fixtures
from nova.compute import manager as compute_manager
from nova.scheduler import manager as scheduler_manager
import sqlalchemy
from sqlalchemy import engine

from tests.functional import endpoint
from tests.functional import hosts

#: Host to its candidates, each as the places of its pGPUs in the host's table.
Candidates = dict[str, list[tuple[int, ...]]]


class MoveCounter(fixtures.Fixture):
    """Counts what a move costs outside the filter."""

    rounds = 0
    destination_checks = 0
    source_checks = 0

    def _setUp(self) -> None:
        scheduler = scheduler_manager.SchedulerManager
        compute = compute_manager.ComputeManager
        self._count(scheduler, 'select_destinations', 'rounds')
        self._count(compute, 'check_can_live_migrate_destination',
                    'destination_checks')
        self._count(compute, 'check_can_live_migrate_source',
                    'source_checks')

    def restart(self) -> None:
        self.rounds = self.destination_checks = self.source_checks = 0

    def _count(self, cls: type, name: str, counter: str) -> None:
        original = getattr(cls, name)

        # "instance" is a keyword argument of some of them, "self" is ours.
        def counted(manager: Any, /, *args: Any, **kwargs: Any) -> Any:
            setattr(self, counter, getattr(self, counter) + 1)
            return original(manager, *args, **kwargs)

        self.useFixture(fixtures.MockPatchObject(cls, name, counted))


@dataclasses.dataclass
class FilterCall:
    """One call of filter_all: what came, what stayed, what it cost."""

    offered: Candidates
    kept: Candidates = dataclasses.field(default_factory=dict)
    requests: list[str] = dataclasses.field(default_factory=list)
    queries: list[str] = dataclasses.field(default_factory=list)
    same_list: bool = False


class FilterProbe(fixtures.Fixture):
    """Watches a filter of a running scheduler through its filter_all.

    It materialises what filter_all returns, as nova-scheduler does at once;
    so an exception of a lazy generator is seen too.
    """

    def __init__(
        self, watched: Any, ranks: hosts.Ranks,
        placement: endpoint.FilterEndpoint,
    ) -> None:
        self._watched = watched
        self._ranks = ranks
        self._placement = placement
        self._thread = threading.local()
        self.calls: list[FilterCall] = []
        self.faults: list[str] = []
        #: Raised in place of every database query of the filter, when set.
        self.database_error: Exception | None = None

    def _setUp(self) -> None:
        cls = type(self._watched)
        original = cls.filter_all

        def filter_all(instance: Any, states: Any, spec: Any) -> Any:
            return self._watch(
                lambda given: original(instance, given, spec), list(states))

        self.useFixture(
            fixtures.MockPatchObject(cls, 'filter_all', filter_all))
        listener = (engine.Engine, 'before_cursor_execute', self._on_query)
        sqlalchemy.event.listen(*listener)
        self.addCleanup(sqlalchemy.event.remove, *listener)

    @property
    def last(self) -> FilterCall:
        return self.calls[-1]

    def _watch(
        self, filter_all: Callable[[Any], Any], states: list[Any],
    ) -> list[Any]:
        call = FilterCall(self._candidates(states))
        self.calls.append(call)
        untouched = Untouched(states)
        before = len(self._placement.requests)
        with self._counting_into(call):
            kept = self._materialised(filter_all, states, call)
        call.requests = self._placement.requests[before:]
        call.kept = self._candidates(kept)
        if untouched.changed():
            self.faults.append('candidates were changed in place')
        return kept

    def _materialised(
        self, filter_all: Callable[[Any], Any], states: list[Any],
        call: FilterCall,
    ) -> list[Any]:
        try:
            returned = filter_all(states)
            if returned is None:
                self.faults.append('filter_all returned None')
                return []
            call.same_list = returned is states
            return list(returned)
        except BaseException as error:
            self.faults.append('%r left filter_all' % error)
            raise

    def _candidates(self, states: Iterable[Any]) -> Candidates:
        return {state.host: [self._ranks.positions(candidate)
                             for candidate in _candidates_of(state)]
                for state in states}

    @contextlib.contextmanager
    def _counting_into(self, call: FilterCall) -> Iterator[None]:
        self._thread.call = call
        try:
            yield
        finally:
            self._thread.call = None

    def _on_query(self, _connection: Any, _cursor: Any, statement: str,
                  *_others: Any) -> None:
        call = getattr(self._thread, 'call', None)
        if call is None or self._placement.answering:
            return
        call.queries.append(statement)
        if self.database_error is not None:
            raise self.database_error


class Untouched:
    """Remembers candidates, to see afterwards that nobody wrote to them."""

    def __init__(self, states: Iterable[Any]) -> None:
        self._lists = [_candidates_of(state) for state in states]
        self._copies = copy.deepcopy(self._lists)

    def changed(self) -> bool:
        return self._lists != self._copies


def _candidates_of(state: Any) -> list[Mapping[str, Any]]:
    # A rebuild has none, and None says so.
    return getattr(state, 'allocation_candidates', None) or []
