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

"""The commands that say in words what documents mean: show and diff."""

from typing import Any

import ddt

from nova_mdev_compat.codec import canonical
from tests.unit import commands
from tests.unit import crafted

Json = dict[str, Any]


def document(*entries: Json, **device: Any) -> Json:
    return {'format': 1, 'compatible': list(entries),
            'self': {'device_api': 'vfio-pci', 'mdev_type': 'a-b', **device}}


def wide(maximum: int, **members: Any) -> Json:
    return {'variables': {'n': {'minimum': 1, 'maximum': maximum}},
            'attributes': {'x': '${n}'}, **members}


def recipes(add: int) -> list[Json]:
    """Entries whose values take too long to compare with those of others."""
    return [wide(180, attributes={'x': '${n}', 'y': y},
                 create={'attributes': {'x': f'${{n+{add}}}'}})
            for y in (1, 2)]


#: Title, two documents, and how the lines begin; none where they are equal.
DIFFERENCES: tuple[tuple[str, Json, Json, list[str]], ...] = (
    ('the same', crafted.EXAMPLE, crafted.EXAMPLE, []),
    ('an entry that brings nothing', document({}), document({}, {}), []),
    ('a newer minor', document({}, software_version='1.3'),
     document({}, software_version='1.5'),
     ['A is a-b, device_api vfio-pci, software_version 1.3',
      'B is a-b, device_api vfio-pci, software_version 1.5',
      'only B accepts: software_version 1.4 to 1.5']),
    ('both ways', document({'attributes': {'x': {'any_of': [1, 2]}}}),
     document({'attributes': {'x': {'any_of': [2, 3]}}}),
     ['only B accepts: x 3', 'only A accepts: x 1']),
    ('true is not 1', document(attributes={'x': 1}),
     document(attributes={'x': True}),
     ['A is a-b, device_api vfio-pci, x 1',
      'B is a-b, device_api vfio-pci, x true']),
    ('another device API', document(),
     {**document(), 'self': {'device_api': 'vfio-ap', 'mdev_type': 'a-b'}},
     ['A is a-b, device_api vfio-pci', 'B is a-b, device_api vfio-ap']),
    ('cold moves only', document(), document({'level': 'cold'}),
     ['only B accepts, cold: its own kind']),
    ('made differently', document({'create': {'attributes': {'x': 1}}}),
     document({'create': {'attributes': {'x': True}}}),
     ['both accept, but make differently ("create"): its own kind']),
    ('made differently, live',
     document({}, {'level': 'cold', 'create': {'attributes': {'x': 1}}}),
     document({'level': 'cold', 'create': {'attributes': {'x': 1}}}, {}),
     ['both accept, but make differently ("create"), cold: its own kind']),
    ('many', document(), document(*(
        {'attributes': {f'x{number}': 1}} for number in range(10, 31))),
     [*(f'only B accepts: x{number} 1' for number in range(10, 30)),
      '... and 1 more']),
    ('many, but not too many', document(), document(*(
        {'attributes': {f'x{number}': 1}} for number in range(10, 30))),
     [f'only B accepts: x{number} 1' for number in range(10, 30)]),
    ('values that are not tried', document(wide(300)), document(wide(400)),
     ['only B accepts: x only "${n}" with n from 1 to 400',
      'only A accepts: x only "${n}" with n from 1 to 300',
      '(variables with more than 256 values are not tried one by one']),
    ('too many recipes', document(*recipes(1)), document(*recipes(2)),
     ['what both accept may be made differently ("create"): there is too much '
      'of it to compare']),
)


@ddt.ddt
class TestDiff(commands.CommandTestCase):

    def diff(self, one: Json, other: Json) -> commands.Result:
        return self.run_command('diff', self.file('one.json', one),
                                self.file('other.json', other))

    @ddt.data(*DIFFERENCES)
    @ddt.unpack
    def test_lines(self, title: str, one: Json, other: Json,
                   wanted: list[str]) -> None:
        result = self.diff(one, other)
        self.assertEqual(1 if wanted else 0, result.status, title)
        lines = result.out.splitlines()
        self.assertEqual(len(wanted), len(lines), result.out)
        for line, start in zip(lines, wanted):
            self.assertEqual(start, line[:len(start)])
        if not lines or lines[-1][0] != '(':
            self.assertEqual(wanted[:20], lines[:20], title)

    def test_too_complex(self) -> None:
        many = [wide(256, attributes={'x': '${n}', 'y': y}) for y in range(3)]
        self.assertEqual(0, self.diff(document(*many),
                                      document(*many)).status)
        result = self.diff(document(*many), document(*many[::-1]))
        self.assertEqual((2, ''), (result.status, result.out))
        self.assertIn('differ in too many ways', result.err)

    def test_bad_input(self) -> None:
        valid = self.file('valid.json', document())
        invalid = self.file('invalid.json', {})
        for arguments, words in (
                ((valid, invalid), 'invalid.json: /self'),
                ((invalid, valid), 'invalid.json: /self'),
                ((valid, valid + 'x'), 'cannot be read'),
                (('-', '-'), 'cannot both be standard input'),
                ((valid,), 'required: B')):
            result = self.run_command('diff', *arguments)
            self.assertEqual((2, ''), (result.status, result.out), arguments)
            self.assertIn(words, result.err)

    def test_standard_input(self) -> None:
        name = self.file('one.json', document())
        for given, status in ((document(), 0), (document({}), 1)):
            given_name = self.file('given.json', given)
            text = open(given_name, 'rb').read()
            for arguments in ((name, '-'), ('-', name)):
                self.assertEqual(status, self.run_command(
                    'diff', *arguments, given=text).status)


class TestShow(commands.CommandTestCase):

    def test_example(self) -> None:
        name = self.file('example.json', crafted.EXAMPLE)
        digest = canonical.digest(canonical.canonical(crafted.EXAMPLE))
        result = self.run_command('show', name)
        self.assertEqual(0, result.status)
        self.assertEqual([
            f'document {digest}',
            '  is acme-type_x1, device_api vfio-pci, software_version 1.3.0, '
            'aggregation 1, ecc true, features ["codec", "compute"], '
            'vfio-pci.device "2235", vfio-pci.vendor "10de"',
            '  accepts its own kind, at 1.0 to 1.3',
            '  accepts its own kind, at 1.0 to 1.3, aggregation only '
            '"${aggr}" with aggr from 2 to 8; made here with aggregation '
            '"${aggr}"',
            '  accepts mdev_type only "acme-type_x${aggr}" with aggr one of '
            '2, 4, 8, software_version only a version from 1.1 to 1.3; made '
            'here with mdev_type "acme-type_x1", aggregation "${aggr}"',
        ], result.out.splitlines())

    def test_bad_input(self) -> None:
        for name in (self.file('invalid.json', {}), 'missing.json'):
            result = self.run_command('show', name)
            self.assertEqual((2, ''), (result.status, result.out))
        self.assertEqual(2, self.run_command('show', '-', given='x').status)
