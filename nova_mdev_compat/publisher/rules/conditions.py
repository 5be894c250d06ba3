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

"""Conditions on facts."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import fnmatch
import itertools
import re
from typing import Any
from typing import Protocol
from typing import TypeAlias

from nova_mdev_compat.compat.device import same
from nova_mdev_compat.compat.device import Scalar
from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.facts import Facts

# What a fact begins with where it is compared as numbers.  Longer numbers
# than any release has would make int() slow.
_NUMBERS = re.compile(r'[0-9]{1,18}(?:\.[0-9]{1,18})*')
_MAX_TEXT = 255

Numbers: TypeAlias = tuple[int, ...]


class Condition(Protocol):
    """Something that facts fulfil, or do not.  Never an error."""

    def holds(self, facts: Facts) -> bool:
        """Whether these facts fulfil it."""


class Test(Protocol):
    """Something that one fact fulfils, or does not."""

    def passes(self, fact: Fact | None) -> bool:
        """Whether the fact does; None: it is not known."""


@dataclasses.dataclass(frozen=True, slots=True)
class AllOf:
    """All conditions hold; so do none at all."""

    conditions: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        return all(condition.holds(facts) for condition in self.conditions)


@dataclasses.dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition holds."""

    conditions: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        return any(condition.holds(facts) for condition in self.conditions)


@dataclasses.dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: Condition

    def holds(self, facts: Facts) -> bool:
        return not self.condition.holds(facts)


@dataclasses.dataclass(frozen=True, slots=True)
class Tested:
    """One fact passes a test."""

    name: str
    test: Test

    def holds(self, facts: Facts) -> bool:
        return self.test.passes(facts.get(self.name))


@dataclasses.dataclass(frozen=True, slots=True)
class OneOf:
    """The fact is one of the values; `true` is not 1."""

    values: tuple[Scalar, ...]

    def passes(self, fact: Fact | None) -> bool:
        return not isinstance(fact, tuple) and any(
            same(fact, value) for value in self.values)


@dataclasses.dataclass(frozen=True, slots=True)
class Glob:
    """The whole text matches a shell's pattern; case counts.

    fnmatch makes an expression of it that does not backtrack into what a
    star has taken, and both texts are bounded.
    """

    pattern: str

    def passes(self, fact: Fact | None) -> bool:
        return isinstance(fact, str) and len(fact) <= _MAX_TEXT \
            and fnmatch.fnmatchcase(fact, self.pattern)


@dataclasses.dataclass(frozen=True, slots=True)
class Between:
    """An integer between two, both included."""

    minimum: int | None
    maximum: int | None

    def passes(self, fact: Fact | None) -> bool:
        return isinstance(fact, int) and not isinstance(fact, bool) \
            and (self.minimum is None or self.minimum <= fact) \
            and (self.maximum is None or fact <= self.maximum)


@dataclasses.dataclass(frozen=True, slots=True)
class Releases:
    """A text that begins with numbers, such as `6.12.57+deb13-amd64`.

    Only as many numbers are compared as the bound has, so `6.18.3` is not
    over `6.18`; what the text lacks is 0.
    """

    minimum: Numbers | None
    maximum: Numbers | None

    def passes(self, fact: Fact | None) -> bool:
        found = _NUMBERS.match(fact[:_MAX_TEXT]) \
            if isinstance(fact, str) else None
        if found is None:
            return False
        numbers = _numbers(found[0])
        return (self.minimum is None
                or _cut(numbers, self.minimum) >= self.minimum) and (
            self.maximum is None
            or _cut(numbers, self.maximum) <= self.maximum)


@dataclasses.dataclass(frozen=True, slots=True)
class Contains:
    """The fact is a set that has the text."""

    text: str

    def passes(self, fact: Fact | None) -> bool:
        return isinstance(fact, tuple) and self.text in fact


@dataclasses.dataclass(frozen=True, slots=True)
class Present:
    """The fact is known, or is not."""

    wanted: bool

    def passes(self, fact: Fact | None) -> bool:
        return (fact is not None) == self.wanted


def read(value: Mapping[str, Any]) -> Condition:
    """The condition of a mapping that the JSON Schema has passed."""
    return AllOf(tuple(itertools.chain.from_iterable(
        _members(name, member) for name, member in value.items())))


def _members(name: str, value: Any) -> Iterator[Condition]:
    if name == 'all_of':
        yield from map(read, value)
    elif name == 'any_of':
        yield AnyOf(tuple(map(read, value)))
    elif name == 'not':
        yield Not(read(value))
    else:
        yield Tested(name, _test(value))


def _test(value: Any) -> Test:
    if not isinstance(value, dict):
        return OneOf((value,))
    if 'any_of' in value:
        return OneOf(tuple(value['any_of']))
    if 'glob' in value:
        return Glob(value['glob'])
    if 'contains' in value:
        return Contains(value['contains'])
    if 'present' in value or 'absent' in value:
        return Present('present' in value)
    bounds = [value.get(name) for name in ('minimum', 'maximum')]
    if any(isinstance(bound, str) for bound in bounds):
        return Releases(*(None if bound is None else _numbers(bound)
                          for bound in bounds))
    return Between(*bounds)


def find_faults(value: Mapping[str, Any],
                path: Path) -> Iterator[tuple[Path, str]]:
    """What the JSON Schema cannot see: ranges that hold for nothing."""
    for name, member in value.items():
        inside = (*path, name)
        if name == 'not':
            yield from find_faults(member, inside)
        elif name in ('all_of', 'any_of'):
            for index, item in enumerate(member):
                yield from find_faults(item, (*inside, index))
        elif isinstance(member, dict) and {'minimum', 'maximum'} <= set(
                member):
            yield from _range_faults(member['minimum'], member['maximum'],
                                     inside)


def _range_faults(minimum: Any, maximum: Any,
                  path: Path) -> Iterator[tuple[Path, str]]:
    texts = isinstance(minimum, str), isinstance(maximum, str)
    if texts[0] != texts[1]:
        yield path, 'minimum and maximum are both integers, or both texts'
    elif texts[0]:
        low, high = _numbers(minimum), _numbers(maximum)
        if _cut(low, high) > high:
            yield path, f'the minimum {minimum} is over the maximum {maximum}'
    elif isinstance(minimum, int) and isinstance(maximum, int) \
            and minimum > maximum:
        yield path, f'the minimum {minimum} is over the maximum {maximum}'


def _numbers(text: str) -> Numbers:
    return tuple(int(number) for number in text.split('.'))


def _cut(numbers: Numbers, bound: Numbers) -> Numbers:
    """As many of the numbers as the bound has."""
    return (*numbers, *(0,) * len(bound))[:len(bound)]
