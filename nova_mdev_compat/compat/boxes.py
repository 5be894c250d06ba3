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

"""What an entry accepts, as boxes: a span for every field.

A template ties fields together, so an entry with variables becomes a box for
each of their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import itertools
import math
from typing import TypeAlias

from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import Field
from nova_mdev_compat.compat.device import MDEV_TYPE
from nova_mdev_compat.compat.device import same
from nova_mdev_compat.compat.device import SOFTWARE_VERSION
from nova_mdev_compat.compat.device import Value
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.document import Entry
from nova_mdev_compat.compat.document import Level
from nova_mdev_compat.compat import patterns
from nova_mdev_compat.compat import regions
from nova_mdev_compat.compat.regions import Span
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.templates import Unfillable
from nova_mdev_compat.compat.variables import Bindings
from nova_mdev_compat.compat.variables import INT64_MAX
from nova_mdev_compat.compat.variables import INT64_MIN
from nova_mdev_compat.compat.variables import Variable
from nova_mdev_compat.compat.versions import Version

#: A field that a box does not have must be absent.
Box: TypeAlias = Mapping[Field, Span]

# Values of an entry's variables together, up to which each gets a box.
MAX_BINDINGS = 256


#: What a recipe asks for beside what `self` is: fields, and their values with
#: the type, since `true` is not 1.
Asked: TypeAlias = frozenset[tuple[Field, str, Value | None]]


def boxes(document: Document,
          level: Level) -> Iterator[tuple[Box, Asked]]:
    """What the document's entries accept, and how it is made here.

    The boxes may overlap; what is in several is made as the first one says.
    An entry whose variables have too many values gets one box, in which a
    template is equal to nothing but itself.
    """
    for entry in document.entries:
        if level == 'live' and entry.level == 'cold':
            continue
        for bound in _bindings(entry):
            try:
                if bound is not None:
                    entry.recipe.fill(bound)
                yield (_box(entry, document.device, bound),
                       frozenset(_asked(entry, document.device, bound)))
            except Unfillable:
                continue


def minus(box: Box, other: Box) -> Iterator[Box]:
    """What is in one box alone, as boxes that do not overlap."""
    rest = dict(box)
    for field in sorted({*box, *other}):
        mine = rest.get(field, regions.ABSENT)
        its = other.get(field, regions.ABSENT)
        outside = mine.minus(its)
        if outside:
            yield {**rest, field: outside}
        both = mine.meet(its)
        if not both:
            return
        rest[field] = both


def both(box: Box, other: Box) -> Box | None:
    """What is in both boxes, or None."""
    met = {field: box.get(field, regions.ABSENT).meet(
        other.get(field, regions.ABSENT)) for field in {*box, *other}}
    return met if all(met.values()) else None


def has_symbol(box: Box) -> bool:
    """Whether a template in it stands for too many values to list."""
    return any(map(_has_symbol, box.values()))


def may_meet(box: Box, other: Box) -> bool:
    """Whether two boxes may have something in common, whatever the values of
    the other one's symbols are.
    """
    return both(box, {
        field: regions.EVERYTHING if _has_symbol(span) else span
        for field, span in other.items()}) is not None


def _has_symbol(span: Span) -> bool:
    return any(map(is_symbol, span.texts.listed))


def universe(field: Field) -> Span:
    """What a field can hold."""
    if field == SOFTWARE_VERSION:
        return regions.VERSIONS
    if field == MDEV_TYPE or field[0] == 'vfio-pci':
        return regions.STRINGS
    return regions.ANYTHING if field[0] == 'attributes' else regions.SCALARS


def _variables(entry: Entry) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for pattern in entry.named.values():
        if isinstance(pattern, patterns.Text):
            found.update(pattern.variables)
    return found


def _bindings(entry: Entry) -> Iterator[Bindings | None]:
    """Every value of the variables; None when there are too many."""
    domains = {name: variable.values or range(
        variable.minimum, variable.maximum + 1)
        for name, variable in sorted(_variables(entry).items())}
    if math.prod(map(len, domains.values())) > MAX_BINDINGS:
        yield None
        return
    for values in itertools.product(*map(sorted, domains.values())):
        yield dict(zip(domains, values))


def _box(entry: Entry, device: Device, bound: Bindings | None) -> Box:
    tests = {field: patterns.default(value)
             for field, value in device.fields.items()}
    tests.update(entry.named)
    return {field: _span(pattern, bound).meet(universe(field))
            for field, pattern in tests.items()}


def _asked(entry: Entry, device: Device, bound: Bindings | None
           ) -> Iterator[tuple[Field, str, Value | None]]:
    for field, value in entry.recipe.fields.items():
        wanted: Value | None
        if isinstance(value, Template):
            wanted = _filled(value, bound)
        elif isinstance(value, tuple):
            wanted = frozenset(value) or None
        else:
            wanted = value
        if not same(wanted, device.fields.get(field)):
            yield field, type(wanted).__name__, wanted


def _filled(template: Template, bound: Bindings | None) -> str | int:
    if bound is None and template.expressions:
        return f'\0{template.text}'
    # Of an mdev type this is text: no number alone is one.
    return template.fill_value(bound or {})


def _span(pattern: patterns.Pattern, bound: Bindings | None) -> Span:
    if isinstance(pattern, patterns.Text):
        return _of_template(pattern, bound)
    if isinstance(pattern, patterns.Between):
        low = INT64_MIN if pattern.minimum is None else pattern.minimum
        high = INT64_MAX if pattern.maximum is None else pattern.maximum
        return Span(integers=((low, high + 1),))
    if isinstance(pattern, (patterns.Loads, patterns.Releases)):
        return Span(releases=(_releases(pattern),))
    if isinstance(pattern, patterns.Superset):
        return regions.within(pattern.wanted)
    if isinstance(pattern, patterns.AnyOf):
        return regions.of_values(pattern.wanted)
    if isinstance(pattern, patterns.Equal):
        return regions.of_values([pattern.wanted])
    return regions.ABSENT if isinstance(pattern, patterns.Absent) \
        else regions.EVERYTHING


def is_symbol(text: str) -> bool:
    """Whether a text stands for the many values of a template."""
    return text.startswith('\0')


def symbol_words(text: str) -> str:
    """The template that it stands for, and the values of its variables."""
    return text.lstrip('\0')


def _of_template(pattern: patterns.Text, bound: Bindings | None) -> Span:
    template = pattern.template
    if bound is None:
        # Equal to a template of the same text and values, and to nothing
        # else: a text of a source that begins like this does not come up.
        return regions.of_values([f'\0{pattern.words()}'])
    # An expression alone is an integer too.
    return regions.of_values([template.fill_value(bound),
                              template.fill(bound)])


def _releases(pattern: patterns.Loads | patterns.Releases
              ) -> regions.Releases:
    if isinstance(pattern, patterns.Loads):
        return (pattern.version.major, 0), _after(pattern.version)
    first = regions.FIRST_RELEASE if pattern.minimum is None \
        else pattern.minimum.release
    last = regions.LAST_RELEASE if pattern.maximum is None \
        else _after(pattern.maximum)
    return first, last


def _after(version: Version) -> regions.Release:
    return version.major, version.minor + 1
