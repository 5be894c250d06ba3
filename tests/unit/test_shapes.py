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

"""What a template can stand for, against trying every value."""

import itertools

import hypothesis
import hypothesis.strategies as st
import testtools

from nova_mdev_compat.compat.device import is_mdev_type
from nova_mdev_compat.compat.device import is_pci_fact
from nova_mdev_compat.compat import shapes
from nova_mdev_compat.compat.templates import Expression
from nova_mdev_compat.compat.templates import InvalidTemplate
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.templates import Unfillable
from nova_mdev_compat.compat.variables import Variable
from tests.unit import effort

SETTINGS = hypothesis.settings(
    max_examples=effort.examples(400), deadline=None, database=None,
    derandomize=True)


@st.composite
def variables(draw: st.DrawFn) -> Variable:
    if draw(st.booleans()):
        return Variable.of(draw(st.frozensets(
            st.integers(-30, 30), min_size=1, max_size=4)))
    low = draw(st.integers(-30, 30))
    return Variable(low, low + draw(st.integers(0, 12)))


def values(variable: Variable) -> list[int]:
    return [number for number in range(-50, 51) if number in variable]


def reached(expression: Expression, variable: Variable) -> list[int]:
    found = []
    for number in values(variable):
        try:
            found.append(expression.value(number))
        except Unfillable:
            continue
    return found


EXPRESSIONS = st.builds(Expression, st.just('v'), st.sampled_from('*/+-'),
                        st.integers(1, 9))


class TestReaches(testtools.TestCase):

    @SETTINGS
    @hypothesis.given(EXPRESSIONS, variables(), st.integers(-90, 90),
                      st.integers(0, 20))
    def test_reaches(self, expression: Expression, variable: Variable,
                     low: int, width: int) -> None:
        self.assertEqual(
            any(low <= number <= low + width
                for number in reached(expression, variable)),
            expression.reaches(variable, low, low + width))

    @SETTINGS
    @hypothesis.given(EXPRESSIONS, st.integers(-200, 200))
    def test_turned_round(self, expression: Expression, value: int) -> None:
        found = expression.variable(value)
        if found is None:
            self.assertEqual('*', expression.operator)
            self.assertNotEqual(0, value % expression.operand)
        else:
            self.assertEqual(value, expression.value(found))


def texts(template: Template, declared: dict[str, Variable]) -> list[str]:
    found = []
    names = sorted(template.names)
    for chosen in itertools.product(*(values(declared[name])
                                      for name in names)):
        try:
            found.append(template.fill(dict(zip(names, chosen))))
        except Unfillable:
            continue
    return found


@st.composite
def templates(draw: st.DrawFn, characters: str) -> Template:
    parts = draw(st.lists(st.one_of(
        st.sampled_from(['${v}', '${v*2}', '${v/2}', '${v+3}', '${w}']),
        st.text(characters, min_size=1, max_size=3)),
        min_size=1, max_size=4))
    try:
        return Template(''.join(parts))
    except InvalidTemplate:
        hypothesis.assume(False)
        raise


class TestShapes(testtools.TestCase):

    @SETTINGS
    @hypothesis.given(templates('a-/x'), variables(), variables())
    def test_mdev_type(self, template: Template, v: Variable,
                       w: Variable) -> None:
        declared = {'v': v, 'w': w}
        possible = any(map(is_mdev_type, texts(template, declared)))
        # What matches nothing may pass; what is refused can never match.
        if not shapes.can_be_mdev_type(template, declared):
            self.assertFalse(possible)
        elif len(template.expressions) == 1 and texts(template, declared):
            self.assertTrue(possible)

    @SETTINGS
    @hypothesis.given(templates('af0g'), variables(), variables())
    def test_pci_fact(self, template: Template, v: Variable,
                      w: Variable) -> None:
        declared = {'v': v, 'w': w}
        possible = any(map(is_pci_fact, texts(template, declared)))
        if not shapes.can_be_pci_fact(template, declared):
            self.assertFalse(possible)
        elif len(template.expressions) == 1:
            self.assertTrue(possible)


def ranges(**bounds: tuple[int, int]) -> dict[str, Variable]:
    return {name: Variable(*pair) for name, pair in bounds.items()}


class TestExamples(testtools.TestCase):

    def test_mdev_type(self) -> None:
        for text, variables, possible in (
                ('${v}-t', ranges(v=(-3, 0)), True),
                ('${v}-t', ranges(v=(-3, -1)), False),
                ('${v}-t', ranges(v=(0, 0)), True),
                ('${v}-t', ranges(v=(-1, 1)), True),
                ('a${v}', ranges(v=(-3, -1)), True),
                ('a${v}', ranges(v=(-1, 9)), True),
                ('a${v}', ranges(v=(0, 9)), False),
                ('a${v*2}', ranges(v=(-1, 9)), True),
                ('${v}', ranges(v=(-9, 9)), False),
                ('a-', {}, False), ('a-t', {}, True), ('a/t', {}, False),
                ('a-${v}', ranges(v=(-9, -9)), True),
                ('a-${v}/', ranges(v=(1, 9)), False),
                ('${v}x${w}', ranges(v=(1, 2), w=(-2, -1)), True),
                ('${v}x${w}', ranges(v=(1, 2), w=(-2, 1)), True),
                ('${v}x${w}', ranges(v=(-2, -1), w=(-2, 2)), False),
                ('${v}x${w}', ranges(v=(-2, 2), w=(1, 2)), False),
                ('${v}x${w}', ranges(v=(-2, 2), w=(-2, -1)), True),
                ('b${v}x${w}', ranges(v=(-2, 2), w=(1, 2)), True),
                ('b${v}x${w}', ranges(v=(1, 2), w=(1, 2)), False),
                ('b${v}x${w}/', ranges(v=(-2, -1), w=(1, 2)), False),
                ('b${u}x${v}x${w}/', ranges(
                    u=(-2, -1), v=(1, 2), w=(1, 2)), False),
                ('b${t}x${u}x${v}x${w}/', ranges(
                    t=(1, 2), u=(1, 2), v=(-2, 2), w=(1, 2)), False),
                ('${u}x${v}x${w}', ranges(
                    u=(-2, 2), v=(0, 2), w=(-2, 2)), True),
                ('${u}x${v}x${w}', ranges(
                    u=(-2, 2), v=(-2, -2), w=(1, 2)), True)):
            self.assertIs(possible, shapes.can_be_mdev_type(
                Template(text), variables), (text, variables))

    def test_pci_fact(self) -> None:
        for text, variables, possible in (
                ('10de', {}, True), ('10d', {}, False), ('10dea', {}, False),
                ('10dg', {}, False), ('10DE', {}, False),
                ('${v}', ranges(v=(1000, 1000)), True),
                ('${v}', ranges(v=(9999, 9999)), True),
                ('${v}', ranges(v=(0, 999)), False),
                ('${v}', ranges(v=(10000, 99999)), False),
                ('${v}', ranges(v=(-9999, -1)), False),
                ('a${v}', ranges(v=(100, 100)), True),
                ('a${v}', ranges(v=(999, 999)), True),
                ('a${v}', ranges(v=(0, 99)), False),
                ('ab${v}', ranges(v=(10, 10)), True),
                ('ab${v}', ranges(v=(99, 99)), True),
                ('ab${v}', ranges(v=(0, 9)), False),
                ('ab${v}', ranges(v=(100, 999)), False),
                ('abc${v}', ranges(v=(0, 0)), True),
                ('abc${v}', ranges(v=(1, 1)), True),
                ('abc${v}', ranges(v=(9, 9)), True),
                ('abc${v}', ranges(v=(10, 99)), False),
                ('abc${v}', ranges(v=(-1, -1)), False),
                ('abcd${v}', ranges(v=(0, 9)), False),
                ('a.${v}', ranges(v=(10, 99)), False),
                ('${v}a${w}', ranges(v=(1, 9), w=(10, 99)), True),
                ('${v}a${w}', ranges(v=(1, 9), w=(1, 9)), False),
                ('${v}a${w}', ranges(v=(10, 99), w=(1, 9)), True),
                ('${v}a${w}', ranges(v=(0, 99), w=(0, 99)), True),
                ('${v}a${w}', ranges(v=(100, 999), w=(1, 9)), False)):
            self.assertIs(possible, shapes.can_be_pci_fact(
                Template(text), variables), (text, variables))
