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

"""Which configuration the publisher reads."""

import pathlib

import fixtures
import testtools

from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import publisher


class TestConfigFiles(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        # Where oslo.config looks for a project's files first.
        self.home = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.EnvironmentVariable('HOME', str(self.home)))
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.cmd.publisher.OWN_FILE',
            str(self.home / 'publisher.conf')))

    def make(self, *names: str) -> list[str]:
        for name in names:
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('')
        return [str(self.home / name) for name in names]

    def test_named_ones_alone(self) -> None:
        self.make('publisher.conf', '.nova/nova.conf')
        self.assertEqual(['b', 'a'], publisher.config_files(['b', 'a'], []))

    def test_named_folders(self) -> None:
        first, second, _ = self.make('d[1]/1.conf', 'd[1]/2.conf',
                                     'd[1]/2.conf.orig')
        self.make('publisher.conf', 'd[1]/.0.conf')
        folder = str(self.home / 'd[1]')
        self.assertEqual(['a', first, second],
                         publisher.config_files(['a'], [folder]))
        self.assertEqual([first, second],
                         publisher.config_files([], [folder]))

    def test_folder_that_is_not_there(self) -> None:
        error = self.assertRaises(base.BadInput, publisher.config_files,
                                  [], [str(self.home / 'no')])
        self.assertIn('no: no such directory', str(error))

    def test_those_of_nova_compute(self) -> None:
        """And what its folders hold, as nova-compute reads them itself."""
        expected = self.make(
            '.nova/nova.conf', '.nova/nova-compute.conf',
            '.nova/nova.conf.d/01.conf', '.nova/nova.conf.d/02.conf',
            '.nova/nova-compute.conf.d/0.conf', 'publisher.conf')
        self.assertEqual(expected, publisher.config_files([], []))

    def test_none(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_config.cfg._search_dirs', lambda *arguments: None))
        self.assertEqual(['/etc/nova/nova.conf'],
                         publisher.config_files([], []))

    def test_folder_that_fills(self) -> None:
        """It is looked at anew with each reading."""
        (first,) = self.make('d/1.conf')
        loader = publisher.Loader([], [str(self.home / 'd')], None)
        self.assertEqual(300, loader.settings().interval)
        (second,) = self.make('d/2.conf')
        pathlib.Path(second).write_text(
            '[mdev_compat_publisher]\ninterval = 7\n')
        self.assertEqual(7, loader.settings().interval)
