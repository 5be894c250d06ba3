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

"""Tables and lines on narrow terminals."""

import ddt
import testtools

from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import layout

UUID = 'd8568159-3314-59f0-8d04-682d6e40c63a'
HOST = 'gpu-0123.example.org'
NAMES = ('Server', 'Host', 'Why')
ROW = (UUID, HOST, 'the source has true, this device accepts only false')


def table_width(names: tuple[str, ...], rows: list[list[object]]) -> int:
    """As prettytable draws it, with the longest line of each column."""
    longest = [max(len(line) for cell in (name, *column)
                   for line in str(cell).split('\n'))
               for name, column in zip(names, zip(*rows))]
    return sum(longest) + layout.FRAME + layout.BETWEEN * (len(names) - 1)


@ddt.ddt
class TestFit(testtools.TestCase):

    @ddt.data(120, 100, 85, 80, 72)
    def test_it_fits(self, width: int) -> None:
        rows = layout.fit(NAMES, [ROW], width)
        self.assertLessEqual(table_width(NAMES, rows), width)
        # Nothing is lost, but for spaces that became line breaks.
        self.assertEqual(
            [''.join(cell.split()) for cell in ROW],
            [''.join(cell.split()) for cell in rows[0]])

    def test_words_stay_in_one_piece(self) -> None:
        [row] = layout.fit(NAMES, [ROW], 85)
        self.assertEqual([UUID, HOST], row[:2])
        self.assertEqual(ROW[2].split(), row[2].split())

    def test_a_uuid_is_broken_last(self) -> None:
        [row] = layout.fit(NAMES, [ROW], 65)
        self.assertEqual(UUID, row[0])
        self.assertIn('\n', row[1])

    def test_room_is_used(self) -> None:
        """The sentence gets what the others do not need."""
        rows = layout.fit(NAMES, [ROW], 100)
        self.assertGreater(table_width(NAMES, rows), 95)
        self.assertEqual(2, len(rows[0][2].split('\n')))

    def test_what_fits_is_left_as_it_is(self) -> None:
        row = [1, base.Names(['one', 'two']), None]
        self.assertEqual([row], layout.fit(NAMES, [row], 80))
        self.assertEqual([], layout.fit(NAMES, [], 80))

    def test_lines_of_a_head(self) -> None:
        [row] = layout.fit(('No', '11\n12'), [(1, '#.')], 12)
        self.assertEqual([1, '#.'], row)

    def test_has_room(self) -> None:
        """With 14 characters for what is longer than a word."""
        least = len(UUID) + len(HOST) + 14 + 10
        self.assertTrue(layout.has_room(NAMES, [ROW], least))
        self.assertFalse(layout.has_room(NAMES, [ROW], least - 1))


@ddt.ddt
class TestFill(testtools.TestCase):

    @ddt.data(
        ('short', 80, 'short'),
        ('  as long as it wants to be', None, '  as long as it wants to be'),
        ('  one two three', 11, '  one two\n    three'),
        (f'the server {UUID} moves', 20,
         f'the server\n  {UUID}\n  moves'))
    @ddt.unpack
    def test_fill(self, line: str, width: int | None, filled: str) -> None:
        self.assertEqual(filled, layout.fill(line, width))
