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

"""What the filter answers and says while placement or a database fails.

The expected words are those of the documentation's tables, which are read
from there, so that neither can change without the other.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import csv
import functools
import logging
import pathlib
import threading
import time
from typing import Any

import fixtures
from oslo_db import exception as db_exception
from placement import deploy
import sqlalchemy
from sqlalchemy import engine

from nova_mdev_compat.placement.trait_cache import TraitCache
from nova_mdev_compat.scheduler.filters import MdevCompatFilter
from tests.functional import base
from tests.functional import documents
from tests.functional import endpoint
from tests.functional import fault_proxy
from tests.functional import prepared

TTL, MAX_AGE, TIMEOUT = 60.0, 3600.0, 1.5
HANGING = ('silent', 'stuck', 'drop by drop')
#: With all requests failing there is one way through the filter; so a few
#: faults are enough.
OF_EVERYTHING = ('refused', 'stuck', '401', '503')
#: A move waits this long for placement, twice: to decide and to explain.
BOUND = 2 * TIMEOUT
#: What a busy machine may add to it.
GRACE = 5.0
#: Past the time for which nobody asks again after a failure.
HOLD_OFF = 6.0
DOCUMENTATION = pathlib.Path(__file__).parents[2] / 'doc' / 'source'
CROWD = 200
JUDGED, NONE, ALL = ['right'], [], ['wrong', 'right']
published = documents.published


def table(name: str) -> list[dict[str, str]]:
    with open(DOCUMENTATION / name, newline='') as file:
        return list(csv.DictReader(file))


def reads_traits(path: str) -> bool:
    """Whether a request asks who carries what."""
    return 'traits' in path or 'required=' in path


class FaultTestCase(base.FunctionalTestCase):
    """A prepared live migration, and a filter whose clock the test moves."""

    def setUp(self) -> None:
        super().setUp()
        self.mdev_compat(refresh_timeout=TIMEOUT, cache_ttl=TTL,
                         cache_max_age=MAX_AGE)
        self.start_hosts(src=[published()], wrong=[published(version='2.0')],
                         right=[published()])
        self.move = prepared.prepare(self, self.boot(), ['wrong', 'right'])
        served = self.useFixture(fault_proxy.Served(deploy.loadapp(
            self.placement.fixture.conf_fixture.conf)))
        self.proxy = self.useFixture(fault_proxy.FaultProxy(served.port))
        endpoint.configure(self.proxy.url, self.placement.fixture.token)
        self.now = 1000.0
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.scheduler.worker.TraitCache',
            functools.partial(TraitCache, clock=lambda: self.now)))
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.client._MAX_ONE', 1 << 20))
        self.lines: list[str] = []
        self._listen()
        self.slowest = 0.0

    def _listen(self) -> None:
        handler = logging.Handler(logging.INFO)
        handler.emit = lambda record: self.lines.append(  # type: ignore
            f'{record.levelname} {record.getMessage()}')
        logger = logging.getLogger('nova_mdev_compat')
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)

    def new_filter(self) -> None:
        self.filter = MdevCompatFilter()

    def judge(self) -> list[str]:
        """The hosts that the filter leaves."""
        began = time.monotonic()
        left = self.filter.filter_all(self.move.hosts(), self.move.spec)
        self.slowest = max(self.slowest, time.monotonic() - began)
        return [host.host for host in left]

    def settle(self) -> None:
        """Wait for what is asked for in the background."""
        for thread in threading.enumerate():
            if thread.name.startswith('mdev-compat '):
                thread.join(fault_proxy.LIMIT)

    def heard(self, *levels: str) -> list[str]:
        """The lines at these levels since the last time."""
        found = [line for line in self.lines
                 if line.split()[0] in levels]
        self.lines.clear()
        return found


class PlacementFaults(FaultTestCase):

    def test_table(self) -> None:
        """Each fault in each phase, for trait reads alone and for all."""
        faults, phases = table('faults-placement.csv'), table(
            'faults-phases.csv')
        self.assertEqual(set(fault_proxy.FAULTS),
                         {row['Fault'] for row in faults})
        for row in faults:
            fault = row['Fault']
            # A port is open to all requests or to none.
            if fault != 'refused':
                self.check(row, phases, 'trait reads', reads_traits)
            if fault in OF_EVERYTHING:
                self.check(row, phases, 'all requests', lambda path: True)

    def check(self, row: dict[str, str], phases: list[dict[str, str]],
              what: str, concerns: Callable[[str], bool]) -> None:
        fault, words = row['Fault'], row['Words in the log (a pattern)']
        self.slowest = 0.0
        seen = dict(self.phases(fault, concerns))
        self.assertEqual(
            {phase['Phase']: (phase[f'Answer ({what})'],
                              phase[f'Log ({what})']) for phase in phases},
            {name: (answer, self.summary(lines, words))
             for name, (answer, lines) in seen.items()},
            f'{fault}, {what}: {seen}')
        print(f'{fault}, {what} fail: '
              f'a move took {self.slowest:.2f} s at most')
        self.assertLess(self.slowest, BOUND + GRACE)

    def phases(self, fault: str, concerns: Callable[[str], bool]
               ) -> Iterator[tuple[str, tuple[str, list[str]]]]:
        """Answer and lines of two moves in each phase."""
        self.new_filter()
        with self.failing(fault, concerns):
            yield 'cold', self.two_moves()
        yield 'back', self.two_moves()
        for name, later in (('warm', 0.0), ('old', TTL),
                            ('too old', MAX_AGE)):
            with self.failing(fault, concerns):
                self.now += later
                yield name, self.two_moves()
        # The same again, after an outage of another kind.
        yield 'back', self.two_moves()

    @contextlib.contextmanager
    def failing(self, fault: str, concerns: Callable[[str], bool]
                ) -> Iterator[None]:
        # Only what hangs has to be waited for in fact.
        self.mdev_compat(refresh_timeout=TIMEOUT if fault in HANGING
                         else fault_proxy.LIMIT)
        with self.proxy.failing(fault_proxy.FAULTS[fault], concerns):
            yield
        self.settle()
        self.now += HOLD_OFF
        self.mdev_compat(refresh_timeout=fault_proxy.LIMIT)

    def two_moves(self) -> tuple[str, list[str]]:
        self.lines.clear()
        answers = [self.judge()]
        # Past the deadline of what hangs, on the filter's clock.
        self.now += 2 * TIMEOUT
        answers.append(self.judge())
        return self.answer(answers), list(self.lines)

    def answer(self, answers: list[list[str]]) -> str:
        first, second = answers
        self.assertEqual(first, second, self.lines)
        return {('right',): 'judged', (): 'on_error'}[tuple(first)]

    def summary(self, lines: list[str], words: str) -> str:
        """How often what was said, in the words of the table."""
        levels = [line.split()[0] for line in lines
                  if not line.startswith('INFO Server')]
        said = {level: levels.count(level) for level in levels}
        for line in lines:
            if line.split()[0] in ('WARNING', 'ERROR'):
                self.assertRegex(line, words)
                self.assertNotIn('\n', line)
        return {
            (): 'nothing', (('ERROR', 2),): 'one ERROR a move',
            (('WARNING', 1),): 'one WARNING', (('INFO', 1),): 'one INFO',
        }.get(tuple(said.items()), f'unexpected: {said}')


class OtherFaults(FaultTestCase):

    def test_on_error_accept(self) -> None:
        self.mdev_compat(on_error='accept',
                         refresh_timeout=fault_proxy.LIMIT)
        self.new_filter()
        with self.proxy.failing(fault_proxy.FAULTS['503']):
            self.assertEqual(ALL, self.judge())
        self.assertEqual(1, len(self.heard('ERROR')))

    def test_answer_without_end(self) -> None:
        """It is read as far as a bound, not as far as the memory goes."""
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.client._MAX_TRAITS', 1 << 20))
        self.mdev_compat(refresh_timeout=fault_proxy.LIMIT)
        self.new_filter()
        with self.proxy.failing(fault_proxy.endless,
                                lambda path: 'associated' in path):
            self.assertEqual(NONE, self.judge())
        print(f'figure: an answer without end took {self.slowest:.2f} s')
        self.assertRegex(' '.join(self.heard('ERROR')),
                         'GET /traits answered too much to be read')

    def test_databases(self) -> None:
        """The API's database, and the cell's; each kind of query."""
        self.mdev_compat(refresh_timeout=fault_proxy.LIMIT)
        self.new_filter()
        for name in ('instance_mappings', 'migrations', 'compute_nodes'):
            with self.database_failing(name):
                self.assertEqual(NONE, self.judge())
            lines = self.heard('ERROR', 'WARNING')
            self.assertEqual(1, len(lines), lines)
            self.assertIn(self.move.spec.instance_uuid, lines[0])
            self.assertEqual(JUDGED, self.judge())
            self.assertEqual([], self.heard('ERROR', 'WARNING'))

    @contextlib.contextmanager
    def database_failing(self, name: str) -> Iterator[None]:
        def fail(_connection: Any, _cursor: Any, statement: str,
                 *_others: Any) -> None:
            if name in statement:
                raise db_exception.DBConnectionError()
        listener = (engine.Engine, 'before_cursor_execute', fail)
        sqlalchemy.event.listen(*listener)
        try:
            yield
        finally:
            sqlalchemy.event.remove(*listener)

    def test_crowd_arrives_cold(self) -> None:
        self.mdev_compat(refresh_timeout=fault_proxy.LIMIT)
        self.new_filter()
        barrier = threading.Barrier(CROWD)
        answers: list[list[str]] = []

        def arrive() -> None:
            barrier.wait(fault_proxy.LIMIT)
            answers.append(self.judge())
        crowd = [threading.Thread(target=arrive) for _ in range(CROWD)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join(fault_proxy.LIMIT)
        self.assertEqual([JUDGED] * CROWD, answers)
        self.settle()
        asked = [request.path for request in self.proxy.requests]
        shared = [path for path in asked if '/allocations/' not in path]
        print(f'figure: {CROWD} moves arrive cold: {len(asked)} requests, '
              f'{len(shared)} of them for what they share')
        self.assertEqual(CROWD, len(asked) - len(shared))
        # Each of these once: the cold refresh of one move.
        self.assertEqual(len(set(shared)), len(shared), shared)
