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

"""Templates and variables, one function after the other."""

from typing import Any

import ddt
import testtools

from nova_mdev_compat.compat.templates import Expression
from nova_mdev_compat.compat.templates import InvalidTemplate
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.templates import Unfillable
from nova_mdev_compat.compat.variables import Variable

LEAST, MOST = -2 ** 63, 2 ** 63 - 1

#: Text, literals, and expressions as (name, operator, operand).
VALID: tuple[tuple[str, tuple[str, ...], list[tuple[str, str, int]]], ...] = (
    ('', ('',), []),
    ('ab', ('ab',), []),
    ('$$', ('$',), []),
    ('$$$$', ('$$',), []),
    ('a$${v}', ('a${v}',), []),
    ('7', ('7',), []),
    ('7${v}', ('7', ''), [('v', '+', 0)]),
    ('${v}', ('', ''), [('v', '+', 0)]),
    ('${v+0}', ('', ''), [('v', '+', 0)]),
    ('${v_1*12}', ('', ''), [('v_1', '*', 12)]),
    ('a${v/2}b${w-3}', ('a', 'b', ''), [('v', '/', 2), ('w', '-', 3)]),
    ('${v}$$7', ('', '$7'), [('v', '+', 0)]),
    ('${v}a7', ('', 'a7'), [('v', '+', 0)]),
    ('${v}-${v}', ('', '-', ''), [('v', '+', 0), ('v', '+', 0)]),
    ('${v}$$${w}$$', ('', '$', '$'), [('v', '+', 0), ('w', '+', 0)]),
    ('a$$b${v}', ('a$b', ''), [('v', '+', 0)]),
    ('${v}\u0661', ('', '\u0661'), [('v', '+', 0)]),
)

#: Text, and the offset of the fault.
INVALID = (
    ('$', 0), ('a$', 1), ('$$$', 2), ('${', 0), ('ab${v', 2), ('${V}', 0),
    ('${1}', 0), ('${v }', 0), ('${v*}', 0), ('${v*02}', 0), ('${v*-2}', 0),
    ('${v+00}', 0), ('${v%2}', 0), ('${v*0}', 0), ('x${v/0}', 1),
    ('${v}${w}', 4), ('a${v}b${w}${v}', 10), ('${v}7', 4), ('a${v}0', 5),
    ('a${v}b${w}9c', 10), ('$v', 0), ('${}', 0), ('${v*2', 0),
    ('a$$${v}1', 7),
)


@ddt.ddt
class TestTemplates(testtools.TestCase):

    @ddt.data(*VALID)
    @ddt.unpack
    def test_valid(self, text: str, literals: tuple[str, ...],
                   wanted: list[tuple[str, str, int]]) -> None:
        found = Template(text)
        self.assertEqual(literals, found.literals)
        self.assertEqual(wanted, [(one.name, one.operator, one.operand)
                                  for one in found.expressions])
        self.assertEqual(None if wanted else literals[0], found.literal)
        self.assertIs(literals == ('', ''), found.alone)
        self.assertEqual({name for name, _, _ in wanted}, found.names)
        self.assertEqual(Template(text), found)

    @ddt.data(*INVALID)
    @ddt.unpack
    def test_invalid(self, text: str, offset: int) -> None:
        error = self.assertRaises(InvalidTemplate, Template, text)
        self.assertEqual((text, offset), (error.text, error.offset))
        self.assertIn(f'at character {offset + 1}: ', str(error))

    def test_read_text(self) -> None:
        for text, source, wanted in (
                ('a${v}b', 'a12b', [12]), ('a${v}b', 'a-12b', [-12]),
                ('a${v}b', 'a0b', [0]), ('a${v}b', 'a-0b', None),
                ('a${v}b', 'a012b', None), ('a${v}b', 'a12', None),
                ('a${v}b', 'a12bc', None), ('a${v}b', 'b12b', None),
                ('a${v}b', 'a+12b', None), ('a${v}b', 'ab', None),
                ('a${v}b', 'a\u0661b', None), ('a${v}b', '', None),
                ('${v}-${w}', '1-2', [1, 2]), ('${v}-${w}', '1--2', [1, -2]),
                ('${v}-${w}', '-1--2', [-1, -2]), ('${v}-${w}', '1', None),
                ('${v}-${w}', '1-', None), ('${v}x', '1x', [1]),
                ('ab', 'ab', []), ('ab', 'abc', None), ('ab', 'a', None)):
            found = Template(text).read_text(source)
            self.assertEqual(wanted, None if found is None else [
                number for _, number in found], (text, source))

    def test_bind(self) -> None:
        declared = {'v': Variable(0, 99), 'w': Variable(-5, 1000)}
        for text, value, bound, wanted in (
                ('${v*2}', 8, {}, {'v': 4}), ('${v*2}', 9, {}, None),
                ('${v*2}', '8', {}, {'v': 4}), ('${v}', 100, {}, None),
                ('${v}', -1, {}, None), ('${v}', 0, {}, {'v': 0}),
                ('a${v}', 4, {}, None), ('a${v}', 'a4', {}, {'v': 4}),
                ('${v}', 4, {'v': 4}, {'v': 4}), ('${v}', 4, {'v': 5}, None),
                ('${w}', 1000, {'w': 1000}, {'w': 1000}),
                ('${v}', 4, {'w': 5}, {'v': 4, 'w': 5}),
                ('${v}.${v+1}', '4.5', {}, {'v': 4}),
                ('${v}.${v+1}', '4.4', {}, None),
                ('${v}.${w}', '4.6', {}, {'v': 4, 'w': 6})):
            before = dict(bound)
            self.assertEqual(wanted, Template(text).bind(
                value, declared, bound), (text, value))
            self.assertEqual(before, bound)

    def test_fill(self) -> None:
        for text, bound, wanted in (
                ('a${v*2}b', {'v': -3}, 'a-6b'), ('${v/2}', {'v': 8}, 4),
                ('${v}.${w-1}', {'v': 8, 'w': 0}, '8.-1'),
                ('$$', {}, '$'), ('${v+1}', {'v': 8, 'w': 0}, 9)):
            template = Template(text)
            self.assertEqual(wanted, template.fill_value(bound))
            self.assertEqual(str(wanted), template.fill(bound))

    def test_fill_has_bounds(self) -> None:
        longest = Template('x' * 254 + '${v}')
        self.assertEqual(255, len(longest.fill({'v': 9})))
        self.assertRaises(Unfillable, longest.fill, {'v': 10})
        self.assertRaises(Unfillable, longest.fill_value, {'v': 10})
        self.assertRaises(Unfillable, Template('${v/2}').fill, {'v': 3})


#: Expression, its variable's value, and what it stands for.
VALUES = (
    (Expression('v'), 7, 7),
    (Expression('v', '*', 3), 7, 21),
    (Expression('v', '/', 3), 21, 7),
    (Expression('v', '/', 3), -21, -7),
    (Expression('v', '/', 3), 22, None),
    (Expression('v', '/', 3), 23, None),
    (Expression('v', '+', 3), 7, 10),
    (Expression('v', '-', 3), 7, 4),
    (Expression('v', '*', 2 ** 62), 1, 2 ** 62),
    (Expression('v', '*', 2 ** 62), 2, None),
    (Expression('v', '*', 2 ** 62), -2, LEAST),
    (Expression('v', '+', MOST), 0, MOST),
    (Expression('v', '+', MOST), 1, None),
    (Expression('v', '-', MOST), -1, LEAST),
    (Expression('v', '-', MOST), -2, None),
)


@ddt.ddt
class TestExpressions(testtools.TestCase):

    @ddt.data(*VALUES)
    @ddt.unpack
    def test_value(self, expression: Expression, variable: int,
                   wanted: Any) -> None:
        if wanted is None:
            self.assertRaises(Unfillable, expression.value, variable)
        else:
            self.assertEqual(wanted, expression.value(variable))
            self.assertEqual(variable, expression.variable(wanted))

    def test_variable(self) -> None:
        plain, double = Expression('v'), Expression('v', '*', 2)
        self.assertEqual([MOST, LEAST, None, None], [
            plain.variable(value)
            for value in (MOST, LEAST, MOST + 1, LEAST - 1)])
        self.assertEqual([2, None, -1, None], [
            double.variable(value) for value in (4, 5, -2, -1)])
        self.assertEqual(6, Expression('v', '/', 2).variable(3))
        self.assertEqual(1, Expression('v', '+', 2).variable(3))
        self.assertEqual(5, Expression('v', '-', 2).variable(3))

    def test_reaches(self) -> None:
        some = Variable(3, 5)
        for operator, operand, low, high, wanted in (
                ('+', 0, 5, 9, True), ('+', 0, 6, 9, False),
                ('+', 0, 0, 3, True), ('+', 0, 0, 2, False),
                ('+', 2, 7, 9, True), ('+', 2, 8, 9, False),
                ('-', 2, 0, 1, True), ('-', 2, 0, 0, False),
                ('-', 2, 3, 9, True), ('-', 2, 4, 9, False),
                ('*', 2, 7, 7, False), ('*', 2, 7, 8, True),
                ('*', 2, 5, 6, True), ('*', 2, 10, 99, True),
                ('*', 2, 11, 99, False), ('*', 2, 0, 5, False),
                ('/', 2, 2, 2, True), ('/', 2, 1, 1, False),
                ('/', 2, 3, 9, False), ('/', 4, 1, 1, True),
                ('/', 6, 1, 1, False), ('/', 6, 0, 9, False)):
            self.assertIs(wanted, Expression('v', operator, operand).reaches(
                some, low, high), (operator, operand, low, high))
        self.assertTrue(Expression('v', '/', 2).reaches(
            Variable(-2, -2), -1, -1))

    def test_reaches_is_exact(self) -> None:
        expression = Expression('v', '*', 2 ** 33)
        self.assertFalse(expression.reaches(
            Variable(2 ** 30, 2 ** 30), 0, MOST))
        self.assertFalse(expression.reaches(
            Variable(2 ** 29, 2 ** 29), 2 ** 62 + 1, MOST))
        self.assertTrue(expression.reaches(
            Variable(2 ** 29, 2 ** 29), 2 ** 62, MOST))


class TestVariables(testtools.TestCase):

    def test_of(self) -> None:
        listed = Variable.of(frozenset([7, -2, 3]))
        self.assertEqual((-2, 7), (listed.minimum, listed.maximum))
        self.assertEqual([-2, 3, 7], [
            number for number in range(-9, 10) if number in listed])

    def test_range(self) -> None:
        self.assertEqual([-2, -1, 0, 1], [
            number for number in range(-9, 10)
            if number in Variable(-2, 1)])

    def test_meets(self) -> None:
        for variable in (Variable(3, 7), Variable(-7, -3), Variable(-4, 4),
                         Variable(0, 0), Variable(6, 6),
                         Variable.of(frozenset([-4, 3, 8])),
                         Variable.of(frozenset([6]))):
            values = [number for number in range(-20, 21)
                      if number in variable]
            for low in range(-9, 10):
                for high in range(low - 2, 10):
                    self.check(variable, values, low, high)

    def check(self, variable: Variable, values: list[int], low: int,
              high: int) -> None:
        for step in (1, 2, 3, 5):
            self.assertIs(
                any(low <= value <= high and value % step == 0
                    for value in values),
                variable.meets(low, high, step), (variable, low, high, step))
        self.assertIs(variable.meets(low, high, 1),
                      variable.meets(low, high))
