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

"""The algebra of spans, against trying every value of a small world."""

from collections.abc import Iterator
import itertools
from typing import Any

import ddt
import testtools

from nova_mdev_compat.compat import regions
from nova_mdev_compat.compat.regions import Sets
from nova_mdev_compat.compat.regions import Span
from nova_mdev_compat.compat.regions import Texts
from nova_mdev_compat.compat.versions import Version

INT64_MIN, INT64_MAX = -2 ** 63, 2 ** 63 - 1
LETTERS = 'abc'


def subsets(letters: str) -> list[frozenset[str]]:
    return [frozenset(chosen) for size in range(len(letters) + 1)
            for chosen in itertools.combinations(letters, size)]


def texts() -> list[Texts]:
    return [Texts(listed, others) for listed in subsets(LETTERS)
            for others in (False, True)]


def in_texts(text: str, found: Texts) -> bool:
    return (text in found.listed) != found.others


class TestTexts(testtools.TestCase):

    WORLD = (*LETTERS, 'z')

    def test_pairs(self) -> None:
        for one, other in itertools.product(texts(), repeat=2):
            meet, join = one.meet(other), one.join(other)
            for text in self.WORLD:
                mine, its = in_texts(text, one), in_texts(text, other)
                self.assertIs(mine and its, in_texts(text, meet))
                self.assertIs(mine or its, in_texts(text, join))

    def test_each(self) -> None:
        for one in texts():
            self.assertIs(
                any(in_texts(text, one) for text in self.WORLD), bool(one))
            for text in self.WORLD:
                self.assertIs(not in_texts(text, one),
                              in_texts(text, one.complement()))
            if one:
                self.assertTrue(in_texts(one.example(), one))

    def test_example(self) -> None:
        self.assertEqual('a', Texts(frozenset('ba')).example())
        self.assertEqual('other-0', Texts(others=True).example())
        self.assertEqual('other-2', Texts(
            frozenset(['other-0', 'other-1']), True).example())
        self.assertFalse(Texts())


def ranges() -> list[tuple[tuple[int, int], ...]]:
    """Of the numbers to 3, touching or joined."""
    found = {tuple((number, number + 1) for number in chosen)
             for size in range(5)
             for chosen in itertools.combinations(range(4), size)}
    found |= {regions._join(each, ()) for each in found}
    return sorted(found)


def in_ranges(number: int, found: Any) -> bool:
    return any(low <= number < high for low, high in found)


class TestRanges(testtools.TestCase):

    def test_pairs(self) -> None:
        for one, other in itertools.product(ranges(), repeat=2):
            meet = regions._meet(one, other)
            minus = regions._minus(one, other)
            join = regions._join(one, other)
            for number in range(-1, 5):
                mine, its = in_ranges(number, one), in_ranges(number, other)
                self.assertIs(mine and its, in_ranges(number, meet))
                self.assertIs(mine and not its, in_ranges(number, minus))
                self.assertIs(mine or its, in_ranges(number, join))
            # None is empty, so that a span without values is false.
            for low, high in (*meet, *minus, *join):
                self.assertLess(low, high)

    def test_join_is_as_short_as_can_be(self) -> None:
        for one, other, wanted in (
                (((1, 2),), ((2, 3),), ((1, 3),)),
                (((1, 2),), ((3, 4),), ((1, 2), (3, 4))),
                (((1, 9),), ((3, 4),), ((1, 9),)),
                (((3, 4),), ((1, 9),), ((1, 9),)),
                (((1, 2), (4, 5)), ((5, 6),), ((1, 2), (4, 6))),
                (((1, 2), (4, 9)), ((5, 6),), ((1, 2), (4, 9))),
                (((1, 2), (2, 3)), ((3, 4), (5, 6)), ((1, 4), (5, 6)))):
            self.assertEqual(wanted, regions._join(one, other))


def sets() -> Iterator[Sets]:
    some = [each for each in subsets(LETTERS) if each]
    for top in (None, *subsets(LETTERS)):
        yield Sets(top)
        for refused in some:
            yield Sets(top, frozenset([refused]))
        yield Sets(top, frozenset(some[:2]))


def in_sets(value: frozenset[str], found: Sets) -> bool:
    return (found.top is None or value <= found.top) and not any(
        value <= refused for refused in found.nots)


class TestSets(testtools.TestCase):

    WORLD = [each for each in subsets(LETTERS + 'z') if each]

    def test_each(self) -> None:
        for one in sets():
            self.assertIs(any(in_sets(value, one) for value in self.WORLD),
                          bool(one))
            if one:
                self.assertTrue(in_sets(one.example(), one))
                self.assertTrue(one.example())

    def test_pairs(self) -> None:
        for one, other in itertools.product(sets(), repeat=2):
            meet = one.meet(other)
            minus = regions._sets_minus((one,), (other,))
            for value in self.WORLD:
                mine, its = in_sets(value, one), in_sets(value, other)
                if (mine and its) != in_sets(value, meet):
                    self.fail((one, other, value))
                if (mine and not its) != any(
                        in_sets(value, part) for part in minus):
                    self.fail((one, other, value))
            self.assertTrue(all(minus))

    def test_several(self) -> None:
        some = tuple(Sets(frozenset(top)) for top in ('ab', 'bc'))
        minus = regions._sets_minus(some, (
            Sets(frozenset('a')), Sets(frozenset('bc'))))
        self.assertEqual([frozenset('ab')], [
            value for value in self.WORLD
            if any(in_sets(value, part) for part in minus)])

    def test_nothing_by_default(self) -> None:
        self.assertFalse(Sets())


ONE = Span(True, frozenset([True]), ((1, 4),), Texts(frozenset('ab')),
           (Sets(frozenset('ab')),), (((1, 0), (1, 4)),))
OTHER = Span(False, frozenset([True, False]), ((3, 9),),
             Texts(frozenset('b'), True), (Sets(frozenset('bc')),),
             (((1, 2), (2, 0)),))


@ddt.ddt
class TestSpans(testtools.TestCase):

    def test_meet(self) -> None:
        self.assertEqual(
            Span(False, frozenset([True]), ((3, 4),), Texts(frozenset('a')),
                 (Sets(frozenset('b')),), (((1, 2), (1, 4)),)),
            ONE.meet(OTHER))
        self.assertTrue(ONE.meet(ONE).absent)
        self.assertFalse(ONE.meet(Span()))
        self.assertEqual((), ONE.meet(Span(sets=(Sets(frozenset('z')),))).sets)

    def test_join(self) -> None:
        self.assertEqual(
            Span(True, frozenset([True, False]), ((1, 9),),
                 Texts(others=True),
                 (Sets(frozenset('ab')), Sets(frozenset('bc'))),
                 (((1, 0), (2, 0)),)), ONE.join(OTHER))
        self.assertTrue(OTHER.join(ONE).absent)
        self.assertFalse(OTHER.join(OTHER).absent)
        self.assertEqual(ONE, ONE.join(ONE))

    def test_minus(self) -> None:
        self.assertEqual(
            Span(True, frozenset(), ((1, 3),), Texts(frozenset('b')),
                 (Sets(frozenset('ab'), frozenset([frozenset('bc')])),),
                 (((1, 0), (1, 2)),)), ONE.minus(OTHER))
        self.assertFalse(ONE.minus(ONE))
        self.assertFalse(OTHER.minus(ONE).absent)
        self.assertEqual(frozenset([False]), OTHER.minus(ONE).booleans)

    @ddt.data(Span(True), Span(booleans=frozenset([False])),
              Span(integers=((0, 1),)), Span(texts=Texts(others=True)),
              Span(sets=(Sets(None),)), Span(releases=regions.RELEASES))
    def test_true(self, span: Span) -> None:
        self.assertTrue(span)
        self.assertFalse(Span())

    @ddt.data(
        (Span(True), None),
        (Span(True, texts=Texts(frozenset('b'))), 'b'),
        (Span(True, integers=((3, 9),)), 3),
        (Span(integers=((0, 9),)), 0),
        (Span(integers=((-1, 1),)), 0),
        (Span(integers=((-5, 0), (3, 4))), -5),
        (Span(integers=((1, 2), (5, 9))), 1),
        (Span(integers=regions.INTEGERS), 0),
        (Span(releases=(((2, 1), (2, 4)), ((3, 5), (4, 0)))),
         Version('2.1')),
        (Span(releases=regions.RELEASES), Version('0.0')),
        (Span(booleans=frozenset([False, True])), True),
        (Span(booleans=frozenset([False])), False),
        (Span(sets=(Sets(frozenset('ab')), Sets(frozenset('c')))),
         frozenset('ab')),
        (Span(sets=(Sets(None, frozenset([frozenset(['other-0'])])),)),
         frozenset(['other-1'])),
    )
    @ddt.unpack
    def test_example(self, span: Span, wanted: Any) -> None:
        found = span.example()
        self.assertEqual(wanted, found)
        self.assertIs(type(wanted), type(found))

    def test_of_values(self) -> None:
        self.assertEqual(
            Span(booleans=frozenset([True]), integers=((1, 2), (7, 8)),
                 texts=Texts(frozenset(['1']))),
            regions.of_values([7, True, '1', 1, 7]))
        self.assertEqual(Span(), regions.of_values([]))

    def test_within(self) -> None:
        self.assertEqual(Span(absent=True, sets=(Sets(frozenset('ab')),)),
                         regions.within(frozenset('ab')))
        self.assertEqual(regions.ABSENT, regions.within(frozenset()))

    def test_worlds(self) -> None:
        self.assertEqual(((INT64_MIN, INT64_MAX + 1),), regions.INTEGERS)
        self.assertEqual([int, int], [*map(type, regions.INTEGERS[0])])
        # The largest release that a string can hold is in it.
        major = int('9' * 253)
        (first, last), = regions.RELEASES
        self.assertEqual((0, 0), first)
        self.assertLess((major, 9), last)
        self.assertEqual(last, regions.LAST_RELEASE)
        for span, absent, booleans, integers, others, any_set, releases in (
                (regions.VERSIONS, True, 0, 0, False, 0, 1),
                (regions.STRINGS, True, 0, 0, True, 0, 0),
                (regions.SCALARS, True, 2, 1, True, 0, 0),
                (regions.ANYTHING, True, 2, 1, True, 1, 0),
                (regions.EVERYTHING, True, 2, 1, True, 1, 1),
                (regions.ABSENT, True, 0, 0, False, 0, 0)):
            self.assertEqual(
                (absent, booleans, integers, others, any_set, releases),
                (span.absent, len(span.booleans), len(span.integers),
                 span.texts.others, len(span.sets), len(span.releases)))
