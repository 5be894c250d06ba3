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

"""The tests of one field, one by one, and the recipe of an entry."""

from typing import Any

import ddt
import testtools

from nova_mdev_compat.compat.document import Recipe
from nova_mdev_compat.compat import patterns
from nova_mdev_compat.compat.patterns import Absent
from nova_mdev_compat.compat.patterns import AnyOf
from nova_mdev_compat.compat.patterns import Anything
from nova_mdev_compat.compat.patterns import Between
from nova_mdev_compat.compat.patterns import Equal
from nova_mdev_compat.compat.patterns import Loads
from nova_mdev_compat.compat.patterns import Pattern
from nova_mdev_compat.compat.patterns import Releases
from nova_mdev_compat.compat.patterns import Superset
from nova_mdev_compat.compat.patterns import Text
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.variables import Variable
from nova_mdev_compat.compat.versions import Version

#: Of every type that a source's field can have; the texts are written so
#: that none is the same object as a text of a pattern.
VALUES: tuple[Any, ...] = (
    None, False, True, -1, 0, 1, 2, 5, 6, 1000, '', str(1), ''.join('ab'),
    'ac', frozenset('a'), frozenset('ab'), frozenset('c'),
    Version('0.0'), Version('1.0'), Version('1.2'), Version('1.3'),
    Version('1.3.9'), Version('1.4'), Version('2.0'))

VERSIONS = VALUES[17:]

#: Pattern, and which of the values it takes.
MATCHES: tuple[tuple[Pattern, list[Any]], ...] = (
    (Equal('1'), ['1']),
    (Equal('ab'), ['ab']),
    (Equal(1), [1]),
    (Equal(1000), [1000]),
    (Equal(True), [True]),
    (Equal(0), [0]),
    (Superset(frozenset('ab')), [None, frozenset('a'), frozenset('ab')]),
    (Superset(frozenset('b')), [None]),
    (AnyOf((1, 'ab')), [1, 'ab']),
    (AnyOf((False, 5)), [False, 5]),
    (Between(1, 5), [1, 2, 5]),
    (Between(0, None), [0, 1, 2, 5, 6, 1000]),
    (Between(None, 0), [-1, 0]),
    (Between(1000, 1000), [1000]),
    (Loads(Version('1.3')), [*VERSIONS[1:5]]),
    (Loads(Version('2.3.1')), [Version('2.0')]),
    (Releases(Version('1.2'), Version('1.3')), [*VERSIONS[2:5]]),
    (Releases(Version('1.3.5'), None), [*VERSIONS[3:]]),
    (Releases(None, Version('1.3.1')), [*VERSIONS[:5]]),
    (Releases(Version('0.9'), Version('1.3')), [*VERSIONS[1:5]]),
    (Anything(), [*VALUES]),
    (Absent(), [None]),
    (Text(Template('${v}'), {'v': Variable(0, 5)}), [0, 1, 2, 5, '1']),
    (Text(Template('a${v}'), {'v': Variable(0, 5)}), []),
)

#: Pattern, and its words.
WORDS: tuple[tuple[Pattern, str], ...] = (
    (Equal('a'), 'only "a"'),
    (Equal(True), 'only true'),
    (Superset(frozenset('ba')), 'no more than the set ["a", "b"]'),
    (AnyOf((1, 'é')), 'only one of 1, "é"'),
    (AnyOf(tuple(range(16))),
     'only one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15'),
    (AnyOf(tuple(range(17))),
     'only one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, ... '
     '(17 in all)'),
    (Between(0, 5), 'only an integer from 0 to 5'),
    (Between(0, None), 'only an integer from 0'),
    (Between(None, 0), 'only an integer up to 0'),
    (Loads(Version('1.03.7')),
     'only 1.0 to 1.3 (the same major, and no newer minor)'),
    (Releases(Version('1.2'), Version('1.3.4')),
     'only a version from 1.2 to 1.3.4'),
    (Anything(), 'anything'),
    (Absent(), 'only a device without it'),
    (Text(Template('${v}-${w}-${u}'), {
        'v': Variable(0, 5), 'w': Variable.of(frozenset([7, -2])),
        'u': Variable(1, 1), 'x': Variable(3, 4)}),
     'only "${v}-${w}-${u}" with u from 1 to 1, v from 0 to 5, w one of -2, '
     '7'),
)

#: Pattern, a value that it refuses, and what more is said.
ADVICE: tuple[tuple[Pattern, Any, str], ...] = (
    (Equal(1), 2, ''),
    (Superset(frozenset('ab')), frozenset('cbd'), 'it lacks ["c", "d"]'),
    (Superset(frozenset('ab')), 'a', 'it wants a set of strings'),
    (Loads(Version('1.3')), Version('1.4.1'),
     'a destination at 1.4 or newer would load it'),
    (Loads(Version('1.3')), Version('2.1'), ''),
    (Loads(Version('1.3')), Version('0.9'), ''),
    (Loads(Version('1001.3')), Version('1001.4'),
     'a destination at 1001.4 or newer would load it'),
    (Loads(Version('1.3'), named=True), Version('1.4.1'),
     'its document would have to name 1.4 or newer'),
    (Loads(Version('1.3'), named=True), Version('2.1'), ''),
    (Loads(Version('1.3')), None,
     'a version on one side only is a mismatch'),
)


@ddt.ddt
class TestPatterns(testtools.TestCase):

    @ddt.data(*MATCHES)
    @ddt.unpack
    def test_match(self, pattern: Pattern, wanted: list[Any]) -> None:
        found = [value for value in VALUES
                 if pattern.match(value, {}) is not None]
        self.assertEqual([(type(value), value) for value in wanted],
                         [(type(value), value) for value in found])

    @ddt.data(*MATCHES)
    @ddt.unpack
    def test_bindings_are_kept(self, pattern: Pattern,
                               wanted: list[Any]) -> None:
        bound = {'w': 7}
        for value in wanted:
            found = pattern.match(value, bound)
            assert found is not None
            self.assertEqual(7, found['w'])
        self.assertEqual({'w': 7}, bound)

    @ddt.data(*WORDS)
    @ddt.unpack
    def test_words(self, pattern: Pattern, words: str) -> None:
        self.assertEqual(words, pattern.words())

    @ddt.data(*ADVICE)
    @ddt.unpack
    def test_advice(self, pattern: Pattern, value: Any, words: str) -> None:
        self.assertEqual(words, pattern.advice(value))

    def test_shown(self) -> None:
        for value, words in (
                (None, 'nothing'), (False, 'false'), (0, '0'), ('', '""'),
                ('a"é', '"a\\"é"'), (Version('1.02'), '"1.02"'),
                (frozenset(), '[]'), (frozenset('ba'), '["a", "b"]')):
            self.assertEqual(words, patterns.shown(value))

    def test_default(self) -> None:
        for value, pattern in (
                (None, Absent()), (False, Equal(False)), (0, Equal(0)),
                ('', Equal('')), (frozenset('a'), Superset(frozenset('a'))),
                (Version('1.2'), Loads(Version('1.2')))):
            self.assertEqual(pattern, patterns.default(value))

    def test_every_pattern_answers_both(self) -> None:
        self.assertEqual({'match', 'words'}, Pattern.__abstractmethods__)
        self.assertEqual(Anything(), Anything())
        self.assertNotEqual(Anything(), Absent())


class TestRecipe(testtools.TestCase):

    def test_fill(self) -> None:
        name = ''.join(('mdev', '_type'))
        recipe = Recipe({
            (name,): Template('a-${v}'), ('attributes', 'n'): Template('${v}'),
            ('attributes', 't'): Template('x${v}'), ('attributes', 'b'): True,
            ('attributes', 's'): ('q', 'p')})
        self.assertEqual(
            {'mdev_type': 'a-3', 'attributes': {
                'n': 3, 't': 'x3', 'b': True, 's': ['q', 'p']}},
            recipe.fill({'v': 3}))
        self.assertEqual({}, Recipe({}).fill({}))
