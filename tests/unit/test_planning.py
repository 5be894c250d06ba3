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

"""Plans of rolling upgrades: known cases, and against brute force."""

import dataclasses
import random

import ddt
import fixtures
import testtools

from nova_mdev_compat.fleet.planning import advice
from nova_mdev_compat.fleet.planning import exact
from nova_mdev_compat.fleet.planning import heuristic
from nova_mdev_compat.fleet.planning.heuristic import Attempt
from nova_mdev_compat.fleet.planning import network
from nova_mdev_compat.fleet.planning import planner
from nova_mdev_compat.fleet.planning.problem import Load
from nova_mdev_compat.fleet.planning.problem import Move
from nova_mdev_compat.fleet.planning.problem import Plan
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning.problem import Upgrade
from nova_mdev_compat.fleet.planning import replay
from tests.benchmark import planning
from tests.unit import upgrades
from tests.unit.upgrades import NEW
from tests.unit.upgrades import OLD
from tests.unit.upgrades import OTHER
from tests.unit.upgrades import site

#: The usual driver: it loads its own state and an older one's.
FORWARD = {(OLD, OLD), (OLD, NEW), (NEW, NEW)}
STRICT = {(OLD, OLD), (NEW, NEW)}


def hosts(*held: int, capacity: int = 2) -> tuple[list, dict]:
    """Hosts with one site each, and how many devices are on it."""
    sites = [site(f's{number}', f'h{number}', capacity)
             for number in range(len(held))]
    return sites, {f's{number}': count for number, count in enumerate(held)}


def build(pairs: upgrades.Pairs, *held: int, capacity: int = 2) -> Problem:
    return upgrades.problem(*hosts(*held, capacity=capacity), pairs)


#: Name, problem, and how many hosts can be upgraded.
CASES = (
    ('no devices', build(FORWARD, 0, 0), 2),
    ('an empty host is enough', build(FORWARD, 2, 2, 2, 0), 4),
    ('free devices here and there', build(FORWARD, 1, 1), 2),
    ('no room at all', build(FORWARD, 2, 2, 2), 0),
    ('too little room', build(FORWARD, 2, 2, 1), 0),
    ('new does not load old', build(STRICT, 1, 1, 0), 2),
    ('nobody accepts anything', build(set(), 1, 0), 1),
    # The only room is for another class.
    ('another class', upgrades.problem(
        [site('s0', 'h0'), site('s1', 'h1', resource_class='PGPU')],
        {'s0': 1}, FORWARD), 1),
    # The host that stays takes what moves.
    ('a host that is not upgraded', upgrades.problem(
        [site('s0', 'h0', 2), site('s1', 'h1', 2, OLD, OLD)], {'s0': 2},
        FORWARD), 1),
    # One of another host's goes on first: only it is accepted there.
    ('over a full host', upgrades.problem(
        [site('s0', 'h0', 1), site('s1', 'h1', 1, OTHER, OTHER),
         site('s2', 'h2', 1, 'last', 'last')], {'s0': 1, 's1': 1},
        {(OLD, OTHER), (OTHER, 'last')}), 1),
    ('nothing is known of its devices', upgrades.problem(
        [site('s0', 'h0', 1), site('s1', 'h0', 1, None, None),
         site('s2', 'h1', 4)], {'s0': 0, 's1': 1}, FORWARD), 1),
    # To the host that takes both, and not to the two that take one each.
    ('two devices together', upgrades.problem(
        [site('s0', 'h0', 2), site('s1', 'h1', 1, OLD, OLD),
         site('s2', 'h2', 1, OLD, OLD), site('s3', 'h3', 2, OLD, OLD)], {},
        FORWARD, others=(Load('pair', (('s0', 2),)),)), 1),
    # What is too much goes, and nothing comes in its place.
    ('more devices than there can be', upgrades.problem(
        [site('s0', 'h0', 0), site('s1', 'h1', 1, OLD, OLD)], {'s0': 1},
        FORWARD), 1),
    ('more devices than there can be, and no room', upgrades.problem(
        [site('s0', 'h0', 0), site('s1', 'h1', 1, OLD, OLD)], {'s0': 2},
        FORWARD), 0),
    ('two devices apart', upgrades.problem(
        [site('s0', 'h0', 2), site('s1', 'h1', 1, OLD, OLD),
         site('s2', 'h2', 1, OLD, OLD)], {}, FORWARD,
        others=(Load('pair', (('s0', 2),)),)), 0),
)


@ddt.ddt
class TestPlan(testtools.TestCase):

    @ddt.data(*CASES)
    @ddt.unpack
    def test_known(self, name: str, problem: Problem, most: int) -> None:
        found = planner.plan(problem)
        replay.check(problem, found)
        self.assertEqual(most, len(found.order))
        self.assertEqual(sorted(problem.hosts - {*found.order}),
                         list(found.left))

    def test_heuristic_alone(self) -> None:
        """It finds these by itself, the way over a full host too."""
        for name, problem, most in CASES:
            attempt = Attempt(problem, heuristic.PREFERENCES[0])
            attempt.run(lambda host: None)
            self.assertEqual(most, len(problem.hosts - attempt.state.pending),
                             name)

    def test_order_looks_ahead(self) -> None:
        """Only one order works: h1 has to make room for h0's devices."""
        problem = upgrades.problem(
            [site('s0', 'h0', 1, 'x', 'z'), site('s1', 'h1', 1, 'y', 'w'),
             site('s2', 'h2', 1, OLD, OLD)], {'s0': 1, 's1': 1},
            {('y', OLD), ('x', 'w')})
        found = planner.plan(problem)
        self.assertEqual(['h1', 'h0'], found.order)

    def test_who_is_stranded(self) -> None:
        found = planner.plan(build(FORWARD, 2, 2, 1))
        self.assertTrue(found.exact)
        self.assertEqual(('h0', 'h1', 'h2'), found.left)
        self.assertEqual({'h0': 1, 'h1': 1}, {
            host: len([one for one, _ in found.stranded if one == host])
            for host in ('h0', 'h1')})

    def test_against_brute_force(self) -> None:
        heuristic_alone = 0
        for seed in range(250):
            problem = upgrades.random_problem(random.Random(seed))
            most = upgrades.BruteForce(problem).most()
            found = planner.plan(problem)
            self.assertTrue(found.exact or not found.left)
            self.assertEqual(most, len(found.order), seed)
            attempt = Attempt(problem, heuristic.PREFERENCES[0])
            attempt.run(lambda host: None)
            heuristic_alone += len(found.order) == len(
                problem.hosts - attempt.state.pending)
        self.assertGreater(heuristic_alone, 200)

    def test_several_devices_against_brute_force(self) -> None:
        """Not exact, but never more than can be, and rarely less."""
        less = 0
        for seed in range(100):
            problem = upgrades.random_problem(random.Random(seed), False)
            most = upgrades.BruteForce(problem).most()
            found = planner.plan(problem)
            self.assertLessEqual(len(found.order), most)
            less += len(found.order) < most
        self.assertLess(less, 5)

    def test_over_full_against_brute_force(self) -> None:
        """nova-compute sets an inventory to 0 while servers have devices."""
        less = 0
        for seed in range(100):
            problem = upgrades.over_full(random.Random(seed))
            most = upgrades.BruteForce(problem).most()
            found = planner.plan(problem)
            self.assertLessEqual(len(found.order), most)
            self.assertTrue(not found.exact or len(found.order) == most)
            advice.advise(problem, found)
            less += len(found.order) < most
        self.assertLess(less, 5)

    def test_large(self) -> None:
        """Hosts of three kinds, nearly full; nothing goes back to old."""
        sites, held = [], {}
        for number in range(150):
            kind = number % 3
            uuid = f's{number}'
            sites.append(site(uuid, f'h{number}', 16, f'{OLD}{kind}',
                              f'{NEW}{kind}'))
            held[uuid] = 0 if number < 3 else 16
        problem = upgrades.problem(sites, held, {
            (f'{one}{kind}', f'{other}{kind}') for kind in range(3)
            for one, other in FORWARD})
        found = planner.plan(problem)
        self.assertEqual(150, len(found.order))
        self.assertFalse(exact.Search(problem).is_small())


class TestEffort(testtools.TestCase):
    """A host that could not be emptied is not tried again for nothing."""

    def test_many_kinds(self) -> None:
        """Hosts of 20 kinds that differ in what they hold."""
        flows = []
        largest = network.largest

        def counted(*arguments):
            flows.append(arguments)
            return largest(*arguments)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.fleet.planning.network.largest', counted))
        problem = planning.CASES['20 kinds, free devices here and there'](120)
        found = planner.plan(problem)
        self.assertGreater(len(found.order), 60)
        # Each host once or twice, and not once for every other host.
        self.assertLess(len(flows), 4 * 120)

    def test_a_host_that_cannot_be_emptied_stays_as_it_was(self) -> None:
        """The pair could move, the single device could not: neither does."""
        problem = upgrades.problem(
            [site('s0', 'h0', 2), site('s1', 'h0', 1, OTHER, 'z'),
             site('s2', 'h1', 2, OLD, OLD)], {'s1': 1}, FORWARD,
            others=(Load('pair', (('s0', 2),)),))
        found = planner.plan(problem)
        self.assertEqual(((), ('h0',), (('h0', 's1-0'),)), (
            found.steps, found.left, found.stranded))


@ddt.ddt
class TestReplay(testtools.TestCase):
    """A checker that lets a wrong plan through would be worth nothing."""

    PROBLEM = build(FORWARD, 1, 2, 0)
    MOVE = Move('s0-0', 'h0', 'h2', (('s0', 's2', 1),))

    @ddt.data(
        ('over-full', dataclasses.replace(
            MOVE, destination='h1', parts=(('s0', 's1', 1),))),
        ('holds something else', dataclasses.replace(
            MOVE, parts=(('s0', 's2', 2),))),
        ('holds something else', dataclasses.replace(MOVE, consumer='s1-0')),
        ('on another host', dataclasses.replace(MOVE, destination='h1')),
        ('stays on its host', Move('s0-0', 'h0', 'h0', (('s0', 's0', 1),))),
        ('is not empty', Upgrade('h0')),
        ('is not to be upgraded', Upgrade('h9')))
    @ddt.unpack
    def test_wrong_step(self, why: str, step: Move | Upgrade) -> None:
        plan = Plan((step,), left=('h0', 'h1', 'h2'))
        error = self.assertRaises(replay.InvalidPlan, replay.check,
                                  self.PROBLEM, plan)
        self.assertIn(why, str(error))

    def test_not_accepted_after_the_upgrade(self) -> None:
        """The document counts that is there at the time of the move."""
        back = Move('s0-0', 'h2', 'h0', (('s2', 's0', 1),))
        away = Upgrade('h0')
        steps = (Upgrade('h2'), self.MOVE, away, back)
        replay.check(self.PROBLEM, Plan(steps, left=('h1',)))
        error = self.assertRaises(
            replay.InvalidPlan, replay.check, self.PROBLEM,
            Plan((Upgrade('h2'), self.MOVE, back), left=('h0', 'h1')))
        self.assertEqual(2, error.number)
        self.assertIn('does not accept', str(error))

    def test_forgotten_host(self) -> None:
        self.assertRaises(replay.InvalidPlan, replay.check, self.PROBLEM,
                          Plan(()))


class TestAdvice(testtools.TestCase):

    def test_nothing_to_say(self) -> None:
        problem = build(FORWARD, 1, 1)
        self.assertEqual([], advice.advise(problem, planner.plan(problem)))

    def test_no_room(self) -> None:
        problem = build(FORWARD, 2, 2, 1)
        found = advice.advise(problem, planner.plan(problem))
        self.assertEqual(advice.KeepBack(('h0', 'h1', 'h2')), found[0])
        self.assertEqual(OLD, found[1].source)

    def test_an_entry_to_add(self) -> None:
        problem = upgrades.problem(
            [site('s0', 'h0', 1), site('s1', 'h1', 1, OTHER, OTHER)],
            {'s0': 1}, FORWARD)
        found = advice.advise(problem, planner.plan(problem))
        self.assertEqual(advice.AddEntry(OLD, OTHER), found[0])
        impossible = dataclasses.replace(
            problem, could_accept=lambda source, destination: False)
        found = advice.advise(impossible, planner.plan(impossible))
        self.assertEqual([advice.KeepBack(('h0',))], found)

    def test_a_host_to_keep_back(self) -> None:
        """Two full hosts need each other's room; either one can stay."""
        problem = upgrades.problem(
            [site('s0', 'h0', 1, 'x', 'z'), site('s1', 'h1', 1, 'y', 'w'),
             site('s2', 'h2', 1, OLD, OLD)], {'s0': 1, 's1': 1},
            {('y', OLD), ('x', OLD)})
        plan = planner.plan(problem)
        self.assertEqual(1, len(plan.order))
        self.assertIn(advice.KeepBack(plan.left),
                      advice.advise(problem, plan))
