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

"""Sets of values of one field, with just the algebra that boxes need.

Every pattern of the language, and every default test, stands for a `Span`: a
set of values given by what it holds of each type. Spans can be intersected
and subtracted exactly, and a span that is not empty has an example.
"""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses
from typing import TypeAlias
from typing import TypeVar

from nova_mdev_compat.compat.device import Value
from nova_mdev_compat.compat.variables import INT64_MAX
from nova_mdev_compat.compat.variables import INT64_MIN
from nova_mdev_compat.compat.versions import Version

#: A half-open range of integers, or of (major, minor) in their order.
Range: TypeAlias = tuple[int, int]
Release: TypeAlias = tuple[int, int]
Releases: TypeAlias = tuple[Release, Release]

FIRST_RELEASE: Release = (0, 0)
# Past every release that 255 digits can write.
LAST_RELEASE: Release = (10 ** 255, 0)
INTEGERS: tuple[Range, ...] = ((INT64_MIN, INT64_MAX + 1),)
RELEASES: tuple[Releases, ...] = ((FIRST_RELEASE, LAST_RELEASE),)


@dataclasses.dataclass(frozen=True, slots=True)
class Texts:
    """A finite set of strings, or with `others` all strings but those."""

    listed: frozenset[str] = frozenset()
    others: bool = False

    def meet(self, other: Texts) -> Texts:
        if self.others and other.others:
            return Texts(self.listed | other.listed, True)
        if self.others:
            return Texts(other.listed - self.listed)
        if other.others:
            return Texts(self.listed - other.listed)
        return Texts(self.listed & other.listed)

    def join(self, other: Texts) -> Texts:
        return self.complement().meet(other.complement()).complement()

    def complement(self) -> Texts:
        return Texts(self.listed, not self.others)

    def __bool__(self) -> bool:
        return self.others or bool(self.listed)

    def example(self) -> str:
        if not self.others:
            return min(self.listed)
        # Good as an mdev type, too.
        return next(text for text in (f'other-{number}' for number in range(
            len(self.listed) + 1)) if text not in self.listed)


@dataclasses.dataclass(frozen=True, slots=True)
class Sets:
    """The non-empty sets within `top` that are within none of `nots`.

    :param top: None stands for all strings there are.
    """

    top: frozenset[str] | None = frozenset()
    nots: frozenset[frozenset[str]] = frozenset()

    def meet(self, other: Sets) -> Sets:
        if self.top is None or other.top is None:
            top = other.top if self.top is None else self.top
        else:
            top = self.top & other.top
        return Sets(top, self.nots | other.nots)

    def __bool__(self) -> bool:
        # Whatever is within `top` and in none of `nots`, `top` itself is.
        if self.top is None:
            return True
        return bool(self.top) and not any(
            self.top <= refused for refused in self.nots)

    def example(self) -> frozenset[str]:
        if self.top is not None:
            return self.top
        refused = frozenset[str]().union(*self.nots)
        return frozenset([Texts(refused, True).example()])


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A set of values of one field; `absent` is one of them."""

    absent: bool = False
    booleans: frozenset[bool] = frozenset()
    integers: tuple[Range, ...] = ()
    texts: Texts = Texts()
    sets: tuple[Sets, ...] = ()
    releases: tuple[Releases, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.absent or self.booleans or self.integers
                    or self.texts or self.sets or self.releases)

    def meet(self, other: Span) -> Span:
        """What is in both."""
        return Span(
            self.absent and other.absent,
            self.booleans & other.booleans,
            _meet(self.integers, other.integers),
            self.texts.meet(other.texts),
            tuple(both for one in self.sets for two in other.sets
                  for both in [one.meet(two)] if both),
            _meet(self.releases, other.releases))

    def join(self, other: Span) -> Span:
        """What is in one of them."""
        return Span(
            self.absent or other.absent,
            self.booleans | other.booleans,
            _join(self.integers, other.integers),
            self.texts.join(other.texts),
            tuple(dict.fromkeys(self.sets + other.sets)),
            _join(self.releases, other.releases))

    def minus(self, other: Span) -> Span:
        """What is in this one alone."""
        return Span(
            self.absent and not other.absent,
            self.booleans - other.booleans,
            _minus(self.integers, other.integers),
            self.texts.meet(other.texts.complement()),
            _sets_minus(self.sets, other.sets),
            _minus(self.releases, other.releases))

    def example(self) -> Value | None:
        """Some value of it; None where only `absent` is left."""
        if self.texts:
            return self.texts.example()
        if self.integers:
            # Of an unbounded range, something that a person can read.
            low, high = self.integers[0]
            return 0 if low <= 0 < high else low
        if self.releases:
            major, minor = self.releases[0][0]
            return Version(f'{major}.{minor}')
        if self.booleans:
            return max(self.booleans)
        if self.sets:
            return self.sets[0].example()
        return None


#: What each kind of field can hold at all.
VERSIONS = Span(absent=True, releases=RELEASES)
STRINGS = Span(absent=True, texts=Texts(others=True))
SCALARS = Span(True, frozenset([False, True]), INTEGERS, Texts(others=True))
ANYTHING = Span(True, frozenset([False, True]), INTEGERS, Texts(others=True),
                (Sets(None),))
#: What any field can hold, whatever its kind.
EVERYTHING = dataclasses.replace(ANYTHING, releases=RELEASES)
ABSENT = Span(absent=True)


def of_values(values: Iterable[Value]) -> Span:
    """Exactly these values, sets not among them."""
    listed = list(values)
    return Span(
        booleans=frozenset(one for one in listed if isinstance(one, bool)),
        integers=tuple((one, one + 1) for one in sorted(
            {one for one in listed if isinstance(one, int)
             and not isinstance(one, bool)})),
        texts=Texts(frozenset(one for one in listed
                              if isinstance(one, str))))


def within(top: frozenset[str]) -> Span:
    """The sets that `top` holds; the empty one is the absent one."""
    return Span(absent=True, sets=(Sets(top),) if top else ())


_Bound = TypeVar('_Bound', int, Release)


def _meet(some: tuple[tuple[_Bound, _Bound], ...],
          others: tuple[tuple[_Bound, _Bound], ...]
          ) -> tuple[tuple[_Bound, _Bound], ...]:
    return tuple((max(low, first), min(high, last))
                 for low, high in some for first, last in others
                 if max(low, first) < min(high, last))


def _join(some: tuple[tuple[_Bound, _Bound], ...],
          others: tuple[tuple[_Bound, _Bound], ...]
          ) -> tuple[tuple[_Bound, _Bound], ...]:
    joined: list[tuple[_Bound, _Bound]] = []
    for low, high in sorted(some + others):
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return tuple(joined)


def _minus(some: tuple[tuple[_Bound, _Bound], ...],
           others: tuple[tuple[_Bound, _Bound], ...]
           ) -> tuple[tuple[_Bound, _Bound], ...]:
    for first, last in others:
        some = tuple(part for low, high in some
                     for part in ((low, min(high, first)),
                                  (max(low, last), high))
                     if part[0] < part[1])
    return some


def _sets_minus(some: tuple[Sets, ...],
                others: tuple[Sets, ...]) -> tuple[Sets, ...]:
    """Less what is within the others' tops, and in their nots.

    What `other` leaves out because it is within one of its `nots` stays.
    """
    for other in others:
        left = []
        for one in some:
            if other.top is not None:
                left.append(Sets(one.top, one.nots | {other.top}))
            left += [one.meet(Sets(refused)) for refused in other.nots]
        some = tuple(part for part in left if part)
    return some
