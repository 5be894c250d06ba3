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

"""Labels and what they stand for, as names of traits."""

import ddt
import testtools

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec.labels import Mapping
from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec import traits

DIGEST = 'A' * 25 + '7'
OTHER = 'B' * 26
OWNER = 'HOSTHOST'
NAME = f'CUSTOM_MDEV_COMPAT1_LABELED_RACK7_12_{OWNER}_{DIGEST}'


@ddt.ddt
class TestLabels(testtools.TestCase):

    @ddt.data('A', '0', 'RACK7A40', 'Z' * 20, '9' * 20)
    def test_there_and_back(self, label: str) -> None:
        self.assertTrue(labels.is_label(label))
        name = labels.trait(label)
        self.assertEqual(label, labels.read(name))
        # No more than a marker, so that as many fit into a request.
        self.assertLessEqual(len(name), len(traits.marker(DIGEST)))

    @ddt.data('', 'a', 'A_B', 'A-B', 'Z' * 21, 'A\n', 'Ä', '٣')
    def test_no_label(self, text: str) -> None:
        self.assertFalse(labels.is_label(text))
        self.assertIsNone(labels.read(labels.LABEL_PREFIX + text))

    @ddt.data(labels.trait('A'), labels.trait('A' * 20), NAME)
    def test_nothing_else(self, name: str) -> None:
        """Neither a marker nor a part of a body nor a tombstone."""
        self.assertIsNone(traits.read_marker(name))
        self.assertIsNone(traits.read_chunk(name))
        self.assertIsNone(tombstones.read(name))
        self.assertIsNone(tombstones.read_label(name))

    @ddt.data(traits.marker(DIGEST),
              f'{traits.BODY_PREFIX}{DIGEST}_ABCD_0_1_A',
              f'{tombstones.PREFIX}{DIGEST}_1', NAME,
              f'{labels.LABEL_PREFIX}ED_RACK7', 'CUSTOM_MDEV_COMPAT2_LABEL_A')
    def test_other_names_are_no_labels(self, name: str) -> None:
        self.assertIsNone(labels.read(name))


@ddt.ddt
class TestMappings(testtools.TestCase):

    def test_there_and_back(self) -> None:
        found = labels.read_mapping(NAME)
        self.assertEqual(Mapping('RACK7', 12, OWNER, DIGEST), found)
        self.assertEqual(NAME, found and found.name)

    @ddt.data(NAME + '\n', NAME.lower(), NAME.replace('_12_', '_012_'),
              NAME.replace('_12_', '_1234567890_'),
              NAME.replace('_12_', '_-1_'), NAME.replace('_12_', '_'),
              NAME.replace('RACK7', ''), NAME.replace('RACK7', 'A' * 21),
              NAME.replace('RACK7', 'RACK_7'),
              NAME.replace('LABELED', 'LABEL'),
              NAME.replace(OWNER, 'HOST'), NAME[:-1], NAME + 'A',
              NAME.replace('LABELED_', 'LABELEDX'), labels.trait('RACK7'))
    def test_no_mapping(self, name: str) -> None:
        self.assertIsNone(labels.read_mapping(name))

    def test_longest(self) -> None:
        self.assertLess(len(Mapping('A' * 20, labels.MAX_SEQUENCE, OWNER,
                                    DIGEST).name), traits.MAX_NAME)

    def test_the_highest_counts(self) -> None:
        some = [Mapping('A', 9, OWNER, OTHER), Mapping('A', 10, OWNER, DIGEST),
                Mapping('A', 2, 'ZZZZZZZZ', OTHER)]
        names = [one.name for one in some]
        other = Mapping('AB', 99, OWNER, OTHER)
        for order in (names, names[::-1]):
            found = labels.by_label([*order, other.name, NAME + '_', 'X'])
            self.assertEqual([10, 9, 2],
                             [one.sequence for one in found['A']])
            self.assertEqual([other], found['AB'])

    def test_equal_sequences(self) -> None:
        """All readers take the same one."""
        one, two = (Mapping('A', 3, owner, digest) for owner, digest in (
            ('ZZZZZZZZ', DIGEST), ('AAAAAAAA', OTHER)))
        for names in ([one.name, two.name], [two.name, one.name]):
            self.assertEqual([two, one], labels.by_label(names)['A'])

    def test_derived(self) -> None:
        found = labels.derive('root', 'entry')
        self.assertEqual('6YYFGCZF6DHR', found)
        self.assertTrue(labels.is_label(found))
        self.assertNotEqual(found, labels.derive('rootentry', ''))
        self.assertEqual(8, len(labels.owner('root')))


@ddt.ddt
class TestTombstones(testtools.TestCase):

    def test_there_and_back(self) -> None:
        stone = tombstones.LabelTombstone('RACK7', 1795493546)
        self.assertEqual(stone, tombstones.read_label(stone.name))
        self.assertIsNone(tombstones.read(stone.name))

    @ddt.data('RACK7', 'RACK7_', 'RACK7_01', '_1', 'A' * 21 + '_1', 'A_B_1')
    def test_others(self, text: str) -> None:
        self.assertIsNone(
            tombstones.read_label(tombstones.LABEL_PREFIX + text))

    def test_of_a_document(self) -> None:
        name = tombstones.Tombstone(DIGEST, 1).name
        self.assertIsNone(tombstones.read_label(name))
        self.assertEqual({}, tombstones.by_label([name]))
