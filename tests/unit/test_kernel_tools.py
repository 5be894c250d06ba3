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

"""What `tox -e kernel` does before there is a kernel."""

from __future__ import annotations

import contextlib
import io
import pathlib
import subprocess
from unittest import mock

import fixtures
import testtools

from tests.kernel import __main__ as command
from tests.kernel import build
from tests.kernel import guest
from tests.kernel import machines
from tests.kernel import packages
from tests.kernel import run

_MTTY = """\
#define VERSION_STRING  "0.1"
#define MTTY_MAJOR_VER 1
#define MTTY_MINOR_VER 0
"""


class TestBuild(testtools.TestCase):

    def test_the_newer_driver(self) -> None:
        self.assertEqual(
            '#define VERSION_STRING  "0.2"\n#define MTTY_MAJOR_VER 1\n'
            '#define MTTY_MINOR_VER 1\n', build._raised(_MTTY))

    def test_another_driver_is_told(self) -> None:
        for text in (_MTTY.replace('0.1', '0.3'), _MTTY * 2, ''):
            self.assertRaises(build.BuildFailed, build._raised, text)

    def test_half_an_image_is_not_kept(self) -> None:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        made, place = folder / 'bzImage', folder / 'bzImage-old'
        made.write_text('a kernel')

        def interrupted(_: pathlib.Path, to: pathlib.Path) -> None:
            to.write_text('a ker')
            raise OSError('no space left')

        with mock.patch('shutil.copy', interrupted):
            self.assertRaises(OSError, build._keep, made, place)
        self.assertFalse(place.exists())
        build._keep(made, place)
        self.assertEqual('a kernel', place.read_text())

    def test_releases_of_the_source(self) -> None:
        names = ['linux-source-6.1.tar.xz', 'linux-source-6.7.tar.xz',
                 'linux-source-6.12', 'linux-source-6.12-rt', 'linux-source']
        found = list(packages._new_enough(names))
        self.assertEqual(['linux-source-6.7', 'linux-source-6.12'], found)
        self.assertEqual('linux-source-6.12',
                         max(found, key=packages._number))


class TestMachines(testtools.TestCase):

    def test_every_pair_of_types_and_releases(self) -> None:
        self.assertEqual(
            {'mtty-1 old', 'mtty-2 old', 'mdpy-vga old', 'mbochs-small old',
             'mtty-1 new', 'mtty-2 new', 'mdpy-vga new', 'mbochs-small new'},
            set(map(str, machines.MACHINES)))

    def test_a_host_makes_one_type_of_a_parent(self) -> None:
        hosts = list(machines.hosts('new'))
        self.assertEqual([['mtty-1 new', 'mdpy-vga new', 'mbochs-small new'],
                          ['mtty-2 new']],
                         [list(map(str, host)) for host in hosts])

    def test_run_is_read_as_written(self) -> None:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        written = run.Run(
            build.Kernels(folder / 'kernels', '6.12'), folder,
            {machine: folder / machine.file for machine in machines.MACHINES})
        self.assertEqual(written, run.Run.read(written.write()))


class TestCommand(testtools.TestCase):

    def test_no_answer_is_no_disagreement(self) -> None:
        folder = self.useFixture(fixtures.TempDir()).path
        self.useFixture(fixtures.EnvironmentVariable(
            'XDG_CACHE_HOME', folder))
        self.useFixture(fixtures.MonkeyPatch('sys.argv', ['kernel']))
        for error in (packages.Missing('gcc'), OSError('no space left'),
                      guest.GuestFailed('an oops'), ValueError('check'),
                      subprocess.CalledProcessError(1, 'gcc')):
            with contextlib.redirect_stderr(io.StringIO()), \
                    mock.patch.object(packages, 'install', autospec=True,
                                      side_effect=error):
                self.assertEqual(2, command.main())

    def test_a_folder_that_is_not_there(self) -> None:
        """Told at once, and not by the publishers in the guests."""
        with contextlib.redirect_stderr(io.StringIO()) as told:
            error = self.assertRaises(
                SystemExit, command._parser().parse_args,
                ['--rules', '/nonexistent'])
        self.assertEqual(2, error.code)
        self.assertIn('/nonexistent is no folder', told.getvalue())


class TestGuest(testtools.TestCase):

    def guest(self, script: str) -> guest.Guest:
        """A guest whose QEMU is a shell script."""
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        qemu = folder / 'qemu-system-x86_64'
        qemu.write_text(f'#!/bin/sh\ncd {folder}/shared\n{script}\n')
        qemu.chmod(0o755)
        self.useFixture(fixtures.EnvironmentVariable(
            'PATH', f'{folder}:/usr/bin:/bin'))
        return guest.Guest(build.Kernels(folder, '6.12'), 'old',
                           folder / 'shared')

    def test_output(self) -> None:
        here = self.guest('echo done > output; echo 0 > status')
        self.assertEqual('done\n', here.run(['anything']))

    def test_failures_show_the_console(self) -> None:
        for script in ('echo 1 > status', 'rm -f status', 'exit 1'):
            here = self.guest(f'echo Oops > console; {script}')
            error = self.assertRaises(guest.GuestFailed, here.run, ['x'])
            self.assertIn('old driver' if script != 'exit 1' else 'qemu',
                          str(error))
            if script != 'exit 1':
                self.assertIn('Oops', str(error))

    def test_an_earlier_answer_does_not_count(self) -> None:
        here = self.guest('true')
        here.folder.mkdir()
        (here.folder / 'status').write_text('0\n')
        self.assertRaises(guest.GuestFailed, here.run, ['x'])

    def test_a_name_inside_is_the_name_outside(self) -> None:
        here = self.guest('cat place > output; echo 0 > status')
        self.assertEqual(str(here.folder.resolve()), here.run(['x']))
