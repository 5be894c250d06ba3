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

"""The picture of a matrix, with few documents and with many."""

import itertools

from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import picture
from nova_mdev_compat.fleet import matrix
from tests.unit import commands
from tests.unit import test_fleet_answers as answers

TYPES = ('nvidia-557', 'nvidia-558', 'nvidia-1145', 'i915-GVTg_V5_4',
         'mtty-1')
#: Three facts in which the documents of each of five types differ.
SIXTY = tuple(itertools.product(TYPES, ('525.60', '535.54', '550.90'),
                                (True, False), ('fw-1', 'fw-2')))


def compared(count: int) -> matrix.Matrix:
    cold = {'level': 'cold', 'attributes': {'ecc': {'any': True}}}
    documents = [answers.document(mdev_type, version, ({}, cold), ecc=ecc,
                                  firmware=firmware)
                 for mdev_type, version, ecc, firmware in SIXTY[:count]]
    return matrix.compare(answers.by_digest(*documents), answers.LIVE,
                          answers.COLD)


class TestPicture(commands.CommandTestCase):

    def draw(self, count: int, name: str) -> bytes:
        path = self.directory / name
        picture.draw(compared(count), str(path))
        return path.read_bytes()

    def test_every_kind_is_on_both_axes(self) -> None:
        for count in (1, 3, 60):
            # matplotlib writes what a text says beside its shapes.
            drawn = self.draw(count, 'x.svg').decode()
            for number, kind in enumerate(compared(count).kinds, 1):
                text = ' '.join(filter(None, [
                    kind.version, ', '.join(kind.details)]))
                self.assertIn(f'<!-- {text}  {number} -->', drawn)
                self.assertIn(f'<!-- {number}  {text} -->', drawn)
                self.assertIn(f'<!-- {kind.name} -->', drawn)
            for words in ('source', 'destination', 'accepted'):
                self.assertIn(f'<!-- {words} -->', drawn)

    def test_same_answers_same_file(self) -> None:
        self.assertEqual(self.draw(3, 'a.svg'), self.draw(3, 'b.svg'))
        self.assertEqual(self.draw(3, 'a.png'), self.draw(3, 'b.png'))

    def test_colours_are_not_alone(self) -> None:
        looks = picture.LOOKS.values()
        self.assertEqual(len(looks), len({look.marker for look in looks}))
        self.assertEqual(len(looks), len({look.colour for look in looks}))

    def test_names(self) -> None:
        self.assertRaises(base.BadInput, picture.check, 'matrix.pdf')
        picture.check('MATRIX.SVG')


class TestCommand(commands.CommandTestCase):
    """Of files, without a cloud."""

    def test_files(self) -> None:
        names = [self.file(f'{number}.json', answers.document(
            version=version).canonical)
            for number, version in enumerate(('1.2', '1.3'))]
        result = self.run_command('matrix', *names)
        self.assertEqual(0, result.status, result.err)
        self.assertIn('| ## |', result.out)
        self.assertIn('| .# |', result.out)

    def test_many_are_split_where_the_terminal_is_narrow(self) -> None:
        names = [self.file(f'{number}.json', answers.document(
            version=f'1.{number}').canonical) for number in range(40)]
        result = self.run_command('matrix', '--max-width', '60', *names)
        lines = result.out.splitlines()
        self.assertLessEqual(max(map(len, lines)), 60)
        self.assertEqual(2, sum('| No |' in line for line in lines))

    def test_no_cloud(self) -> None:
        result = self.run_command('matrix')
        self.assertEqual(2, result.status)
        self.assertIn('--config-file', result.err)
        result = self.run_command('matrix', '--os-cloud', 'nowhere')
        self.assertEqual(2, result.status)
        self.assertIn('nowhere', result.err)
