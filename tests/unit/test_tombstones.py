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

"""Names that say since when a document is unused."""

import testtools

from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec.tombstones import Tombstone
from nova_mdev_compat.codec import traits

DIGEST, OTHER = 'SI7AFAXCHI4M6XE3CP75NDOZRQ', 'A' * 26
NAME = f'CUSTOM_MDEV_COMPAT1_UNUSED_{DIGEST}_1700000000'


class TestTombstones(testtools.TestCase):

    def test_read(self) -> None:
        self.assertEqual(Tombstone(DIGEST, 1700000000), tombstones.read(NAME))
        self.assertEqual(NAME, Tombstone(DIGEST, 1700000000).name)
        self.assertEqual(Tombstone(DIGEST, 0), tombstones.read(
            NAME.replace('1700000000', '0')))
        for name in (NAME + '\n', NAME.lower(), NAME + '00', 'CUSTOM_GOLD',
                     NAME.replace('_17', '_017'), NAME.replace('_17', '_-17'),
                     NAME.replace('SI7', 'SI'), traits.marker(DIGEST)):
            self.assertIsNone(tombstones.read(name), name)
        # To readers of documents it is nothing.
        self.assertIsNone(traits.read_marker(NAME))
        self.assertIsNone(traits.read_chunk(NAME))

    def test_by_digest(self) -> None:
        some = [Tombstone(DIGEST, 30), Tombstone(OTHER, 5),
                Tombstone(DIGEST, 4), Tombstone(DIGEST, 100)]
        self.assertEqual(
            {DIGEST: [some[2], some[0], some[3]], OTHER: [some[1]]},
            tombstones.by_digest(
                ['CUSTOM_GOLD', *(one.name for one in some)]))
