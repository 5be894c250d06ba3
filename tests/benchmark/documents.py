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

"""Documents that grow in one direction, up to the limits of the contract."""

from collections.abc import Callable
import dataclasses
from typing import Any

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Growth:
    """A family of documents.

    :param make: the destination's document of a size.
    :param source: what is asked of it, from the same size; by default its
        own `self`.
    """

    name: str
    sizes: tuple[int, ...]
    make: Callable[[int], Json]
    source: Callable[[int], Json] | None = None

    def question(self, size: int) -> tuple[Json, Json]:
        document = self.make(size)
        source = self.source(size) if self.source else document['self']
        return document, {'format': 1, 'self': source, 'compatible': []}


def document(compatible: list[Json], **device: Any) -> Json:
    return {'format': 1, 'compatible': compatible,
            'self': {'device_api': 'vfio-pci', **device}}


def _attributes(size: int, value: Any = 1) -> Json:
    return {f'a{number:02}': value for number in range(size)}


def _templates(size: int) -> Json:
    """Entries that all bind variables and fail in the last field."""
    entry = {
        'variables': {name: {'minimum': 0, 'maximum': 9} for name in 'ab'},
        'attributes': {'one': 'x${a}y${b}', 'two': '${a*2}', 'z': 'no'}}
    return document([entry] * size,
                    attributes={'one': 'x1y2', 'two': 2, 'z': 'yes'})


def _long_template(size: int) -> Json:
    return document(
        [{'variables': {'a': {'minimum': 0, 'maximum': 9}},
          'attributes': {'one': 'x' * (size - 5) + '${a}y'}}],
        attributes={'one': 'x' * (size - 5) + '5y'})


def _facts(size: int, prefix: str = '') -> Json:
    return {'device_api': 'vfio-ap', 'vfio-ap': {
        f'{prefix}{number:x}': 1 for number in range(size)}}


GROWTHS = (
    Growth('entries', (8, 16, 32, 64),
           lambda size: document([{'attributes': {'a00': 2}}] * size,
                                 attributes=_attributes(8))),
    Growth('entries with templates', (8, 16, 32),
           _templates),
    Growth('attributes of self', (8, 16, 32, 64),
           lambda size: document([{}], attributes=_attributes(size))),
    Growth('attributes of an entry', (8, 16, 32, 64),
           lambda size: document([{'attributes': _attributes(size)}],
                                 attributes=_attributes(size))),
    Growth('entries and attributes', (8, 16, 32, 64),
           lambda size: document(
               [{'attributes': {'a00': 2}} for _ in range(size)],
               attributes=_attributes(size))),
    Growth('length of a string', (32, 64, 128, 255),
           lambda size: document([{}], attributes={'one': 'x' * size})),
    Growth('length of a template', (32, 64, 128, 255), _long_template),
    Growth('members of a set', (128, 256, 512, 1024),
           lambda size: document([{}] * 8, attributes={
               'one': [f'{number:x}' for number in range(size)]})),
    Growth('values of any_of', (128, 256, 512, 1024),
           lambda size: document([{'attributes': {'one': {
               'any_of': list(range(1000, 1000 + size))}}}],
               attributes={'one': 1})),
    # Every one of them is a reason of its own.
    Growth('facts of the bus that differ', (100, 200, 400, 800),
           lambda size: {'format': 1, 'self': _facts(size),
                         'compatible': [{}] * 64},
           lambda size: _facts(size, 'x')),
    Growth('values of a variable', (128, 256, 512, 1024),
           lambda size: document([{
               'variables': {'a': {'enum': list(range(1000, 1000 + size))}},
               'attributes': {'one': '${a}'}}], attributes={'one': 1})),
)
