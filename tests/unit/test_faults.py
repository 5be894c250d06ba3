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

"""What an invalid document is told: every fault, its place, what is right."""

import json
from typing import Any

import ddt
import testtools

from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import schema
from nova_mdev_compat.codec import strict_json
from nova_mdev_compat.compat import faults
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.compat import fields
from nova_mdev_compat.compat.places import Faults

SELF = {'device_api': 'vfio-pci', 'mdev_type': 'a-b'}


def told(document: Any) -> dict[str, str]:
    """Messages by pointer; none for a valid document."""
    text = document if isinstance(document, (str, bytes)) \
        else json.dumps(document)
    try:
        loading.load(text)
    except InvalidDocument as error:
        return {fault.pointer: fault.message for fault in error.faults}
    return {}


def places(document: Any) -> list[str]:
    """The pointers of all faults."""
    text = document if isinstance(document, (str, bytes)) \
        else json.dumps(document)
    try:
        loading.load(text)
    except InvalidDocument as error:
        return [fault.pointer for fault in error.faults]
    return []


def with_entry(**entry: Any) -> Any:
    return {'format': 1, 'self': SELF, 'compatible': [entry]}


#: Title, document, and for each pointer words of its message.
TABLE = (
    ('nearest name', {'format': 1, 'self': {**SELF, 'mdev_typ': 'a-b'},
                      'compatible': []},
     {'/self/mdev_typ': 'did you mean "mdev_type"?'}),
    ('no name is near', {'format': 1, 'self': {**SELF, 'zzz': 1},
                         'compatible': []},
     {'/self/zzz': '"zzz" is not known here. Known are attributes, '}),
    ('driver says why', {'format': 1, 'self': {**SELF, 'driver': 'a'},
                         'compatible': []},
     {'/self/driver': 'the mdev type contains the driver'}),
    ('driver among bus facts',
     {'format': 1, 'self': {'device_api': 'vfio-ap',
                            'vfio-ap': {'driver': 'a'}}, 'compatible': []},
     {'/self/vfio-ap/driver': 'the mdev type contains the driver'}),
    ('device API of an entry', with_entry(device_api='vfio-pci'),
     {'/compatible/0/device_api': 'the migration stream belongs to it'}),
    ('no device API to judge by', {'format': 1, 'self': {
        'device_api': 'pci', 'vfio-pci': {'vendor': '10de'}},
        'compatible': [{'vfio-ccw': {'chpid_type': 1}}]},
     {'/self/device_api': '"pci" is not right'}),
    ('device API of bus facts', {'format': 1, 'compatible': [], 'self': {
        'device_api': 'vfio-pci', 'vfio-pci': {'device_api': '10de'}}},
     {'/self/vfio-pci/device_api': '"device_api" is not known here'}),
    ('device API of the document', {
        'format': 1, 'compatible': [], 'self': SELF, 'device_api': 'x'},
     {'/device_api': '"device_api" is not known here'}),
    ('unknown in an entry', with_entry(zzz=1, aaa=2),
     {'/compatible/0/zzz': '"zzz" is not known here',
      '/compatible/0/aaa': '"aaa" is not known here'}),
    ('long names', {'format': 1, 'compatible': [], 'self': {
        **SELF, 'attributes': {'x' * 256: 1, 'a' * 256: 2}}},
     {'/self/attributes/' + 'x' * 256: ' is not a member\'s name of at most',
      '/self/attributes/' + 'a' * 256: ' is not a member\'s name of at most'}),
    ('several at once',
     {'format': 2, 'self': {'device_api': 'pci', 'x': 1},
      'compatible': [{'level': 'warm'}, {'mdev_type': 5}]},
     {'/format': '2 is not right here', '/self/device_api': '"pci"',
      '/self/x': 'not known', '/compatible/0/level': '"warm"',
      '/compatible/1/mdev_type': '5 is not right here'}),
    ('schema and meaning at once',
     {'format': 1, 'self': {**SELF, 'x': 1},
      'compatible': [{'mdev_type': 'ab'}, {'attributes': {'n': '${v}'}}]},
     {'/self/x': 'not known', '/compatible/0/mdev_type': '<driver>-<type>',
      '/compatible/1/attributes/n': 'uses v'}),
    ('a float and others',
     '{"format": 1.0, "self": {"device_api": "vfio-pci", "x": 1},'
     ' "compatible": []}',
     {'/format': '1.0 is a float', '/self/x': 'not known'}),
    ('a key twice and what is wrong below',
     '{"format": 1, "self": {"device_api": "vfio-pci"}, "compatible": [],'
     ' "compatible": [{"level": "warm"}]}',
     {'/compatible': 'more than once', '/compatible/0/level': '"warm"'}),
    ('operators that do not go together',
     with_entry(attributes={'n': {'any': True, 'absent': True}}),
     {'/compatible/0/attributes/n': '"absent" and "any" do not go together'}),
    ('a missing bound', with_entry(
        variables={'v': {'minimum': 1}}, attributes={'n': '${v}'}),
     {'/compatible/0/variables/v/maximum': '"maximum" is missing'}),
    ('only create uses it', with_entry(
        variables={'v': {'enum': [1]}}, create={'attributes': {'n': '${v}'}}),
     {'/compatible/0/variables/v': '"create" uses it, but no field'}),
    ('nothing uses it', with_entry(variables={'v': {'enum': [1]}}),
     {'/compatible/0/variables/v': 'declared but not used'}),
    ('nothing uses it, beside what can bind nothing', with_entry(
        variables={'v': {'enum': [1]}}, level='warm', software_version='1'),
     {'/compatible/0/variables/v': 'declared but not used',
      '/compatible/0/level': '"warm"',
      '/compatible/0/software_version': 'not right'}),
    ('a broken template may have used it', with_entry(
        variables={'v': {'enum': [1]}}, attributes={'n': '${v'}),
     {'/compatible/0/attributes/n': "at character 1: write ${name}"}),
    ('place in a template', with_entry(
        variables={'v': {'enum': [1]}}, attributes={'n': 'ab${v}7'}),
     {'/compatible/0/attributes/n': 'at character 7: a digit'}),
    ('a variable behind one that cannot be read', with_entry(
        variables={'a': {'enum': []}, 'b': {'minimum': 3, 'maximum': 1}},
        attributes={'n': '${a}', 'm': '${b}'}),
     {'/compatible/0/variables/a/enum': 'not right',
      '/compatible/0/variables/b': 'minimum 3 is over'}),
    ('a version behind what such a variable leaves unread', with_entry(
        variables={'a': {'enum': []}}, mdev_type='a-${b}',
        software_version={'minimum': '2.0', 'maximum': '1.0'},
        create={'mdev_type': 'a-${c}', 'attributes': {'n': '${'}}),
     {'/compatible/0/variables/a/enum': 'not right',
      '/compatible/0/mdev_type': 'uses b, which',
      '/compatible/0/software_version': 'minimum 2.0 is over',
      '/compatible/0/create/mdev_type': 'uses c, which',
      '/compatible/0/create/attributes/n': 'at character 1: write'}),
    ('a variable at fault could have any value', with_entry(
        variables={'a': {'minimum': 2, 'maximum': 1}, 'b': {'enum': [1]}},
        mdev_type='a${a}', attributes={'n': '${b}7'}),
     {'/compatible/0/variables/a': 'minimum 2 is over',
      '/compatible/0/attributes/n': 'at character 5: a digit'}),
    ('a variable at fault could have any other value', with_entry(
        variables={'a': 5}, **{'vfio-pci': {'vendor': '${a}'}}),
     {'/compatible/0/variables/a': '5 is not right'}),
    ('unused, beside one at fault that is not used either', with_entry(
        variables={'a': 5, 'b': {'enum': [1]}}),
     {'/compatible/0/variables/a': '5 is not right',
      '/compatible/0/variables/b': 'declared but not used'}),
    ('unused, beside one at fault that is used', with_entry(
        variables={'a': 5, 'b': {'enum': [1]}}, attributes={'n': '${a}'}),
     {'/compatible/0/variables/a': '5 is not right',
      '/compatible/0/variables/b': 'declared but not used'}),
    ('too many variables', with_entry(
        variables={f'v{number}': {'enum': [1]} for number in range(9)},
        attributes={'n': '${v0}${v1}', 'm': '${w}'}),
     {'/compatible/0/variables': '9 members are over the limit of 8',
      '/compatible/0/attributes/n': 'two expressions need text',
      '/compatible/0/attributes/m': 'uses w, which'}),
    ('variables that are none', with_entry(
        variables=[], mdev_type='a${x}', attributes={'n': '${y}'},
        create={'mdev_type': 'a-${z}'},
        software_version={'minimum': '2.0', 'maximum': '1.0'}),
     {'/compatible/0/variables': '[] is not right here; allowed: an object',
      '/compatible/0/software_version': 'minimum 2.0 is over'}),
    ('no object', {'format': 1, 'self': SELF, 'compatible': ['x']},
     {'/compatible/0': '"x" is not right here; allowed: an object'}),
    ('no array', {'format': 1, 'self': SELF, 'compatible': {}},
     {'/compatible': '{} is not right here; allowed: an array of entries'}),
    ('nearest value', {'format': 1, 'self': {'device_api': 'vfio-pc'},
                       'compatible': []},
     {'/self/device_api': 'vfio-ccw or vfio-ap; did you mean "vfio-pci"?'}),
    ('no value is near', with_entry(level='warm'),
     {'/compatible/0/level': 'the device anew'}),
    ('the same string twice', with_entry(
        attributes={'n': ['a', 'b', 'c', 'b']}),
     {'/compatible/0/attributes/n': '"b" is there more than once; allowed: '}),
    ('no more than once', with_entry(attributes={'n': ['1', 'a', 1, True]}),
     {'/compatible/0/attributes/n/2': '1 is not right here',
      '/compatible/0/attributes/n/3': 'true is not right here'}),
    ('the same number twice', with_entry(
        variables={'v': {'enum': [1, 2, 2]}}, attributes={'n': '${v}'}),
     {'/compatible/0/variables/v/enum': '2 is there more than once'}),
    ('a recipe behind what cannot be read', with_entry(
        create={'mdev_type': 5, 'attributes': {
            'a': '${' * 200, 'b': '${', 'c': 1.5}}),
     {'/compatible/0/create/mdev_type': '5 is not right',
      '/compatible/0/create/attributes/a': '400 characters',
      '/compatible/0/create/attributes/b': 'at character 1',
      '/compatible/0/create/attributes/c': 'float'}),
    ('a pointer is escaped', {'format': 1, 'self': {**SELF, 'a/b~c': 1},
                              'compatible': []},
     {'/self/a~1b~0c': 'not known'}),
    ('member of another API', with_entry(**{'vfio-ccw': {}}),
     {'/compatible/0/vfio-ccw': 'the device API is vfio-pci'}),
    ('a version of other types', {
        'format': 1, 'self': {**SELF, 'software_version': '1.0'},
        'compatible': [{'mdev_type': 'a-c'}]},
     {'/compatible/0': 'it names mdev_type, so "software_version"'}),
    ('long values are cut', with_entry(level='x' * 200),
     {'/compatible/0/level': '"' + 'x' * 59 + '... is not right'}),
    ('values that just are not cut', with_entry(level='x' * 58),
     {'/compatible/0/level': '"' + 'x' * 58 + '" is not right'}),
    ('values in their own letters', with_entry(level='é'),
     {'/compatible/0/level': '"é" is not right'}),
    ('too many members', {'format': 1, 'compatible': [], 'self': {
        **SELF, 'attributes': {f'a{number}': 1 for number in range(65)}}},
     {'/self/attributes': '65 members are over the limit of 64'}),
    ('counts', with_entry(attributes={'n': 'x' * 256}),
     {'/compatible/0/attributes/n': '256 characters are over the limit of '
      '255'}),
    ('too long a text', ' ' * (1024 * 1024 + 1), {'': 'over 1048576 bytes'}),
    ('line and column', '{"format": 1,\n "self": }',
     {'': 'at line 2, column 10'}),
    ('not UTF-8', b'{"\xff": 1}', {'': 'not UTF-8: byte 3'}),
    ('not UTF-8 either', b'{ "\xff": 1}', {'': 'not UTF-8: byte 4'}),
    ('a long float', '{"format": 1.' + '2' * 60 + '}',
     {'/format': '1.' + '2' * 38 + ' is a float'}),
    ('an integer of a digit too many', '{"format": ' + '9' * 21 + '}',
     {'/format': 'does not fit in 64 bits'}),
    ('a byte-order mark', b'\xef\xbb\xbf{}', {'': 'byte-order mark'}),
    ('nested without end', '[' * 100000, {'': 'nested too deeply'}),
    ('an integer past any bound', '{"format": ' + '9' * 30 + '}',
     {'/format': 'does not fit in 64 bits'}),
)


@ddt.ddt
class TestFaults(testtools.TestCase):

    @ddt.data(*TABLE)
    @ddt.unpack
    def test_told(self, title: str, document: Any,
                  wanted: dict[str, str]) -> None:
        found = told(document)
        for place, words in wanted.items():
            self.assertIn(place, found, title)
            self.assertIn(words, found[place], title)

    @ddt.data(*TABLE)
    @ddt.unpack
    def test_nothing_else(self, title: str, document: Any,
                          wanted: dict[str, str]) -> None:
        # Where a float stands for the format, the rest is told all the same.
        missing = {'/self', '/compatible'} - set(wanted)
        self.assertEqual(set(wanted), set(told(document)) - missing, title)

    @ddt.data(*TABLE)
    @ddt.unpack
    def test_once(self, title: str, document: Any,
                  wanted: dict[str, str]) -> None:
        found = places(document)
        self.assertEqual(len(set(found)), len(found), found)

    def test_longest_text(self) -> None:
        text = json.dumps(with_entry())
        self.assertEqual({}, told(text.ljust(1024 * 1024)))

    def test_many_keys_twice(self) -> None:
        # A time that grew with their square would be minutes.
        text = '{' + ', '.join(
            f'"{number % 40_000}": 1' for number in range(80_000)) + '}'
        self.assertEqual(40_000, len(strict_json.parse(text).faults))

    def test_many_items(self) -> None:
        # The same; they cannot be sorted, so as to find what is there twice.
        items = [*map(str, range(30_000)), 1]
        for more, wanted in (([], ['/self/attributes/a/30000']),
                             (['7'], ['/self/attributes/a'])):
            found = {fault.pointer: fault.message for _, fault in
                     schema.find_faults({'format': 1, 'compatible': [],
                                         'self': {**SELF, 'attributes': {
                                             'a': [*items, *more]}}})}
            self.assertTrue(set(wanted) <= set(found), found)
        self.assertIn('"7" is there more than once', found[wanted[0]])

    def test_deepest_text(self) -> None:
        self.assertEqual((), strict_json.parse('[' * 17 + ']' * 17).faults)
        for depth in (18, 20):
            (path, fault), = strict_json.parse(
                '[' * depth + ']' * depth).faults
            self.assertEqual(('/0' * 17, 17), (fault.pointer, len(path)))
            self.assertIn('nested too deeply', fault.message)

    def test_in_words(self) -> None:
        self.assertEqual('(document): no', str(faults.Fault('', 'no')))
        self.assertEqual('/a: no', str(faults.Fault('/a', 'no')))
        self.assertEqual('/a: no; /b: yes', str(InvalidDocument(
            [faults.Fault('/a', 'no'), faults.Fault('/b', 'yes')])))


class TestReading(testtools.TestCase):

    def test_places(self) -> None:
        path = ('a', 0, 'b')
        for length in range(4):
            added = Faults()
            added.add(path[:length], 'no')
            for found in (Faults([path[:length]]), added):
                self.assertEqual(
                    [one <= length for one in range(4)],
                    [found.broken(path[:one]) for one in range(4)])
                self.assertFalse(found.broken(('c',)))
        self.assertFalse(Faults().broken(()))

    def test_version(self) -> None:
        # The JSON Schema refuses such a text before it comes to that.
        found = Faults()
        self.assertIsNone(fields.read_version('1', ('self', 'x'), found))
        self.assertEqual(['/self/x'], [one.pointer for one in found.found])
        self.assertTrue(found.broken(('self',)))
