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

"""Which texts a template can stand for, where only some are any use.

A patch that can never match is a fault of the document, found at load. What
is certain is found here; a template that these functions pass may still
match nothing.
"""

from __future__ import annotations

from nova_mdev_compat.compat.device import is_mdev_type
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.variables import INT64_MAX
from nova_mdev_compat.compat.variables import INT64_MIN
from nova_mdev_compat.compat.variables import Variable

_HEX = frozenset('0123456789abcdef')
_PCI_DIGITS = 4


def can_be_mdev_type(template: Template,
                     variables: dict[str, Variable]) -> bool:
    """Whether it can be `<driver>-<type>`.

    Digits never matter, but a minus sign is the `-` that ends the driver's
    name. So one text for each place of the first sign is enough.
    """
    signs = [(_reaches(template, variables, i, 0, INT64_MAX),
              _reaches(template, variables, i, INT64_MIN, -1))
             for i in range(len(template.expressions))]
    numbers = ['-1' if negative and not positive else '1'
               for positive, negative in signs]
    texts = [_filled(template, numbers)]
    for place, (_, negative) in enumerate(signs):
        if negative:
            texts.append(_filled(
                template, [*numbers[:place], '-1', *numbers[place + 1:]]))
    return any(is_mdev_type(text) for text in texts)


def can_be_pci_fact(template: Template,
                    variables: dict[str, Variable]) -> bool:
    """Whether it can be four lower-case hex digits."""
    literals = ''.join(template.literals)
    if not _HEX.issuperset(literals):
        return False
    lengths = {len(literals)}
    for place in range(len(template.expressions)):
        widths = [width for width in range(1, _PCI_DIGITS + 1)
                  if _reaches(template, variables, place,
                              10 ** (width - 1) if width > 1 else 0,
                              10 ** width - 1)]
        lengths = {length + width for length in lengths for width in widths
                   if length + width <= _PCI_DIGITS}
    return _PCI_DIGITS in lengths


def _reaches(template: Template, variables: dict[str, Variable],
             place: int, low: int, high: int) -> bool:
    expression = template.expressions[place]
    return expression.reaches(variables[expression.name], low, high)


def _filled(template: Template, numbers: list[str]) -> str:
    parts = [template.literals[0]]
    for number, literal in zip(numbers, template.literals[1:]):
        parts += (number, literal)
    return ''.join(parts)
