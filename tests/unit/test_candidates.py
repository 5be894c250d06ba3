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

"""Allocation candidates: which are devices, and how hosts lose some."""

from collections.abc import Mapping
import copy
from typing import Any

import ddt
import testtools

from nova_mdev_compat.scheduler import candidates

Json = dict[str, Any]


class Host:
    """As much of Nova's HostState as is looked at."""

    def __init__(self, name: str, *found: Json) -> None:
        self.host = name
        self.allocation_candidates = list(found)


def candidate(**providers: Mapping[str, int]) -> Json:
    """An allocation request of placement's."""
    return {
        'allocations': {provider: {'resources': dict(resources)}
                        for provider, resources in providers.items()},
        'mappings': {'': sorted(providers)},
    }


def on(pgpu: str, **more: int) -> Json:
    """A candidate with a VGPU of a provider, and what every server has."""
    return candidate(root={'VCPU': 2, 'MEMORY_MB': 512},
                     **{pgpu: {'VGPU': 1, **more}})


def from_providers(*wanted: str) -> candidates.Keep:
    return candidates.where(
        lambda one: not set(wanted).isdisjoint(one['allocations']))


@ddt.ddt
class TestDeviceClasses(testtools.TestCase):

    REQUEST = candidate(
        root={'VCPU': 2}, gpu={'VGPU': 1},
        nic={'CUSTOM_PCI_8086_1563': 1, 'CUSTOM_NIC': 1})

    @ddt.data(
        (['VGPU'], {'VGPU'}),
        (['VGPU', 'VCPU'], {'VGPU', 'VCPU'}),
        (['CUSTOM_PCI_*'], {'CUSTOM_PCI_8086_1563'}),
        (['CUSTOM_*', 'VGPU'],
         {'VGPU', 'CUSTOM_NIC', 'CUSTOM_PCI_8086_1563'}),
        (['*GPU'], {'VGPU'}),
        (['VGP?'], {'VGPU'}),
        (['?VGPU'], set()),
        (['GPU'], set()),
        (['VGP'], set()),
        (['vgpu'], set()),
        (['CUSTOM_PCI_8086_????'], {'CUSTOM_PCI_8086_1563'}),
        (['CUSTOM_PCI_8086_???'], set()),
        ([], set()),
    )
    @ddt.unpack
    def test_patterns(self, patterns: list[str], classes: set[str]) -> None:
        self.assertEqual(classes, candidates.device_classes(
            [Host('one', self.REQUEST)], patterns))

    def test_first_candidate_of_any_host_decides(self) -> None:
        hosts = [Host('empty'), Host('one', on('gpu')),
                 Host('two', candidate(root={'VCPU': 1}))]
        self.assertEqual({'VGPU'}, candidates.device_classes(
            hosts, ['VGPU']))

    def test_no_later_candidate_is_looked_at(self) -> None:
        hosts = [Host('one', candidate(root={'VCPU': 1}), on('gpu')),
                 Host('two', on('gpu'))]
        self.assertEqual(frozenset(), candidates.device_classes(
            hosts, ['VGPU']))

    def test_rebuild_has_no_candidates(self) -> None:
        self.assertEqual(frozenset(), candidates.device_classes(
            [Host('one'), Host('two')], ['VGPU']))

    def test_no_hosts(self) -> None:
        self.assertEqual(frozenset(), candidates.device_classes(
            [], ['VGPU']))


class TestHoldings(testtools.TestCase):

    def test_of_a_class(self) -> None:
        self.assertEqual({'gpu': 1, 'other': 2}, candidates.holdings(
            {'root': {'VCPU': 2}, 'gpu': {'VGPU': 1, 'VCPU': 1},
             'other': {'VGPU': 2}, 'none': {'VGPU': 0}}, 'VGPU'))

    def test_of_candidate(self) -> None:
        self.assertEqual({'gpu': 1}, candidates.of_candidate(
            on('gpu'), 'VGPU'))


@ddt.ddt
class TestKept(testtools.TestCase):
    """What is kept of a host's candidates, for one kind of device."""

    BOTH = candidate(root={'VCPU': 1}, a={'VGPU': 1}, b={'VGPU': 1})
    OTHER = candidate(root={'VCPU': 1}, a={'VGPU': 1}, b={'CUSTOM_X': 1})

    @ddt.data(
        (on('a'), {'a'}, True),
        (on('a'), {'b'}, False),
        # The root holds no device, so it need not be accepted.
        (on('a'), {'a', 'root'}, True),
        # And it does not help that it is.
        (on('a'), {'root'}, False),
        (on('a'), set(), False),
        # Of the other class, which another test looks at.
        (OTHER, {'a'}, True),
        (OTHER, {'b'}, False),
    )
    @ddt.unpack
    def test_all_from(self, one: Json, accepted: set[str],
                      stays: bool) -> None:
        for amount in (1, 2):
            self.assert_kept(stays, one, candidates.all_from(
                frozenset(accepted), 'VGPU', amount))

    @ddt.data(
        (on('a'), {'a'}, False),
        (on('a'), {'b'}, True),
        (on('a'), {'root'}, True),
        (on('a'), set(), True),
        (OTHER, {'b'}, True),
        (OTHER, {'a'}, False),
    )
    @ddt.unpack
    def test_none_from(self, one: Json, refused: set[str],
                       stays: bool) -> None:
        for amount in (1, 2):
            self.assert_kept(stays, one, candidates.none_from(
                frozenset(refused), 'VGPU', amount))

    @ddt.data(({'a', 'b'}, True), ({'a'}, False), ({'b'}, False),
              (set(), False), ({'c'}, False))
    @ddt.unpack
    def test_every_device(self, accepted: set[str], stays: bool) -> None:
        self.assert_kept(stays, self.BOTH, candidates.all_from(
            frozenset(accepted), 'VGPU', 2))
        self.assert_kept(stays, self.BOTH, candidates.none_from(
            frozenset({'a', 'b'} - accepted), 'VGPU', 2))

    def test_several_tests(self) -> None:
        both = candidates.every([
            candidates.all_from(frozenset('a'), 'VGPU', 1),
            candidates.all_from(frozenset('b'), 'CUSTOM_X', 1)])
        self.assert_kept(True, self.OTHER, both)
        for first, second in (('x', 'b'), ('a', 'x')):
            self.assert_kept(False, self.OTHER, candidates.every([
                candidates.all_from(frozenset(first), 'VGPU', 1),
                candidates.all_from(frozenset(second), 'CUSTOM_X', 1)]))

    def assert_kept(self, stays: bool, one: Json,
                    keep: candidates.Keep) -> None:
        for before in ([one], [one, one]):
            self.assertEqual(before if stays else [], list(keep(before)))


def narrow(hosts: list[Any], keep: candidates.Keep,
           enforce: bool) -> candidates.Narrowing:
    found = candidates.Narrowing()
    found.take(hosts, keep, enforce)
    return found


class TestNarrow(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.good = Host('good', on('a'), on('b'))
        self.mixed = Host('mixed', on('a'), on('c'), on('b'))
        self.bad = Host('bad', on('c'), on('d'))
        self.hosts = [self.good, self.mixed, self.bad]
        self.keep = from_providers('a', 'b')

    def narrow(self, enforce: bool = True) -> candidates.Narrowing:
        return narrow(self.hosts, self.keep, enforce)

    def test_hosts_that_keep_a_candidate_stay_in_order(self) -> None:
        self.assertEqual([self.good, self.mixed], self.narrow().stay)

    def test_candidates_stay_in_order(self) -> None:
        first, _, third = self.mixed.allocation_candidates
        self.narrow()
        self.assertEqual([first, third], self.mixed.allocation_candidates)
        self.assertIs(first, self.mixed.allocation_candidates[0])

    def test_lists_are_reassigned_and_never_changed(self) -> None:
        lists = [host.allocation_candidates for host in self.hosts]
        before = copy.deepcopy(lists)
        self.narrow()
        self.assertEqual(before, lists)
        self.assertIsNot(lists[1], self.mixed.allocation_candidates)

    def test_untouched_host_keeps_its_very_list(self) -> None:
        before = self.good.allocation_candidates
        self.narrow()
        self.assertIs(before, self.good.allocation_candidates)

    def test_removals(self) -> None:
        mixed, bad = self.mixed, self.bad
        dropped = [[mixed.allocation_candidates[1]],
                   list(bad.allocation_candidates)]
        found = self.narrow()
        for removals, host, expected, before, left in (
                (found.fewer, mixed, dropped[0], 3, 2),
                (found.gone, bad, dropped[1], 2, 0)):
            self.assertEqual(1, len(removals))
            (removal,) = removals
            self.assertIs(host, removal.host)
            self.assertEqual(expected, removal.dropped)
            self.assertEqual((before, left),
                             (len(removal.before), len(removal.left)))
        self.assertEqual([], found.bare)
        self.assertTrue(found)

    def test_dropped_among_equal_candidates(self) -> None:
        same = Host('same', on('a'), on('a'), on('a'))
        answers = iter([True, False, True])
        (removal,) = narrow(
            [same], candidates.where(lambda _: next(answers)), True).fewer
        self.assertEqual(1, len(removal.dropped))
        self.assertIs(removal.before[1], removal.dropped[0])

    def test_restored_hosts_have_their_very_lists(self) -> None:
        lists = [host.allocation_candidates for host in self.hosts]
        self.narrow().restore()
        for host, found in zip(self.hosts, lists):
            self.assertIs(found, host.allocation_candidates)

    def test_restored_after_a_test_has_raised(self) -> None:
        lists = [host.allocation_candidates for host in self.hosts]

        def passes(one: candidates.Candidate) -> bool:
            if 'd' in one['allocations']:
                raise ValueError('d')
            return 'a' in one['allocations']
        found = candidates.Narrowing()
        self.assertRaises(ValueError, found.take, self.hosts,
                          candidates.where(passes), True)
        self.assertIsNot(lists[1], self.mixed.allocation_candidates)
        found.restore()
        for host, before in zip(self.hosts, lists):
            self.assertIs(before, host.allocation_candidates)

    def test_without_enforcing_nothing_is_changed(self) -> None:
        lists = [host.allocation_candidates for host in self.hosts]
        before = copy.deepcopy(lists)
        narrowing = self.narrow(enforce=False)
        self.assertEqual(self.hosts, narrowing.stay)
        for host, found in zip(self.hosts, lists):
            self.assertIs(found, host.allocation_candidates)
        self.assertEqual(before, lists)
        # But it is told what would have gone.
        self.assertEqual(
            [[1], [2]], [[len(one.dropped) for one in removals]
                         for removals in (narrowing.fewer, narrowing.gone)])

    def test_host_without_candidates_goes(self) -> None:
        empty = Host('empty')
        found = narrow([empty, self.good], self.keep, True)
        self.assertEqual([self.good], found.stay)
        self.assertEqual([empty], found.bare)
        self.assertEqual(([], []), (list(found.gone), list(found.fewer)))
        self.assertTrue(found)

    def test_host_without_candidates_stays_when_nothing_is_enforced(
            self) -> None:
        empty = Host('empty')
        found = narrow([empty, self.good], self.keep, False)
        self.assertEqual([empty, self.good], found.stay)
        self.assertEqual([empty], found.bare)

    def test_each_candidate_is_asked_about_once(self) -> None:
        seen: list[int] = []

        def passes(one: candidates.Candidate) -> bool:
            seen.append(id(one))
            return True
        found = narrow(
            self.hosts, candidates.where(passes), True)
        self.assertEqual(self.hosts, found.stay)
        self.assertFalse(found)
        self.assertEqual(7, len(seen))
        self.assertEqual(7, len(set(seen)))
