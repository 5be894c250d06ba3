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

"""What one document accepts that another one does not."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import itertools

from nova_mdev_compat.compat import boxes
from nova_mdev_compat.compat.boxes import Box
from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import Field
from nova_mdev_compat.compat.device import field_name
from nova_mdev_compat.compat.device import Value
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.document import Level
from nova_mdev_compat.compat.patterns import shown
from nova_mdev_compat.compat import regions
from nova_mdev_compat.compat.regions import Span

# Subtractions after which a difference is no use to anybody.
_MAX_STEPS = 100_000


class TooComplex(ValueError):
    """The two documents differ in too many ways to list."""


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """Devices that one document accepts and the other does not.

    :param box: a span for every field; other fields are absent.
    :param doubtful: whether the other document may accept some of them, by a
        template with too many values to list.
    """

    device_api: str
    box: Box
    doubtful: bool = False

    @property
    def is_symbolic(self) -> bool:
        """Whether a template with too many values to list has a say."""
        return self.doubtful or boxes.has_symbol(self.box)

    def example(self) -> Device:
        """One of these devices."""
        found: dict[Field, Value] = {}
        for field, span in self.box.items():
            value = span.example()
            if value is not None:
                found[field] = value
        return Device(self.device_api, found)

    def words(self, device: Device) -> str:
        """The devices, told by how they may differ from `device`."""
        own = [field for field, span in self.box.items()
               if _is_only(span, device.fields.get(field))]
        rest = [f'{field_name(field)} {words(span, field)}'
                for field, span in sorted(self.box.items())
                if field not in own]
        missing = [f'{field_name(field)} absent' for field in sorted(
            device.fields.keys() - self.box.keys())]
        return ', '.join([*rest, *missing]) or 'its own kind'


def differences(document: Document, other: Document,
                level: Level) -> list[Difference]:
    """What `document` accepts at a level and `other` does not.

    :raises TooComplex: it cannot be told in a bounded list.
    """
    theirs = [box for box, _ in boxes.boxes(other, level)] if (
        document.device.device_api == other.device.device_api) else []
    found: list[Box] = []
    # What an earlier entry of the same document brought is told already.
    for piece, _ in _first(document, level, theirs, itertools.count()):
        _add(found, piece)
    symbolic = [box for box in theirs if boxes.has_symbol(box)]
    return [Difference(document.device.device_api, box, any(
        boxes.may_meet(box, its) for its in symbolic)) for box in found]


def made_differently(document: Document, other: Document,
                     level: Level) -> list[Difference]:
    """What both accept, but by recipes that ask for different things.

    :raises TooComplex: it cannot be told in a bounded list.
    """
    if document.device.device_api != other.device.device_api:
        return []
    theirs = list(_first(other, level, [], itertools.count()))
    steps = itertools.count()
    found: list[Box] = []
    for box, asked in _first(document, level, [], itertools.count()):
        for its, wanted in theirs:
            if asked == wanted:
                continue
            _count(steps)
            common = boxes.both(box, its)
            if common is not None:
                _add(found, common)
    return [Difference(document.device.device_api, box) for box in found]


def _first(document: Document, level: Level, others: Iterable[Box],
           steps: Iterator[int]) -> Iterator[tuple[Box, boxes.Asked]]:
    """What each entry is the first to accept, less the others, and how it is
    made.
    """
    seen = list(others)
    for box, asked in boxes.boxes(document, level):
        for piece in _less(box, seen, steps):
            yield piece, asked
        seen.append(box)


def words(span: Span, field: Field) -> str:
    """The values of a span."""
    if span == boxes.universe(field):
        return 'anything'
    return ' or '.join(_parts(span))


def _less(box: Box, others: Iterable[Box],
          steps: Iterator[int]) -> list[Box]:
    pieces = [box] if all(box.values()) else []
    for other in others:
        left: list[Box] = []
        for piece in pieces:
            _count(steps)
            left += boxes.minus(piece, other)
        pieces = left
        if not pieces:
            break
    return pieces


def _count(steps: Iterator[int]) -> None:
    if next(steps) > _MAX_STEPS:
        raise TooComplex('the documents differ in too many ways to list them')


def _add(found: list[Box], piece: Box) -> None:
    """Adds a piece, to one that differs in a single field if there is one.

    So "2", "3" and "4" of a template's values are told as "2 to 4".
    """
    for index, box in enumerate(found):
        if box.keys() != piece.keys():
            continue
        unlike = [field for field in box if box[field] != piece[field]]
        if len(unlike) == 1:
            field = unlike[0]
            found[index] = {**box, field: box[field].join(piece[field])}
            return
    found.append(piece)


def _is_only(span: Span, value: Value | None) -> bool:
    if value is None:
        return span == regions.ABSENT
    return span == regions.of_values([value])


def _parts(span: Span) -> Iterator[str]:
    if span.absent:
        yield 'absent'
    yield from (shown(value) for value in sorted(span.booleans))
    yield from (_integers(low, high) for low, high in span.integers)
    yield from _texts(span.texts)
    yield from (_sets(sets) for sets in span.sets)
    yield from (_releases(low, high) for low, high in span.releases)


def _integers(low: int, high: int) -> str:
    (first, last), = regions.INTEGERS
    if high == last:
        return 'any integer' if low == first else f'{low} and more'
    if low == first:
        return f'{high - 1} and less'
    return str(low) if high == low + 1 else f'{low} to {high - 1}'


def _texts(texts: regions.Texts) -> Iterator[str]:
    listed = ', '.join(
        boxes.symbol_words(text) if boxes.is_symbol(text) else shown(text)
        for text in sorted(texts.listed))
    if texts.others:
        yield f'any text but {listed}' if listed else 'any text'
    elif listed:
        yield listed


def _sets(sets: regions.Sets) -> str:
    text = 'any set' if sets.top is None else f'sets within {shown(sets.top)}'
    for refused in sorted(sets.nots, key=sorted):
        text += f' but not within {shown(refused)}'
    return text


def _releases(low: regions.Release, high: regions.Release) -> str:
    first = f'{low[0]}.{low[1]}'
    if high == regions.LAST_RELEASE:
        return f'{first} and later'
    if high[1] == 0:
        return f'{first} and later, before {high[0]}.0'
    last = f'{high[0]}.{high[1] - 1}'
    return first if first == last else f'{first} to {last}'
