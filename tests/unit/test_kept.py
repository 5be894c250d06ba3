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

"""Values that are kept: when they are asked for, by whom, and for how long.

The clock stands still unless a test moves it. What a test waits for is an
event; the few time-outs that must run out are short.
"""

import sys
import threading
from unittest import mock

from nova_mdev_compat.placement import deadline
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.kept import Kept
from nova_mdev_compat.placement.kept import Lifetime
from tests.unit.kept_cases import Answers
from tests.unit.kept_cases import Caller
from tests.unit.kept_cases import Clock
from tests.unit.kept_cases import KeptTestCase
from tests.unit.kept_cases import LONG
from tests.unit.kept_cases import MAX_AGE
from tests.unit.kept_cases import TTL

THREADS = 200


class TestLife(KeptTestCase):

    def test_fresh_value_is_answered_without_asking(self) -> None:
        self.assertEqual([0, 0, 0], [self.kept.get() for _ in range(3)])
        self.clock.advance(TTL * 0.79)
        self.assertEqual(0, self.kept.get())
        self.assertEqual(1, self.answers.count)

    def test_old_value_is_asked_for_again(self) -> None:
        self.kept.get()
        self.clock.advance(TTL)
        self.assertEqual(1, self.kept.get())

    def test_jitter_never_beyond_ttl(self) -> None:
        lives = {self._life() for _ in range(200)}
        self.assertGreaterEqual(min(lives), 80)
        self.assertLessEqual(max(lives), 100)
        # Workers which start together must not ask together.
        self.assertGreater(len(lives), 5)

    def _life(self) -> int:
        """Hundredths of the ttl for which a value is not asked for again."""
        answers, clock = Answers(), Clock()
        kept = Kept('one', answers, lambda: self.lifetime, clock)
        kept.get()
        for hundredths in range(1, 102):
            clock.now = 1000.0 + TTL * hundredths / 100
            kept.get()
            # It may have been asked for in the background.
            for thread in threading.enumerate():
                if thread.name == 'mdev-compat one':
                    thread.join()
            if answers.count > 1:
                return hundredths
        return hundredths

    def test_shortest_and_longest_life(self) -> None:
        for part in (0.8, 1.0):
            with mock.patch('random.uniform', autospec=True,
                            return_value=part) as uniform:
                kept = Kept('one', self.answers, lambda: self.lifetime,
                            self.clock)
                number = kept.get()
            uniform.assert_called_once_with(0.8, 1.0)
            self.clock.advance(TTL * part - 0.01)
            self.assertEqual(number, kept.get())
            self.assertEqual(number + 1, self.answers.count)
            self.clock.advance(0.01)
            kept.get()
            self.wait_for(lambda: kept.get() == number + 1)

    def test_age_counts_from_the_question(self) -> None:
        self.answers.hold(0)
        caller = Caller(self.kept.get)
        self.answers.wait_started(0)
        self.clock.advance(TTL)
        self.answers.release(0)
        self.assertEqual(0, caller.answer())
        # What was true when it was asked for is a ttl old by now.
        self.assertEqual(1, self.kept.get())

    def test_options_are_read_at_each_use(self) -> None:
        self.kept.get()
        self.clock.advance(2)
        self.lifetime = Lifetime(1, MAX_AGE, LONG)
        self.assertEqual(1, self.kept.get())

    def test_max_age_under_ttl(self) -> None:
        self.lifetime = Lifetime(TTL, 1, LONG)
        self.kept.get()
        self.clock.advance(1)
        self.assertEqual(1, self.kept.get())

    def test_no_ttl(self) -> None:
        self.lifetime = Lifetime(0, MAX_AGE, LONG)
        self.assertEqual([0, 1, 2], [self.kept.get() for _ in range(3)])

    def test_deadline_of_a_fetch(self) -> None:
        seen: list[float] = []
        Kept('one', lambda deadline: seen.append(deadline.remaining()),
             lambda: self.lifetime, self.clock).get()
        self.assertEqual([LONG], seen)


class TestSingleFlight(KeptTestCase):

    def test_cold_crowd_makes_one_fetch(self) -> None:
        self.answers.hold(0)
        crowd = [Caller(self.kept.get) for _ in range(THREADS)]
        self.answers.wait_started(0)
        self.answers.release(0)
        self.assertEqual({0}, {caller.answer() for caller in crowd})
        self.assertEqual(1, self.answers.count)

    def test_cold_crowd_meets_a_quick_answer(self) -> None:
        # Some of the crowd have found nothing kept, and come to ask when the
        # answer is already there.
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-6)
        for _ in range(20):
            answers = Answers()
            kept = Kept('one', answers, lambda: self.lifetime, self.clock)
            crowd = self._crowd(kept, 50)
            self.assertEqual({0}, {caller.answer() for caller in crowd})
            self.assertEqual(1, answers.count)

    @staticmethod
    def _crowd(kept: Kept[int], size: int) -> list[Caller]:
        barrier = threading.Barrier(size)

        def get() -> int:
            barrier.wait(LONG)
            return kept.get()
        return [Caller(get) for _ in range(size)]

    def test_cold_crowd_shares_a_failure(self) -> None:
        self.answers.hold(0)
        self.answers.fail(0)
        crowd = [Caller(self.kept.get) for _ in range(THREADS)]
        self.answers.wait_started(0)
        self.answers.release(0)
        self.assertEqual({'fetch 0 failed'},
                         {str(caller.answer()) for caller in crowd})
        self.assertEqual(1, self.answers.count)

    def test_nobody_waits_ahead_of_time(self) -> None:
        # Due by its jitter, and not older than was promised.
        with mock.patch('random.uniform', autospec=True, return_value=0.8):
            self.kept.get()
        self.clock.advance(TTL - 0.01)
        self.answers.hold(1)
        self.assertEqual([0] * 3, [self.kept.get() for _ in range(3)])
        self.answers.wait_started(1)
        self.assertEqual(0, self.kept.get())
        self.assertEqual(2, self.answers.count)
        self.answers.release(1)
        self.wait_for(lambda: self.kept.get() == 1)
        self.assertEqual(2, self.answers.count)

    def test_failure_ahead_of_time_is_told(self) -> None:
        with mock.patch('random.uniform', autospec=True, return_value=0.8):
            self.kept.get()
        self.clock.advance(TTL - 0.01)
        self.answers.fail(1)
        self.assertEqual(0, self.kept.get())
        self.wait_for(lambda: self.said('Could not refresh') == 1)
        self.assertEqual(0, self.kept.get())

    def test_all_wait_for_what_is_as_old_as_was_promised(self) -> None:
        self.kept.get()
        self.clock.advance(TTL)
        self.answers.hold(1)
        crowd = [Caller(self.kept.get) for _ in range(5)]
        self.answers.wait_started(1)
        self.assertEqual([True] * 5, [one.is_alive() for one in crowd])
        self.answers.release(1)
        self.assertEqual({1}, {caller.answer() for caller in crowd})
        self.assertEqual(2, self.answers.count)

    def test_others_wait_where_the_value_is_too_old(self) -> None:
        # Nobody has asked for a long time, and then two do.
        self.kept.get()
        self.clock.advance(TTL + 0.01)
        self.answers.hold(1)
        crowd = [Caller(self.kept.get) for _ in range(5)]
        self.answers.wait_started(1)
        self.answers.release(1)
        self.assertEqual({1}, {caller.answer() for caller in crowd})
        self.assertEqual(2, self.answers.count)

    def test_who_wants_a_newer_value_waits_for_it(self) -> None:
        self.kept.get()
        self.clock.advance(TTL / 2)
        self.answers.hold(1)
        renewed = Caller(lambda: self.kept.renew(self.clock.now).value)
        self.answers.wait_started(1)
        self.assertTrue(renewed.is_alive())
        self.answers.release(1)
        self.assertEqual(1, renewed.answer())
        self.assertEqual(1, self.kept.get())
        self.assertEqual(2, self.answers.count)

    def test_nobody_waits_for_what_failed_before(self) -> None:
        self.kept.get()
        self.clock.advance(TTL)
        self.answers.fail(1)
        self.assertEqual(0, self.kept.get())
        self.clock.advance(TTL)
        self.answers.hold(2)
        elected = Caller(self.kept.get)
        self.answers.wait_started(2)
        self.assertEqual(0, self.kept.get())
        self.assertTrue(elected.is_alive())
        self.answers.release(2)
        self.assertEqual(2, elected.answer())

    def test_nobody_gets_a_value_past_max_age(self) -> None:
        self.kept.get()
        self.clock.advance(MAX_AGE + 0.01)
        self.answers.hold(1)
        crowd = [Caller(self.kept.get) for _ in range(5)]
        self.answers.wait_started(1)
        self.answers.release(1)
        self.assertEqual({1}, {caller.answer() for caller in crowd})


class TestFailure(KeptTestCase):

    def test_nothing_kept(self) -> None:
        self.answers.fail(0)
        self.assert_raises('fetch 0 failed')
        # Whoever asked says so, with the server.
        self.assertEqual('', self.log.output)

    def test_error_is_the_one_of_the_fetch(self) -> None:
        def fetch(deadline: Deadline) -> int:
            raise LookupError('not there')
        kept = Kept('one', fetch, lambda: self.lifetime, self.clock)
        error = self.assertRaises(LookupError, kept.get)
        self.assertEqual('not there', str(error))

    def test_old_value_serves_until_max_age(self) -> None:
        self.answers.fail(*range(1, 100))
        self.kept.get()
        self.clock.advance(TTL)
        while self.clock.now < 1000 + MAX_AGE:
            self.assertEqual(0, self.kept.get())
            self.clock.advance(2)
        self.clock.now = 1000 + MAX_AGE
        self.assertEqual(0, self.kept.get())
        self.clock.advance(0.01)
        self.assert_raises('failed')

    def test_warns_once_and_tells_of_recovery(self) -> None:
        self.answers.fail(1, 2, 4)
        self.kept.get()
        for _ in range(2):
            self.clock.advance(TTL)
            self.assertEqual(0, self.kept.get())
        self.assertEqual(1, self.said('Could not refresh the value: '
                                      'fetch 1 failed. What was read 10 '))
        self.assertEqual(0, self.said('answers again'))
        self.clock.advance(TTL)
        self.assertEqual(3, self.kept.get())
        self.assertEqual(1, self.said('answers again for the value'))
        # News again.
        self.clock.advance(TTL)
        self.assertEqual(3, self.kept.get())
        self.assertEqual(2, self.said('Could not refresh'))

    def test_success_after_success_is_no_news(self) -> None:
        self.kept.get()
        self.clock.advance(TTL)
        self.kept.get()
        self.assertEqual('', self.log.output)

    def test_hold_off_of_a_tenth_of_the_ttl(self) -> None:
        self.answers.fail(1)
        self.kept.get()
        self.clock.advance(TTL)
        self.assertEqual(0, self.kept.get())
        self.clock.advance(TTL * 0.1 - 0.01)
        self.assertEqual(0, self.kept.get())
        self.assertEqual(2, self.answers.count)
        self.clock.advance(0.02)
        self.assertEqual(2, self.kept.get())

    def test_hold_off_of_five_seconds_at_most(self) -> None:
        self.lifetime = Lifetime(3600, 7200, LONG)
        self.answers.fail(0)
        self.assert_raises('fetch 0 failed')
        self.clock.advance(4.99)
        self.assert_raises('fetch 0 failed')
        self.assertEqual(1, self.answers.count)
        self.clock.advance(0.02)
        self.assertEqual(1, self.kept.get())

    def test_failure_is_not_raised_again_while_the_next_answer_is_due(
            self) -> None:
        self.answers.fail(0)
        self.answers.hold(1)
        self.assert_raises('fetch 0 failed')
        self.clock.advance(TTL)
        with deadline.within(0):
            self.assert_raises('no answer within')
        self.answers.wait_started(1)
        self.land(1)
        self.assertEqual(1, self.kept.get())

    def test_error_that_is_raised_again_does_not_grow(self) -> None:
        self.answers.fail(0)
        lengths = [self._length(self.assert_raises('fetch 0 failed'))
                   for _ in range(20)]
        self.assertLess(lengths[-1], lengths[0] + 5)

    @staticmethod
    def _length(error: Exception) -> int:
        length, trace = 0, error.__traceback__
        while trace is not None:
            length, trace = length + 1, trace.tb_next
        return length


class TestImpatience(KeptTestCase):
    """Nobody waits while an old value serves."""

    def setUp(self) -> None:
        super().setUp()
        self.kept = Kept('the value', self.answers, lambda: self.lifetime,
                         self.clock, patient=False)

    def test_cold_caller_waits(self) -> None:
        self.assertEqual(0, self.kept.get())

    def test_old_value_serves_and_is_refreshed(self) -> None:
        self.kept.get()
        self.clock.advance(TTL)
        self.answers.hold(1)
        self.assertEqual([0, 0], [self.kept.get() for _ in range(2)])
        self.answers.wait_started(1)
        self.land(1)
        self.assertEqual(1, self.kept.get())
        self.assertEqual(2, self.answers.count)

    def test_caller_waits_past_max_age(self) -> None:
        self.kept.get()
        self.clock.advance(MAX_AGE + 0.01)
        self.assertEqual(1, self.kept.get())

    def test_failure_is_told_of(self) -> None:
        self.answers.fail(1)
        self.kept.get()
        self.clock.advance(TTL)
        self.assertEqual(0, self.kept.get())
        self.answers.wait_started(1)
        self.answers.threads[1].join(LONG)
        self.assertEqual(1, self.said('Could not refresh the value'))


class TestDrop(KeptTestCase):

    def test_next_caller_asks(self) -> None:
        self.kept.get()
        self.kept.drop()
        self.assertEqual(1, self.kept.get())

    def test_dropped_value_does_not_serve_after_a_failure(self) -> None:
        self.answers.fail(1)
        self.kept.get()
        self.kept.drop()
        self.assert_raises('fetch 1 failed')

    def test_flight_that_lands_after_a_drop_is_not_kept(self) -> None:
        self.answers.hold(0)
        early = Caller(self.kept.get)
        self.answers.wait_started(0)
        self.clock.advance(1)
        self.kept.drop()
        self.answers.release(0)
        # Who had asked before the drop may have what was true then.
        self.assertEqual(0, early.answer())
        self.assertEqual(1, self.kept.get())

    def test_caller_after_a_drop_does_not_board_the_older_flight(
            self) -> None:
        self.answers.hold(0)
        early = Caller(self.kept.get)
        self.answers.wait_started(0)
        self.clock.advance(1)
        self.kept.drop()
        self.assertEqual(1, self.kept.get())
        self.land(0)
        self.assertEqual(0, early.answer())
        # The older value does not come back over the newer one.
        self.assertEqual(1, self.kept.get())
        self.assertEqual(2, self.answers.count)
