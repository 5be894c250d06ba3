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

"""String templates: text with integer expressions in it.

`acme-type_x${aggr*2}` is the text `acme-type_x`, then the decimal digits of
twice the variable. Every expression can be turned round, and no expression
is followed by another one or by a digit, so that a text fits a template in
one way at most: reading it is one pass, with nothing to try again.
"""

from __future__ import annotations

import dataclasses
import re

from nova_mdev_compat.compat.variables import Bindings
from nova_mdev_compat.compat.variables import INT64_MAX
from nova_mdev_compat.compat.variables import INT64_MIN
from nova_mdev_compat.compat.variables import Variable

MAX_TEXT = 255

_EXPRESSION = re.compile(
    r'\$\{([a-z][a-z0-9_]*)(?:([*/+-])(0|[1-9][0-9]*))?\}')
# No sign but one minus, no leading zeros, no -0; ASCII digits only.
_NUMBER = re.compile(r'-?[1-9][0-9]*|0')
_DIGITS = frozenset('0123456789')


class InvalidTemplate(ValueError):
    """A text is not a template.

    :param offset: where in the text the fault is, in code points.
    """

    def __init__(self, text: str, offset: int, why: str) -> None:
        self.text = text
        self.offset = offset
        super().__init__(f'{text!r}, at character {offset + 1}: {why}')


class Unfillable(ValueError):
    """The bound variables give no value that a device could have."""


@dataclasses.dataclass(frozen=True, slots=True)
class Expression:
    """`${name}`, or a name with one operator and its operand."""

    name: str
    operator: str = '+'
    operand: int = 0

    def value(self, variable: int) -> int:
        """The integer that it stands for.

        :raises Unfillable: not divisible, or past 64 bits.
        """
        if self.operator == '/' and variable % self.operand:
            raise Unfillable(f'{variable} is not a multiple of '
                             f'{self.operand}')
        number = {
            '*': lambda: variable * self.operand,
            '/': lambda: variable // self.operand,
            '+': lambda: variable + self.operand,
            '-': lambda: variable - self.operand,
        }[self.operator]()
        if not INT64_MIN <= number <= INT64_MAX:
            raise Unfillable(f'{number} does not fit in 64 bits')
        return number

    def variable(self, value: int) -> int | None:
        """The variable's value for which it stands for `value`, or None."""
        if not INT64_MIN <= value <= INT64_MAX:
            return None
        if self.operator == '*':
            quotient, rest = divmod(value, self.operand)
            return None if rest else quotient
        if self.operator == '/':
            return value * self.operand
        if self.operator == '+':
            return value - self.operand
        return value + self.operand

    def reaches(self, domain: Variable, low: int, high: int) -> bool:
        """Whether it can stand for an integer between low and high."""
        if self.operator == '*':
            return domain.meets(-(-low // self.operand),
                                high // self.operand)
        if self.operator == '/':
            return domain.meets(low * self.operand, high * self.operand,
                                self.operand)
        shift = self.operand if self.operator == '+' else -self.operand
        return domain.meets(low - shift, high - shift)


@dataclasses.dataclass(frozen=True, slots=True)
class Template:
    """A template, read from its text.

    :param text: the template as written in the document.
    :raises InvalidTemplate: the text is not a template.
    """

    text: str
    literals: tuple[str, ...] = dataclasses.field(init=False, compare=False)
    expressions: tuple[Expression, ...] = dataclasses.field(
        init=False, compare=False)

    def __post_init__(self) -> None:
        literals, expressions = _parse(self.text)
        object.__setattr__(self, 'literals', literals)
        object.__setattr__(self, 'expressions', expressions)

    @property
    def literal(self) -> str | None:
        """Its text when it has no expression, `$$` read as `$`."""
        return None if self.expressions else self.literals[0]

    @property
    def alone(self) -> bool:
        """Whether it is one expression and nothing else: an integer."""
        return self.literals == ('', '')

    @property
    def names(self) -> frozenset[str]:
        return frozenset(expression.name for expression in self.expressions)

    def read_text(self, text: str) -> list[tuple[Expression, int]] | None:
        """What the expressions stand for if the text fits, else None."""
        position = 0
        found = []
        for literal, expression in zip(self.literals, self.expressions):
            if not text.startswith(literal, position):
                return None
            number = _NUMBER.match(text, position + len(literal))
            if number is None:
                return None
            position = number.end()
            found.append((expression, int(number[0])))
        return found if text[position:] == self.literals[-1] else None

    def bind(self, value: str | int, variables: dict[str, Variable],
             bound: Bindings) -> Bindings | None:
        """The bindings with those that `value` adds; None: no match.

        :param value: a string, or an integer where `alone`.
        """
        if isinstance(value, str):
            found = self.read_text(value)
        else:
            found = [(self.expressions[0], value)] if self.alone else None
        if found is None:
            return None
        bindings = dict(bound)
        for expression, number in found:
            variable = expression.variable(number)
            if variable is None or variable not in variables[expression.name]:
                return None
            if bindings.setdefault(expression.name, variable) != variable:
                return None
        return bindings

    def fill(self, bound: Bindings) -> str:
        """The text for these bindings.

        :raises Unfillable: a number or the text is out of bounds.
        """
        parts = [self.literals[0]]
        for expression, literal in zip(self.expressions, self.literals[1:]):
            parts.append(str(expression.value(bound[expression.name])))
            parts.append(literal)
        text = ''.join(parts)
        if len(text) > MAX_TEXT:
            raise Unfillable(f'the text is over {MAX_TEXT} characters')
        return text

    def fill_value(self, bound: Bindings) -> str | int:
        """As `fill`, but an expression alone gives its integer."""
        if self.alone:
            expression = self.expressions[0]
            return expression.value(bound[expression.name])
        return self.fill(bound)


def _parse(text: str) -> tuple[tuple[str, ...], tuple[Expression, ...]]:
    literals = ['']
    expressions: list[Expression] = []
    position = 0
    while position < len(text):
        dollar = text.find('$', position)
        end = len(text) if dollar < 0 else dollar
        if end > position:
            if expressions and not literals[-1] and text[position] in _DIGITS:
                raise InvalidTemplate(
                    text, position, 'a digit right after an expression would '
                    'make two readings of one text: put another character '
                    'between them')
            literals[-1] += text[position:end]
        if dollar < 0:
            break
        if text.startswith('$$', dollar):
            literals[-1] += '$'
            position = dollar + 2
            continue
        if expressions and not literals[-1]:
            raise InvalidTemplate(
                text, dollar, 'two expressions need text between them')
        expression, position = _expression(text, dollar)
        expressions.append(expression)
        literals.append('')
    return tuple(literals), tuple(expressions)


def _expression(text: str, dollar: int) -> tuple[Expression, int]:
    found = _EXPRESSION.match(text, dollar)
    if found is None:
        raise InvalidTemplate(
            text, dollar, 'write ${name}, ${name*2}, ${name/2}, ${name+1} or '
            '${name-1}, without spaces and with a decimal operand without '
            'sign or leading zeros; a dollar sign is $$')
    name, operator, operand = found.groups()
    if operator is None:
        return Expression(name), found.end()
    if operator in '*/' and operand == '0':
        raise InvalidTemplate(text, dollar, f'{operator}0 is not invertible')
    return Expression(name, operator, int(operand)), found.end()
