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

"""What one document accepts and another does not, against the matcher."""

from collections.abc import Iterator
import copy
import dataclasses
import itertools
import json
from typing import Any

import hypothesis
import hypothesis.strategies as st
import testtools

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat import boxes
from nova_mdev_compat.compat.device import alike
from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import Value
from nova_mdev_compat.compat import difference
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.document import Level
from nova_mdev_compat.compat.document import LEVELS
from nova_mdev_compat.compat.matching import Matcher
from nova_mdev_compat.compat import regions
from nova_mdev_compat.compat.regions import Span
from nova_mdev_compat.compat.versions import Version
from tests.unit import sources
from tests.unit import strategies

Json = dict[str, Any]

SETTINGS = hypothesis.settings(
    max_examples=150, deadline=None, database=None, derandomize=True,
    # Making these large examples small takes minutes.
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Json, Json, list[Json]]:
    """Two documents of one device, and sources that may tell them apart."""
    one = draw(strategies.documents())
    other = copy.deepcopy(one)
    kept = draw(st.lists(st.sampled_from(one['compatible']), max_size=3)) \
        if one['compatible'] else []
    added = draw(st.lists(strategies.entries(one['self']), max_size=2))
    other['compatible'] = copy.deepcopy([*kept, *added])
    for entry in other['compatible']:
        if draw(st.booleans()):
            entry.pop('create', None)
    asked = [draw(sources.sources(document)) for document in (one, other)
             for _ in range(3)]
    return one, other, asked


def load(value: Json) -> Document:
    return loading.load(json.dumps(value, ensure_ascii=False))


def accepts(document: Document, device: Device, level: Any) -> bool:
    return Matcher(document).match(device, level).accepted


def holds(span: regions.Span, value: Value | None) -> bool:
    """Whether a span holds a value; written without its algebra."""
    if value is None:
        return span.absent
    if isinstance(value, bool):
        return value in span.booleans
    if isinstance(value, int):
        return any(low <= value < high for low, high in span.integers)
    if isinstance(value, Version):
        return any(low <= value.release < high
                   for low, high in span.releases)
    if isinstance(value, str):
        return (value in span.texts.listed) != span.texts.others
    return any((sets.top is None or value <= sets.top)
               and not any(value <= refused for refused in sets.nots)
               for sets in span.sets)


def within(found: difference.Difference, device: Device) -> bool:
    return found.device_api == device.device_api and all(
        holds(found.box.get(field, regions.ABSENT),
              device.fields.get(field))
        for field in found.box.keys() | device.fields.keys())


class TestAgainstTheMatcher(testtools.TestCase):

    def test_every_difference_has_an_example(self) -> None:
        seen = []

        @SETTINGS
        @hypothesis.given(pairs())
        def check(drawn: tuple[Json, Json, list[Json]]) -> None:
            for one, other, level in questions(*drawn[:2]):
                for found in difference.differences(one, other, level):
                    if found.is_symbolic:
                        continue
                    example = found.example()
                    self.assertTrue(within(found, example))
                    self.assertTrue(accepts(one, example, level), found)
                    self.assertFalse(accepts(other, example, level), found)
                    seen.append(found)

        check()
        self.assertGreater(len(seen), 100)

    def test_no_difference_is_left_out(self) -> None:
        seen = []

        @SETTINGS
        @hypothesis.given(pairs())
        def check(drawn: tuple[Json, Json, list[Json]]) -> None:
            devices = list(map(device_of, drawn[2]))
            for one, other, level in questions(*drawn[:2]):
                found = difference.differences(one, other, level)
                if any(each.is_symbolic for each in found):
                    continue
                for device in devices:
                    told = accepts(one, device, level) \
                        and not accepts(other, device, level)
                    self.assertEqual(
                        told, any(within(each, device) for each in found))
                    seen.append(told)

        check()
        self.assertGreater(seen.count(True), 15)
        self.assertGreater(seen.count(False), 15)

    def test_what_is_made_differently(self) -> None:
        seen = []

        @SETTINGS
        @hypothesis.given(pairs())
        def check(drawn: tuple[Json, Json, list[Json]]) -> None:
            devices = list(map(device_of, drawn[2]))
            for one, other, level in questions(*drawn[:2]):
                if has_symbols(one, level) or has_symbols(other, level):
                    continue
                found = difference.made_differently(one, other, level)
                for device in devices:
                    asked = [asks(document, device, level)
                             for document in (one, other)]
                    told = None not in asked and asked[0] != asked[1]
                    self.assertEqual(
                        told, any(within(each, device) for each in found))
                    seen.append(told)

        check()
        self.assertGreater(seen.count(True), 15)
        self.assertGreater(seen.count(False), 15)


def has_symbols(document: Document, level: Level) -> bool:
    return any(boxes.has_symbol(box) for box, _ in boxes.boxes(
        document, level))


def questions(one: Json, other: Json
              ) -> Iterator[tuple[Document, Document, Level]]:
    """The documents, both ways, with every level."""
    documents = load(one), load(other)
    for level in LEVELS:
        yield *documents, level
        yield *documents[::-1], level


def device_of(source: Json) -> Device:
    return load({'format': 1, 'self': source, 'compatible': []}).device


def asks(document: Document, device: Device, level: Level) -> str | None:
    """What is made for a device beside what `self` is; None: not accepted."""
    found = Matcher(document).match(device, level)
    if not found.accepted:
        return None
    created, own = found.as_json()['create'], json.loads(
        document.canonical)['self']
    asked = {'mdev_type': created.get('mdev_type', own.get('mdev_type'))}
    for name, value in created.get('attributes', {}).items():
        is_set = isinstance(value, list)
        value = sorted(value) or None if is_set else value
        its = own.get('attributes', {}).get(name)
        its = sorted(its) or None if isinstance(its, list) else its
        if json.dumps(value) != json.dumps(its):
            asked[f'attribute {name}'] = [is_set, value]
    if asked['mdev_type'] == own.get('mdev_type'):
        asked.pop('mdev_type')
    return json.dumps(asked, sort_keys=True)


def document(compatible: list[Json], **device: Any) -> Document:
    return load({'format': 1, 'compatible': compatible,
                 'self': {'device_api': 'vfio-pci', 'mdev_type': 'a-b',
                          **device}})


class TestInWords(testtools.TestCase):

    TABLE: tuple[tuple[str, Document, Document, list[str]], ...] = (
        ('a newer minor', document([{}], software_version='1.5'),
         document([{}], software_version='1.3'),
         ['software_version 1.4 to 1.5']),
        ('every minor of a major',
         document([{'software_version': {'minimum': '1.0'}}],
                  software_version='1.5'),
         document([{'software_version': {'minimum': '2.0'}}],
                  software_version='1.5'),
         ['software_version 1.0 and later, before 2.0']),
        ('a bugfix is no difference', document([{}], software_version='1.5.1'),
         document([{}], software_version='1.5.9'), []),
        ('a larger set', document([{}], attributes={'x': ['a', 'b']}),
         document([{}], attributes={'x': ['a']}),
         ['x sets within ["a", "b"] but not within ["a"]']),
        ('two ranges that make one',
         document([{'attributes': {'x': {'minimum': 1, 'maximum': 8}}}]),
         document([{'attributes': {'x': {'minimum': 1, 'maximum': 4}}},
                   {'attributes': {'x': {'minimum': 5, 'maximum': 8}}}]), []),
        ('a gap in a range',
         document([{'attributes': {'x': {'minimum': 1, 'maximum': 8}}}]),
         document([{'attributes': {'x': {'any_of': [1, 2, 3, 5, 6, 7, 8]}}}]),
         ['x 4']),
        ('own kind', document([{}]), document([]), ['its own kind']),
        ('don\'t care', document([{'attributes': {'x': {'any': True}}}]),
         document([{}]),
         ['x false or true or any integer or any text or any set']),
        ('values of a template',
         document([{'variables': {'n': {'minimum': 1, 'maximum': 4}},
                    'mdev_type': 'a-${n}'}]),
         document([{'variables': {'n': {'enum': [1, 3]}},
                    'mdev_type': 'a-${n}'}]),
         ['mdev_type "a-2", "a-4"']),
        ('too many values to list',
         document([{'variables': {'n': {'minimum': 1, 'maximum': 9999}},
                    'mdev_type': 'a-${n}'}]), document([]),
         ['mdev_type only "a-${n}" with n from 1 to 9999']),
        ('the same in too many values',
         document([{'variables': {'n': {'minimum': 1, 'maximum': 9999}},
                    'mdev_type': 'a-${n}'}, {}]),
         document([{}, {'variables': {'n': {'minimum': 1, 'maximum': 9999}},
                        'mdev_type': 'a-${n}'}]), []),
        ('another device API',
         load({'format': 1, 'self': {'device_api': 'vfio-ap'},
               'compatible': [{}]}),
         load({'format': 1, 'self': {'device_api': 'vfio-ccw'},
               'compatible': [{}]}), ['its own kind']),
        ('another device API, the other way',
         load({'format': 1, 'self': {'device_api': 'vfio-ccw'},
               'compatible': [{}]}),
         load({'format': 1, 'self': {'device_api': 'vfio-ap'},
               'compatible': [{}]}), ['its own kind']),
        ('any version', document([{'software_version': {'any': True}}],
                                 software_version='1.5'),
         document([]), ['software_version anything']),
        ('absent', document([{'attributes': {'x': {'absent': True}}}],
                            attributes={'x': 1}), document([]), ['x absent']),
        ('open ranges',
         document([{'attributes': {'x': {'minimum': 2}}},
                   {'attributes': {'x': {'maximum': -3}}}]), document([]),
         ['x -3 and less or 2 and more']),
        ('any integer',
         document([{'attributes': {'x': {'minimum': 2}}},
                   {'attributes': {'x': {'maximum': 1}}}]), document([]),
         ['x any integer']),
        ('any integer, by its bounds',
         document([{'attributes': {'x': {'minimum': -2 ** 63,
                                         'maximum': 2 ** 63 - 1}}}]),
         document([]), ['x any integer']),
        ('the least integers',
         document([{'attributes': {'x': {'minimum': -2 ** 63,
                                         'maximum': 5}}}]),
         document([]), ['x 5 and less']),
        ('integers', document([{'attributes': {
            'x': {'minimum': 2, 'maximum': 5}, 'y': {'any_of': [1001]},
            'z': 4}}]), document([]), ['x 2 to 5, y 1001, z 4']),
        ('absent as in self',
         document([{'attributes': {'x': {'absent': True}}}]), document([]),
         ['its own kind']),
        ('all texts but some',
         document([{'attributes': {'x': {'any': True}}}]),
         document([{'attributes': {'x': {'any_of': ['b', 'a']}}},
                   {'attributes': {'x': {'minimum': -9}}}]),
         ['x absent or false or true or -10 and less or any text but "a", "b"'
          ' or any set']),
        ('versions from one on',
         document([{'software_version': {'minimum': '2.1'}}],
                  software_version='2.1'), document([]),
         ['software_version 2.1 and later']),
        ('one version',
         document([{'software_version': {'minimum': '2.1',
                                         'maximum': '2.1'}}],
                  software_version='2.1'), document([]),
         ['software_version 2.1']),
        ('versions that sort as text the other way',
         document([{'software_version': {'minimum': '2.9',
                                         'maximum': '2.10'}}],
                  software_version='2.9'), document([]),
         ['software_version 2.9 to 2.10']),
        ('versions of several majors',
         document([{'software_version': {'minimum': '2.1',
                                         'maximum': '4.0'}}],
                  software_version='2.1'), document([]),
         ['software_version 2.1 to 4.0']),
        ('several small sets', document([{}], attributes={'x': ['a', 'b']}),
         document([{'attributes': {'x': ['b']}},
                   {'attributes': {'x': ['a']}}]),
         ['x sets within ["a", "b"] but not within ["a"] but not within '
          '["b"]']),
        ('any sets but small ones',
         document([{'attributes': {'x': {'any': True}}}]),
         document([{'attributes': {'x': {'any_of': [True, False]}}},
                   {'attributes': {'x': {'minimum': 0}}},
                   {'attributes': {'x': {'maximum': -1}}},
                   {'attributes': {'x': ['a']}}]),
         ['x any text or any set but not within ["a"]']),
        ('a field that the other does not have',
         document([{'attributes': {'y': 2}}], attributes={'x': 1}),
         document([{}], attributes={'x': 1}), ['y 2']),
        ('a field that may be absent',
         document([{'attributes': {'x': {'absent': True}, 'y': 'q'}}],
                  attributes={'x': 1}),
         document([]), ['x absent, y "q"']),
    )

    def test_table(self) -> None:
        for title, one, other, wanted in self.TABLE:
            found = difference.differences(one, other, 'live')
            self.expectThat(
                [each.words(one.device) for each in found],
                testtools.matchers.Equals(wanted), title)
            for each in found:
                self.expectThat(
                    [accepts(own, each.example(), 'live')
                     for own in (one, other)],
                    testtools.matchers.Equals([True, False])
                    if not each.is_symbolic
                    else testtools.matchers.HasLength(2), title)

    def test_symbolic(self) -> None:
        for top, wanted in ((256, False), (257, True)):
            found, = difference.differences(document([{
                'variables': {'n': {'minimum': 1, 'maximum': top}},
                'mdev_type': 'a-${n}'}]), document([]), 'live')
            self.assertIs(wanted, found.is_symbolic)

    def test_the_other_one_is_symbolic(self) -> None:
        many = {'variables': {'n': {'minimum': 0, 'maximum': 256}},
                'attributes': {'x': '${n}'}}
        some = document([{'attributes': {'x': {'minimum': 5}}}])
        found, = difference.differences(some, document([many]), 'live')
        self.assertTrue(found.is_symbolic)
        # That template is about other devices.
        many['attributes']['y'] = True
        found, = difference.differences(some, document([many]), 'live')
        self.assertFalse(found.is_symbolic)

    def test_levels(self) -> None:
        one = document([{'level': 'cold', 'attributes': {'x': 1}}])
        self.assertEqual(
            [], difference.differences(one, document([]), 'live'))
        self.assertEqual(
            1, len(difference.differences(one, document([]), 'cold')))

    def test_ranges_that_differ_in_the_domain_only(self) -> None:
        # The same text, but other values: not the same acceptance.
        wide, narrow = (document([{
            'variables': {'n': {'minimum': 1, 'maximum': top}},
            'mdev_type': 'a-${n}'}]) for top in (9999, 5000))
        self.assertEqual(
            1, len(difference.differences(wide, narrow, 'live')))


class TestMadeDifferently(testtools.TestCase):

    FOUR: Json = {'variables': {'n': {'minimum': 1, 'maximum': 4}},
                  'attributes': {'x': '${n}'}}

    def recipe(self, entry: Json, mdev_type: str | None = None,
               **attributes: Any) -> Json:
        create: Json = {'attributes': attributes}
        if mdev_type:
            create['mdev_type'] = mdev_type
        return {**entry, 'create': create}

    def told(self, one: Document, other: Document,
             level: Level = 'live') -> list[str]:
        found = difference.made_differently(one, other, level)
        # Recipes are compared with each other: nothing is in doubt.
        self.assertEqual([], [each for each in found if each.doubtful])
        return [each.words(one.device) for each in found]

    def test_same(self) -> None:
        for one, other in (
                ([{}], [{}, {}]),
                ([], [self.recipe({}, x=1)]),
                # Asks for what `self` is anyhow.
                ([{}], [self.recipe({}, 'a-b', y=[], z=['q', 'p'], w=1)]),
                ([{}], [self.recipe({}, 'a-b', y=[], w=1)]),
                # Never comes to that.
                ([{}], [{}, self.recipe({}, x=1)]),
                # In the other order, and for each value by itself.
                ([self.recipe(self.FOUR, x='${n}'), {}],
                 [{}, *(self.recipe({'attributes': {'x': {
                     'any_of': [n, str(n)]}}}, x=n) for n in (4, 2, 1, 3))]),
                ([self.recipe({'level': 'cold'}, x=1), {}], [{}])):
            found = [document(entries, attributes={'z': ['p', 'q'], 'w': 1})
                     for entries in (one, other)]
            self.assertEqual([], self.told(*found), (one, other))
            self.assertEqual([], self.told(*found[::-1]), (one, other))

    def test_other(self) -> None:
        for one, other, words in (
                ([{}], [self.recipe({}, x=1)], 'its own kind'),
                ([self.recipe({}, w=1)], [self.recipe({}, w=True)],
                 'its own kind'),
                ([{}], [self.recipe({}, 'a-c')], 'its own kind'),
                ([self.recipe(self.FOUR, x='${n}')],
                 [self.recipe(self.FOUR, x='${n*2}')],
                 'x 1 to 4 or "1", "2", "3", "4"'),
                ([self.recipe(self.FOUR, x='${n}')],
                 [self.recipe(self.FOUR, x='x${n}')],
                 'x 1 to 4 or "1", "2", "3", "4"'),
                ([self.recipe({'attributes': {'x': {'maximum': 5}}}, y=1)],
                 [self.recipe({'attributes': {'x': {'minimum': 3}}}, y=2)],
                 'x 3 to 5')):
            found = [document(entries, attributes={'w': 1})
                     for entries in (one, other)]
            self.assertEqual([words], self.told(*found), (one, other))
            self.assertEqual([words], self.told(*found[::-1]), (one, other))

    def test_other_set(self) -> None:
        found = [document(entries, attributes={'z': ['p', 'q']})
                 for entries in ([{}], [self.recipe({}, z=[])])]
        self.assertEqual(['z absent or sets within ["p", "q"]'],
                         self.told(*found))

    def test_too_many_values_to_list(self) -> None:
        wide: Json = {'variables': {'n': {'minimum': 1, 'maximum': 999}},
                      'mdev_type': 'a-${n}'}
        texts = ('${n}', '${n+0}', 'a', '$$')
        for one, other in itertools.product(texts, texts):
            found = [document([self.recipe(wide, x=text), *more])
                     for text, more in ((one, []), (other, [{}]))]
            self.assertEqual(
                [] if one == other
                else ['mdev_type only "a-${n}" with n from 1 to 999'],
                self.told(*found))

    def test_level(self) -> None:
        found = [document([self.recipe({'level': 'cold'}, x=number)])
                 for number in (1, 2)]
        self.assertEqual([], self.told(*found))
        self.assertEqual(['its own kind'], self.told(*found, level='cold'))

    def test_another_device_api(self) -> None:
        ap, ccw = (load({'format': 1, 'self': {'device_api': api},
                         'compatible': [self.recipe({}, x=api)]})
                   for api in ('vfio-ap', 'vfio-ccw'))
        self.assertEqual([], self.told(ap, ccw))
        self.assertEqual([], self.told(ccw, ap))

    def test_too_many_steps(self) -> None:
        many = [document([self.recipe({
            'variables': {'n': {'minimum': 1, 'maximum': 256}},
            'attributes': {'x': '${n}', 'y': y}}, x=f'${{n+{add}}}')
            for y in (1, 2)]) for add in (1, 2)]
        self.assertRaises(difference.TooComplex, difference.made_differently,
                          *many, 'live')


class TestAlike(testtools.TestCase):

    def test_table(self) -> None:
        one: Json = {'attributes': {'x': 1, 'z': ['p', 'q']},
                     'software_version': '1.3'}
        for other, wanted in (
                ({}, True),
                ({'attributes': {'x': 1, 'z': ['q', 'p'], 'y': []}}, True),
                ({'attributes': {'x': True, 'z': ['p', 'q']}}, False),
                ({'attributes': {'x': 1}}, False),
                ({'attributes': {'x': 1, 'z': ['p', 'q'], 'y': 2}}, False),
                ({'software_version': '1.4'}, False),
                ({'mdev_type': 'a-c'}, False),
                ({'device_api': 'vfio-ap'}, False),
                ({'device_api': 'vfio-platform'}, False)):
            found = [document([], **one).device,
                     document([], **{**one, **other}).device]
            self.assertEqual(wanted, alike(*found), other)
            self.assertEqual(wanted, alike(*found[::-1]), other)


class TestTellingTogether(testtools.TestCase):
    """Pieces that differ in a single field become one."""

    ONE, OTHER = (Span(integers=((low, low + 1),)) for low in (1, 2))
    BOTH = Span(integers=((1, 3),))

    def box(self, **spans: Span) -> boxes.Box:
        # Equal spans, never the same ones.
        return {('attributes', name): dataclasses.replace(span)
                for name, span in spans.items()}

    def added(self, piece: boxes.Box, *others: boxes.Box) -> list[boxes.Box]:
        found = list(others)
        difference._add(found, piece)
        return found

    def test_single_field(self) -> None:
        for same in ({}, {'y': self.ONE}, {'a': self.BOTH, 'y': self.ONE}):
            self.assertEqual(
                [self.box(x=self.BOTH, **same)],
                self.added(self.box(x=self.OTHER, **same),
                           self.box(x=self.ONE, **same)))

    def test_two_fields(self) -> None:
        pieces = [self.box(x=self.ONE, y=self.ONE),
                  self.box(x=self.OTHER, y=self.OTHER)]
        self.assertEqual(pieces, self.added(pieces[1], pieces[0]))

    def test_other_fields(self) -> None:
        small, large = self.box(x=self.ONE), self.box(x=self.OTHER,
                                                      y=self.OTHER)
        self.assertEqual([small, large], self.added(large, small))
        self.assertEqual([large, small], self.added(small, large))
        self.assertEqual(
            [small, self.box(x=self.OTHER, y=self.BOTH)],
            self.added(self.box(x=self.OTHER, y=self.ONE), small, large))


class TestBound(testtools.TestCase):

    def test_too_many_steps(self) -> None:
        box = {('attributes', 'x'): Span(absent=True)}
        self.assertEqual(
            [], difference._less(box, [box], itertools.count(100_000)))
        for start in (100_001, 100_002):
            self.assertRaises(
                difference.TooComplex, difference._less, box, [box],
                itertools.count(start))
