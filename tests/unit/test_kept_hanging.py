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

"""Fetches that hang: whoever waits, waits on a clock."""

import time

from nova_mdev_compat.placement.kept import Kept
from nova_mdev_compat.placement.kept import Lifetime
from tests.unit.kept_cases import Caller
from tests.unit.kept_cases import KeptTestCase
from tests.unit.kept_cases import LONG
from tests.unit.kept_cases import MAX_AGE
from tests.unit.kept_cases import TTL

#: A caller has to wait this long in fact.
SHORT = 0.05
NO_ANSWER = f'the value: no answer within {SHORT:g} seconds'
#: Further than any hold-off, and short of a ttl.
PAUSE = 2.0
#: Fetches that may hang at a time.
HANGING = 3


class TestHanging(KeptTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.lifetime = Lifetime(TTL, MAX_AGE, SHORT)

    def hang(self, count: int) -> None:
        """So many fetches that hang, one after another."""
        for _ in range(count):
            self.assert_raises(NO_ANSWER)
            self.clock.advance(PAUSE)

    def test_caller_returns_within_the_timeout(self) -> None:
        self.answers.hold(0)
        began = time.monotonic()
        self.assert_raises(NO_ANSWER)
        self.assertLess(time.monotonic() - began, LONG / 2)
        self.assertGreaterEqual(time.monotonic() - began, SHORT)

    def test_all_waiting_callers_return(self) -> None:
        self.answers.hold(0)
        crowd = [Caller(self.kept.get) for _ in range(20)]
        self.assertEqual({NO_ANSWER},
                         {str(caller.answer()) for caller in crowd})
        self.assertEqual(1, self.answers.count)

    def test_old_value_serves(self) -> None:
        self.kept.get()
        self.clock.advance(TTL)
        self.answers.hold(1)
        self.assertEqual(0, self.kept.get())
        self.assertEqual(1, self.said(NO_ANSWER))
        self.assertEqual(0, self.kept.get())
        self.assertEqual(2, self.answers.count)

    def test_answer_that_comes_late_is_used(self) -> None:
        self.answers.hold(0)
        self.assert_raises(NO_ANSWER)
        self.land(0)
        self.assertEqual(0, self.kept.get())
        # But it is as old as its question.
        self.clock.advance(TTL)
        self.assertEqual(1, self.kept.get())

    def test_late_answer_tells_of_recovery_once(self) -> None:
        self.answers.hold(0)
        self.assert_raises(NO_ANSWER)
        self.land(0)
        self.kept.get()
        self.assertEqual(1, self.said('answers again'))

    def test_late_answer_does_not_displace_a_newer_one(self) -> None:
        self.answers.hold(0)
        self.hang(1)
        self.assertEqual(1, self.kept.get())
        self.land(0)
        self.assertEqual(1, self.kept.get())
        self.assertEqual(2, self.answers.count)

    def test_late_failure_says_nothing_of_a_newer_answer(self) -> None:
        self.answers.hold(0)
        self.answers.fail(0)
        self.hang(1)
        self.assertEqual(1, self.kept.get())
        self.land(0)
        self.assertEqual(0, self.said('Could not refresh'))
        # Nor does it keep anybody from asking.
        self.clock.advance(TTL)
        self.answers.threads[0].join(LONG)
        self.assertEqual(2, self.kept.get())

    def test_late_failure_does_not_hold_off_the_next_question(self) -> None:
        self.answers.hold(0)
        self.answers.fail(0)
        self.hang(1)
        self.land(0)
        self.assertEqual(1, self.kept.get())

    def test_old_value_serves_impatient_callers(self) -> None:
        self.kept = Kept('the value', self.answers, lambda: self.lifetime,
                         self.clock, patient=False)
        self.kept.get()
        self.clock.advance(TTL)
        self.answers.hold(1)
        self.assertEqual(0, self.kept.get())
        self.clock.advance(SHORT)
        self.assertEqual(0, self.kept.get())
        # That nobody waits for it is no reason to say nothing.
        self.assertEqual(1, self.said(NO_ANSWER))

    def test_no_new_fetch_while_too_many_hang(self) -> None:
        self.answers.hold(*range(HANGING))
        self.hang(HANGING)
        began = time.monotonic()
        self.assert_raises(f'{HANGING} earlier requests still hang')
        self.assertLess(time.monotonic() - began, LONG / 2)
        self.assertEqual(HANGING, self.answers.count)

    def test_old_value_serves_while_too_many_hang(self) -> None:
        self.kept.get()
        self.clock.advance(TTL)
        self.answers.hold(*range(1, 1 + HANGING))
        for _ in range(HANGING + 2):
            self.assertEqual(0, self.kept.get())
            self.clock.advance(PAUSE)
        self.assertEqual(1 + HANGING, self.answers.count)

    def test_hanging_fetches_are_counted_once_each(self) -> None:
        self.answers.hold(*range(HANGING))
        self.hang(HANGING)
        for _ in range(10):
            self.assert_raises(f'{HANGING} earlier requests still hang')

    def test_new_fetch_when_one_hangs_no_longer(self) -> None:
        self.answers.hold(*range(HANGING))
        self.answers.fail(*range(HANGING))
        self.hang(HANGING)
        for _ in range(10):
            self.assert_raises('still hang')
        self.land(0)
        self.clock.advance(PAUSE)
        self.assertEqual(HANGING, self.kept.get())

    def test_fetches_of_other_values_do_not_count(self) -> None:
        self.answers.hold(*range(HANGING))
        self.hang(HANGING)
        other = Kept('another', self.answers, lambda: self.lifetime,
                     self.clock)
        self.assertEqual(HANGING, other.get())
