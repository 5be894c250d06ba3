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

"""What an entry accepts as boxes, and the algebra of their spans."""

import json
from typing import Any

import ddt
import testtools

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat import boxes
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.regions import ANYTHING
from nova_mdev_compat.compat.regions import SCALARS
from nova_mdev_compat.compat.regions import Span
from nova_mdev_compat.compat.regions import STRINGS
from nova_mdev_compat.compat.regions import Texts
from nova_mdev_compat.compat.regions import VERSIONS

INT64_MIN, INT64_MAX = -2 ** 63, 2 ** 63 - 1


def fresh(text: str) -> str:
    """The text, not the object that a literal of it is."""
    return ''.join([text[:1], text[1:]])


def document(compatible: list[Any], **device: Any) -> Document:
    return loading.load(json.dumps({
        'format': 1, 'compatible': compatible,
        'self': {'device_api': 'vfio-pci', 'mdev_type': 'a-b', **device}}))


def spans(patch: Any, **variables: Any) -> list[Span]:
    """What the boxes of an entry with this patch say of its field."""
    entry: Any = {'attributes': {'x': patch}}
    if variables:
        entry['variables'] = variables
    return [box['attributes', 'x']
            for box, _ in boxes.boxes(document([entry]), 'live')]


UNIVERSES = (
    (('software_version',), VERSIONS),
    (('mdev_type',), STRINGS),
    (('vfio-pci', 'vendor'), STRINGS),
    (('vfio-ccw', 'chpid_type'), SCALARS),
    (('vfio-ap', 'vfio-pci'), SCALARS),
    (('vfio-amba', 'attributes'), SCALARS),
    (('vfio-platform', 'x'), SCALARS),
    (('attributes', 'vfio-pci'), ANYTHING),
    (('attributes', 'x'), ANYTHING),
)

PATCHES = (
    (3, [Span(integers=((3, 4),))]),
    (True, [Span(booleans=frozenset([True]))]),
    ({'minimum': 5}, [Span(integers=((5, INT64_MAX + 1),))]),
    ({'maximum': 5}, [Span(integers=((INT64_MIN, 6),))]),
    ({'minimum': 2, 'maximum': 5}, [Span(integers=((2, 6),))]),
    ({'any_of': [1, 'a', False]}, [Span(
        booleans=frozenset([False]), integers=((1, 2),),
        texts=Texts(frozenset(['a'])))]),
    ({'any': True}, [ANYTHING]),
    ({'absent': True}, [Span(absent=True)]),
)


def number(value: int) -> Span:
    return Span(integers=((value, value + 1),),
                texts=Texts(frozenset([str(value)])))


@ddt.ddt
class TestBoxes(testtools.TestCase):

    @ddt.data(*UNIVERSES)
    @ddt.unpack
    def test_universe(self, field: tuple[str, ...], span: Span) -> None:
        self.assertEqual(span, boxes.universe(tuple(map(fresh, field))))

    @ddt.data(*PATCHES)
    @ddt.unpack
    def test_patch(self, patch: Any, wanted: list[Span]) -> None:
        self.assertEqual(wanted, spans(patch))

    def test_values_of_a_variable(self) -> None:
        self.assertEqual(
            list(map(number, (1, 2, 3))),
            spans('${v}', v={'minimum': 1, 'maximum': 3}))
        self.assertEqual(
            list(map(number, (1, 4))), spans('${v}', v={'enum': [4, 1]}))

    def test_values_of_several_variables(self) -> None:
        self.assertEqual(
            [Span(texts=Texts(frozenset([text])))
             for text in ('1.7', '1.9', '2.7', '2.9')],
            spans('${v}.${w}', v={'enum': [1, 2]}, w={'enum': [7, 9]}))

    def test_version(self) -> None:
        (found, _), = boxes.boxes(
            document([{}], software_version='1.3'), 'live')
        self.assertEqual(Span(releases=(((1, 0), (1, 4)),)),
                         found['software_version',])

    def test_what_the_recipe_cannot_make_is_no_box(self) -> None:
        found = boxes.boxes(document([{
            'variables': {'v': {'minimum': 1, 'maximum': 4}},
            'attributes': {'x': '${v}'},
            'create': {'attributes': {'x': '${v/2}'}}}]), 'live')
        self.assertEqual([number(2), number(4)],
                         [box['attributes', 'x'] for box, _ in found])

    def test_many_values_are_one_box(self) -> None:
        self.assertEqual(256, len(spans('${v}', v={
            'minimum': 1, 'maximum': 256})))
        self.assertEqual(1, len(spans('${v}', v={
            'minimum': 1, 'maximum': 257})))
        self.assertEqual(1, len(spans(
            '${v}.${w}', v={'minimum': 1, 'maximum': 16},
            w={'minimum': 0, 'maximum': 16})))

    def test_levels(self) -> None:
        found = document([{}, {'level': 'cold'}, {'level': 'live'}])
        self.assertEqual(2, len(list(boxes.boxes(found, fresh('live')))))
        self.assertEqual(3, len(list(boxes.boxes(found, fresh('cold')))))
