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

"""Pairing, against everything that Nova could do, one by one."""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import itertools
import json
from typing import Any
import uuid

import ddt
import hypothesis
import hypothesis.strategies as st
import testtools

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement import pairing
from nova_mdev_compat.placement.pairing import HeldDevice

CLASS = 'VGPU'
PHYSICAL = 'physical'
UNPUBLISHED = 'unpublished'
KINDS = ('acme-a', 'acme-b', 'acme-c', PHYSICAL, UNPUBLISHED)
MAX_PROVIDERS = 3
MAX_AMOUNT = 2
SETTINGS = hypothesis.settings(deadline=None, max_examples=150)

#: Indexes of a source and of a destination.
Pair = tuple[int, int]
#: A provider's kind of device, and how many there are.
Held = tuple[str, int]


def _document(kind: str) -> Document:
    device = {'device_api': 'vfio-pci'}
    if kind != PHYSICAL:
        device['mdev_type'] = kind
    return loading.load(json.dumps(
        {'format': 1, 'self': device, 'compatible': []}))


DOCUMENTS = {kind: _document(kind) for kind in KINDS if kind != UNPUBLISHED}


def held(kind: str, amount: int = 1) -> HeldDevice:
    return HeldDevice(str(uuid.uuid4()), CLASS, amount,
                      None if kind == UNPUBLISHED else kind,
                      DOCUMENTS.get(kind))


@dataclasses.dataclass(frozen=True)
class Case:
    """What is carried over, where to, and which pairs are accepted."""

    sources: tuple[HeldDevice, ...]
    destinations: tuple[HeldDevice, ...]
    refused: frozenset[Pair]
    every: bool = True

    @classmethod
    def of(cls, sources: Sequence[Held], destinations: Sequence[Held],
           refused: Sequence[Pair] = (), every: bool = True) -> 'Case':
        return cls(tuple(itertools.starmap(held, sources)),
                   tuple(itertools.starmap(held, destinations)),
                   frozenset(refused), every)

    def fits(self) -> bool:
        return pairing.fits(self.sources, self.destinations, self.accepts,
                            self.every)

    def accepts(self, source: HeldDevice, destination: HeldDevice) -> bool:
        pair = (self.sources.index(source),
                self.destinations.index(destination))
        return pair not in self.refused

    def __repr__(self) -> str:
        def shown(devices: Sequence[HeldDevice]) -> list[Held]:
            return [(one.digest or UNPUBLISHED, one.amount)
                    for one in devices]
        return (f'Case.of({shown(self.sources)}, {shown(self.destinations)},'
                f' {sorted(self.refused)}, {self.every})')


def expected(case: Case) -> bool:
    """Whether every device has a partner that accepts it, in each way in
    which Nova can pair them.
    """
    wanted = sum(one.amount for one in case.sources)
    offered = sum(one.amount for one in case.destinations)
    if case.every and offered < wanted:
        return False
    return all(case.refused.isdisjoint(assignment)
               for world in worlds(case)
               for assignment in assignments(*world))


def worlds(case: Case) -> Iterator[tuple[list[Any], list[Any]]]:
    """Units (index, type) of both ends, for each way in which the types of
    the unpublished devices could be.

    They could be any published type, or types that nobody has published,
    some of which may be equal.
    """
    devices = [*case.sources, *case.destinations]
    unknown = [number for number, one in enumerate(devices)
               if one.document is None]
    known = {one.mdev_type for one in devices if one.mdev_type is not None}
    types = [*sorted(known), *(f'other-{number}'
                               for number in range(len(unknown)))]
    for guess in itertools.product(types, repeat=len(unknown)):
        guessed = dict(zip(unknown, guess))
        units: list[list[Any]] = [[], []]
        for number, one in enumerate(devices):
            there = number >= len(case.sources)
            index = number - len(case.sources) * there
            kind = guessed.get(number, one.mdev_type)
            units[there] += [(index, kind)] * one.amount
        yield units[0], units[1]


def assignments(sources: list[Any],
                destinations: list[Any]) -> Iterator[set[Pair]]:
    """Every way in which Nova can pair units: equal type names first.

    A physical device has no type name, so it is always among what is left
    over.
    """
    for source_order in _orders(sources):
        for order in _orders(destinations):
            yield _pair(source_order, list(order))


def _orders(units: list[Any]) -> set[tuple[Any, ...]]:
    # Units of one provider are alike.
    return set(itertools.permutations(units))


def _pair(sources: Sequence[Any], free: list[Any]) -> set[Pair]:
    pairs, left = set(), []
    for index, kind in sources:
        same = next((unit for unit in free
                     if kind is not None and unit[1] == kind), None)
        if same is None:
            left.append(index)
        else:
            free.remove(same)
            pairs.add((index, same[0]))
    pairs.update((index, unit[0]) for index, unit in zip(left, free))
    return pairs


@st.composite
def cases(draw: st.DrawFn, kinds: Sequence[str] = KINDS) -> Case:
    """Few units, so that all orders can be tried."""
    ends = st.lists(
        st.tuples(st.sampled_from(kinds), st.integers(1, MAX_AMOUNT)),
        min_size=1, max_size=MAX_PROVIDERS).filter(
            lambda found: sum(amount for _, amount in found) <= 3)
    sources, destinations = draw(ends), draw(ends)
    every_pair = list(itertools.product(range(len(sources)),
                                        range(len(destinations))))
    refused = draw(st.lists(st.sampled_from(every_pair), max_size=2))
    return Case.of(sources, destinations, refused, draw(st.booleans()))


class TestAgainstEveryAssignment(testtools.TestCase):

    @SETTINGS
    @hypothesis.given(cases(KINDS[:3]))
    def test_mdevs(self, case: Case) -> None:
        self.assertEqual(expected(case), case.fits(), repr(case))

    @SETTINGS
    @hypothesis.given(cases(KINDS[:4]))
    def test_physical_devices_too(self, case: Case) -> None:
        self.assertEqual(expected(case), case.fits(), repr(case))

    @SETTINGS
    @hypothesis.given(cases(KINDS[:2] + (UNPUBLISHED,)))
    def test_unpublished_devices_too(self, case: Case) -> None:
        self.assertEqual(expected(case), case.fits(), repr(case))

    @SETTINGS
    @hypothesis.given(cases())
    def test_everything(self, case: Case) -> None:
        self.assertEqual(expected(case), case.fits(), repr(case))


A, B, U = 'acme-a', 'acme-b', UNPUBLISHED

#: Title, case, answer.
TABLE = (
    ('one kind', Case.of([(A, 2)], [(A, 2)]), True),
    ('one kind that is refused', Case.of([(A, 2)], [(A, 2)], [(0, 0)]),
     False),
    ('too few', Case.of([(A, 2)], [(A, 1)]), False),
    ('too few for what a resize gives up',
     Case.of([(A, 2)], [(A, 1)], every=False), True),
    ('more than are needed', Case.of([(A, 1)], [(A, 1), (A, 1)]), True),
    ('more than are needed, one of which is refused',
     Case.of([(A, 1)], [(A, 1), (A, 1)], [(0, 1)]), False),
    ('each has its own type, crosswise pairs are never made',
     Case.of([(A, 1), (B, 1)], [(B, 1), (A, 1)], [(0, 0), (1, 1)]), True),
    ('another type that accepts it', Case.of([(A, 1)], [(B, 1)]), True),
    ('another type that refuses it',
     Case.of([(A, 1)], [(B, 1)], [(0, 0)]), False),
    ('one of two has to go to another type that refuses it',
     Case.of([(A, 1), (A, 1)], [(A, 1), (B, 1)], [(1, 1)]), False),
    ('what is left over goes anywhere',
     Case.of([(A, 2), (B, 1)], [(A, 1), (B, 2)], [(0, 1)]), False),
    ('a type with none to spare is left alone',
     Case.of([(A, 2), (B, 1)], [(A, 1), (B, 1), (PHYSICAL, 1)], [(0, 1)]),
     True),
    ('an unpublished destination might be of its type',
     Case.of([(A, 1)], [(A, 1), (U, 1)], [(0, 1)]), False),
    ('an unpublished source might take the place of its type',
     Case.of([(A, 1), (U, 1)], [(A, 1), (B, 1)], [(0, 1)]), False),
    ('an unpublished source might be of any type',
     Case.of([(B, 1), (U, 1)], [(B, 1), (A, 1)], [(1, 0)]), False),
    ('an unpublished destination might take over from a type',
     Case.of([(A, 1), (B, 1)], [(B, 1), (U, 1)], [(0, 0)]), False),
    ('nothing to carry over', Case.of([], [(A, 1)]), True),
)


@ddt.ddt
class TestTable(testtools.TestCase):

    @ddt.data(*TABLE)
    @ddt.unpack
    def test_fits(self, title: str, case: Case, fits: bool) -> None:
        self.assertEqual(fits, case.fits(), title)

    @ddt.data(*TABLE)
    @ddt.unpack
    def test_oracle(self, title: str, case: Case, fits: bool) -> None:
        self.assertEqual(fits, expected(case), title)

    def test_amount(self) -> None:
        self.assertEqual(3, pairing.amount([held(A, 2), held(U, 1)]))

    def test_type_of_a_device(self) -> None:
        self.assertEqual([A, None, None], [
            held(kind).mdev_type for kind in (A, PHYSICAL, U)])
