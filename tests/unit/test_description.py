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

"""Documents and reasons in words."""

import json
from typing import Any

import ddt
import testtools

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat import description
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat import matching
from nova_mdev_compat.compat.matching import Matcher
from nova_mdev_compat.compat.patterns import Absent


def document(compatible: Any, **device: Any) -> Document:
    return loading.load(json.dumps({
        'format': 1, 'compatible': compatible,
        'self': {'device_api': 'vfio-pci', 'mdev_type': 'a-b', **device}}))


#: Entry, and what is said of it by a document at version 1.3.
ENTRIES = (
    ({}, 'its own kind, at 1.0 to 1.3'),
    ({'level': 'live'}, 'its own kind, at 1.0 to 1.3'),
    ({'level': 'cold'}, 'its own kind, at 1.0 to 1.3; cold moves only'),
    ({'software_version': {'minimum': '1.1'}},
     'its own kind, software_version only a version from 1.1'),
    ({'software_version': {'maximum': '1.1'}},
     'its own kind, software_version only a version up to 1.1'),
    ({'software_version': {'any': True}, 'mdev_type': {'any_of': ['a-c']}},
     'mdev_type only one of "a-c", software_version anything'),
    ({'attributes': {'x': {'absent': True}, 'n': {'minimum': 2}}},
     'its own kind, at 1.0 to 1.3, n only an integer from 2, x only a '
     'device without it'),
    ({'vfio-pci': {'device': '2235'}},
     'its own kind, at 1.0 to 1.3, vfio-pci.device only "2235"'),
    ({'variables': {'n': {'enum': [4, 2]}}, 'attributes': {'n': '${n}'},
      'create': {'mdev_type': 'a-c',
                 'attributes': {'n': '${n}', 's': ['q'], 'b': True}}},
     'its own kind, at 1.0 to 1.3, n only "${n}" with n one of 2, 4; made '
     'here with mdev_type "a-c", n "${n}", s ["q"], b true'),
)

#: Fields of `self` at both ends, and the reason for the refusal.
REASONS = (
    ({'attributes': {'ecc': False}}, {'attributes': {'ecc': True}},
     'ecc: the source has true, this device accepts only false'),
    ({}, {'attributes': {'ecc': True}},
     'ecc: the source has true, this device accepts only a device without '
     'it'),
    ({'attributes': {'ecc': True}}, {},
     'ecc: the source has nothing, this device accepts only true'),
    ({'attributes': {'x': ['a', 'b']}}, {'attributes': {'x': ['c', 'b']}},
     'x: the source has ["b", "c"], this device accepts no more than the '
     'set ["a", "b"]; it lacks ["c"]'),
    ({'attributes': {'x': ['a']}}, {'attributes': {'x': 'a'}},
     'x: the source has "a", this device accepts no more than the set ["a"];'
     ' it wants a set of strings'),
    ({'software_version': '1.3'}, {'software_version': '1.4'},
     'software_version: the source has "1.4", this device accepts only 1.0 '
     'to 1.3 (the same major, and no newer minor); a destination at 1.4 or '
     'newer would load it'),
    ({'software_version': '1.3'}, {'software_version': '2.0'},
     'software_version: the source has "2.0", this device accepts only 1.0 '
     'to 1.3 (the same major, and no newer minor)'),
    ({'software_version': '1.3'}, {},
     'software_version: the source has nothing, this device accepts only '
     '1.0 to 1.3 (the same major, and no newer minor); a version on one side '
     'only is a mismatch'),
)


@ddt.ddt
class TestWords(testtools.TestCase):

    @ddt.data(*ENTRIES)
    @ddt.unpack
    def test_entry(self, entry: Any, words: str) -> None:
        found = document([entry], software_version='1.3')
        self.assertEqual(words, description.describe_entry(
            found.entries[0], found.device))

    def test_document(self) -> None:
        self.assertEqual(
            ['is a-b, device_api vfio-pci, software_version 1.3, '
             'n 1, s ["x", "y"], vfio-pci.device "2235"',
             'accepts its own kind, at 1.0 to 1.3'],
            list(description.describe(document(
                [{}], software_version='1.3', attributes={
                    'n': 1, 's': ['y', 'x']},
                **{'vfio-pci': {'device': '2235'}}))))
        self.assertEqual(
            ['is a-b, device_api vfio-pci',
             'accepts nothing, not even its own kind'],
            list(description.describe(document([]))))

    @ddt.data(*REASONS)
    @ddt.unpack
    def test_reason(self, own: Any, its: Any, words: str) -> None:
        verdict = Matcher(document([{}], **own)).match(
            document([], **its).device)
        self.assertEqual([words],
                         [reason.message for reason in verdict.reasons])

    def test_version_that_an_entry_names(self) -> None:
        # A newer driver would not help: the document names the release.
        verdict = Matcher(document(
            [{'mdev_type': 'a-c', 'software_version': '2.5'}],
            software_version='1.3')).match(document(
                [], mdev_type='a-c', software_version='2.6').device)
        self.assertEqual(
            ['software_version: the source has "2.6", this device accepts '
             'only 2.0 to 2.5 (the same major, and no newer minor); its '
             'document would have to name 2.6 or newer'],
            [reason.message for reason in verdict.reasons])

    def test_variables_that_disagree(self) -> None:
        verdict = Matcher(document(
            [{'variables': {'n': {'minimum': 1, 'maximum': 9}},
              'attributes': {'a': '${n}', 'b': '${n}'}}])).match(
            document([], attributes={'a': 2, 'b': 3}).device)
        self.assertEqual(
            ['b: the source has 3, this device accepts only "${n}" with n '
             'from 1 to 9, and n is 2 from its other fields'],
            [reason.message for reason in verdict.reasons])

    def test_what_variables_have_no_part_in(self) -> None:
        verdict = Matcher(document(
            [{'variables': {'n': {'minimum': 1, 'maximum': 9}},
              'attributes': {'a': '${n}', 'b': 5, 'c': 'x${n}'}}])).match(
            document([], attributes={'a': 2, 'b': 3, 'c': 'y2'}).device)
        self.assertEqual(
            ['b: the source has 3, this device accepts only 5',
             'c: the source has "y2", this device accepts only "x${n}" with '
             'n from 1 to 9'],
            [reason.message for reason in verdict.reasons])

    def test_defaults_of_a_question(self) -> None:
        matcher = Matcher(document(
            [{'level': 'cold', 'attributes': {'a': 1}},
             {'mdev_type': 'a-c', 'create': {'mdev_type': 'a-d'}}]))
        # Live, and whatever it takes to make the device.
        found = matcher.match(document([], attributes={'a': 1}).device)
        self.assertFalse(found)
        found = matcher.match(document([], mdev_type='a-c').device)
        self.assertEqual((True, 1, {'mdev_type': 'a-d'}),
                         (bool(found), found.entry, found.create))

    def test_many_values(self) -> None:
        verdict = Matcher(document(
            [{'attributes': {'a': {'any_of': list(range(100))}}}])).match(
            document([], attributes={'a': -1}).device)
        self.assertIn('14, 15, ... (100 in all)', verdict.reasons[0].message)

    def test_closest_costs_what_an_entry_names(self) -> None:
        # A source may differ in a thousand facts, and there are 64 entries.
        class Closed(dict[Any, Any]):
            __iter__ = keys = items = values = None  # type: ignore[assignment]

        found = document([{}, {'attributes': {'a': 1}},
                          {'attributes': {'a': 2, 'b': 3, 'c': 4}}])
        source = document([], attributes={'a': 2}).device
        differences = Closed({('attributes', name): Absent()
                              for name in 'abxyz'})
        self.assertEqual([5, 5, 5], [
            matching._distance(entry, source, differences)
            for entry in found.entries])

    def test_cold_hint(self) -> None:
        found = Matcher(document(
            [{}, {'level': 'cold', 'software_version': {'any': True}}],
            software_version='1.3')).match(
            document([], software_version='2.0').device)
        self.assertEqual(['version', 'level'],
                         [reason.code for reason in found.reasons])
        self.assertEqual(1, found.reasons[1].entry)

    def test_one_cold_hint(self) -> None:
        found = Matcher(document([{'level': 'cold'}] * 2)).match(
            document([]).device)
        self.assertEqual([('level', None), ('level', 0)], [
            (reason.code, reason.entry) for reason in found.reasons])

    def test_codes_in_the_order_of_fields(self) -> None:
        bus = {'vendor': '10de'}
        found = Matcher(document(
            [{}], software_version='1.3', attributes={'z': 1, 'mdev_type': 2},
            **{'vfio-pci': bus})).match(document(
                [], mdev_type='a-c', software_version='2.0').device)
        self.assertEqual(
            [('attribute', '/attributes/mdev_type'),
             ('attribute', '/attributes/z'), ('mdev-type', '/mdev_type'),
             ('version', '/software_version'),
             ('bus-fact', '/vfio-pci/vendor')],
            [(reason.code, reason.pointer) for reason in found.reasons])

    def test_no_cold_hint_for_what_is_not_made_here(self) -> None:
        found = Matcher(document(
            [{'level': 'cold', 'mdev_type': 'a-c',
              'create': {'mdev_type': 'a-d'}}])).match(
            document([], mdev_type='a-c').device, plain_only=True)
        self.assertEqual(['level'],
                         [reason.code for reason in found.reasons])
        self.assertIsNone(found.reasons[0].entry)
