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

"""The tests that an entry puts to one field of a source device.

A pattern is a frozen value with two answers: `match` says whether a value
fits and what it binds, `words` says what it wants, for a person.
"""

from __future__ import annotations

import abc
from collections.abc import Collection
import dataclasses
import itertools
import json

from nova_mdev_compat.compat.device import plain
from nova_mdev_compat.compat.device import same
from nova_mdev_compat.compat.device import Scalar
from nova_mdev_compat.compat.device import Value
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.variables import Bindings
from nova_mdev_compat.compat.variables import Variable
from nova_mdev_compat.compat.versions import Version


# More values than this make no sentence.
_MAX_LISTED = 16
# Made once: json.dumps would make one each time, for thousands of fields.
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def shown(value: Value | None) -> str:
    """A value as a person reads it."""
    if value is None:
        return 'nothing'
    if isinstance(value, frozenset):
        return f'[{_listed(sorted(value))}]'
    # What json.dumps does with the two, but in a tenth of the time.
    if type(value) is int:
        return str(value)
    return _ENCODER.encode(plain(value))


class Pattern(abc.ABC):
    """A test of one field; `value` is None where the source has none."""

    __slots__ = ()

    @abc.abstractmethod
    def match(self, value: Value | None,
              bound: Bindings) -> Bindings | None:
        """The bindings, with what the value adds to them; None: no match."""

    @abc.abstractmethod
    def words(self) -> str:
        """What it wants, to be read after "this device accepts"."""

    def advice(self, value: Value | None) -> str:
        """More than both values say of what does not match, or nothing."""
        return ''


@dataclasses.dataclass(frozen=True, slots=True)
class Equal(Pattern):
    """A scalar, of the same type: `true` is not 1."""

    wanted: Scalar

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        return bound if same(value, self.wanted) else None

    def words(self) -> str:
        return f'only {shown(self.wanted)}'


@dataclasses.dataclass(frozen=True, slots=True)
class Superset(Pattern):
    """A set that holds all that the source's set holds."""

    wanted: frozenset[str]

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        if value is None:
            return bound
        fits = isinstance(value, frozenset) and value <= self.wanted
        return bound if fits else None

    def words(self) -> str:
        return f'no more than the set {shown(self.wanted)}'

    def advice(self, value: Value | None) -> str:
        if not isinstance(value, frozenset):
            return 'it wants a set of strings'
        return f'it lacks {shown(value - self.wanted)}'


@dataclasses.dataclass(frozen=True, slots=True)
class Text(Pattern):
    """A template, with the variables that its entry declares."""

    template: Template
    variables: dict[str, Variable]

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return None
        return self.template.bind(value, self.variables, bound)

    def words(self) -> str:
        ranges = ', '.join(
            f'{name} {domain(self.variables[name])}'
            for name in sorted(self.template.names))
        return f'only {shown(self.template.text)} with {ranges}'


@dataclasses.dataclass(frozen=True, slots=True)
class AnyOf(Pattern):
    """One of some scalars."""

    wanted: tuple[Scalar, ...]

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        fits = any(same(value, wanted) for wanted in self.wanted)
        return bound if fits else None

    def words(self) -> str:
        return 'only one of ' + _listed(self.wanted)


@dataclasses.dataclass(frozen=True, slots=True)
class Between(Pattern):
    """An integer in a range; None leaves a side open."""

    minimum: int | None
    maximum: int | None

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        if self.minimum is not None and value < self.minimum:
            return None
        if self.maximum is not None and value > self.maximum:
            return None
        return bound

    def words(self) -> str:
        return 'only an integer ' + _range(self.minimum, self.maximum)


@dataclasses.dataclass(frozen=True, slots=True)
class Loads(Pattern):
    """The rule of versions: the same major, a minor that is not newer.

    :param named: whether an entry names the version; else it is `self`'s.
    """

    version: Version
    named: bool = False

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        fits = isinstance(value, Version) and self.version.loads(value)
        return bound if fits else None

    def words(self) -> str:
        major, minor = self.version.release
        return f'only {major}.0 to {major}.{minor} (the same major, and no ' \
            'newer minor)'

    def advice(self, value: Value | None) -> str:
        if not isinstance(value, Version):
            return 'a version on one side only is a mismatch'
        if value.major != self.version.major:
            return ''
        release = f'{value.major}.{value.minor} or newer'
        return f'its document would have to name {release}' if self.named \
            else f'a destination at {release} would load it'


@dataclasses.dataclass(frozen=True, slots=True)
class Releases(Pattern):
    """A range of versions, on (major, minor); None leaves a side open."""

    minimum: Version | None
    maximum: Version | None

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        if not isinstance(value, Version):
            return None
        if self.minimum and value.release < self.minimum.release:
            return None
        if self.maximum and value.release > self.maximum.release:
            return None
        return bound

    def words(self) -> str:
        return 'only a version ' + _range(self.minimum, self.maximum)


@dataclasses.dataclass(frozen=True, slots=True)
class Anything(Pattern):
    """Don't care; may be absent."""

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        return bound

    def words(self) -> str:
        return 'anything'


@dataclasses.dataclass(frozen=True, slots=True)
class Absent(Pattern):
    """The source must not have the field."""

    def match(self, value: Value | None, bound: Bindings) -> Bindings | None:
        return bound if value is None else None

    def words(self) -> str:
        return 'only a device without it'


def default(value: Value | None) -> Pattern:
    """The test for a field that an entry does not name, from `self`'s."""
    if value is None:
        return Absent()
    if isinstance(value, frozenset):
        return Superset(value)
    if isinstance(value, Version):
        return Loads(value)
    return Equal(value)


def domain(variable: Variable) -> str:
    """The integers that a variable stands for, in words."""
    if variable.values is not None:
        return 'one of ' + _listed(sorted(variable.values))
    return f'from {variable.minimum} to {variable.maximum}'


def _listed(values: Collection[Scalar]) -> str:
    listed = ', '.join(shown(value)
                       for value in itertools.islice(values, _MAX_LISTED))
    if len(values) <= _MAX_LISTED:
        return listed
    return f'{listed}, ... ({len(values)} in all)'


def _range(minimum: object | None, maximum: object | None) -> str:
    if minimum is None:
        return f'up to {maximum}'
    if maximum is None:
        return f'from {minimum}'
    return f'from {minimum} to {maximum}'
