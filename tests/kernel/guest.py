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

"""A virtual machine that runs one script and stops."""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses
import os
import pathlib
import shlex
import subprocess
import sys

from tests.kernel import build

#: Seconds after which a guest that has not stopped is given up.
TIMEOUT = 600
_MEMORY = '1G'
# A kernel that has crashed gives no verdict.  Whether the timer ticks is not
# asked: a guest that waits for a processor of a busy host takes it for broken.
_CONSOLE = ('console=ttyS0 quiet loglevel=4 reboot=t panic=-1 oops=panic '
            'no_timer_check')
_ROOT = pathlib.Path(__file__).parents[2]
#: Where QEMU's user network has this host.
_GATEWAY = '10.0.2.2'
_SHOWN = 30


class GuestFailed(Exception):
    """A guest did not do what its script says."""


@dataclasses.dataclass(frozen=True)
class Guest:
    """A machine with the sample drivers of a release.

    :param folder: shared with the host, under the same name inside `/host`.
        Empty, or what a guest before has left.
    """

    kernels: build.Kernels
    release: str
    folder: pathlib.Path

    def run(self, lines: Sequence[str]) -> str:
        """Boot, run a shell script in the shared folder, and stop.

        :returns: what the script wrote.
        :raises GuestFailed: it did not come to its end, or failed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write('place', str(self.folder.resolve()))
        self._write('script', '\n'.join(
            ['set -e', 'cd /exchange', *lines, '']))
        for name in ('status', 'output'):
            (self.folder / name).unlink(missing_ok=True)
        self._boot()
        output = self._read('output')
        status = self._read('status').strip()
        if status != '0':
            raise GuestFailed(self._failure(
                f'the script ended with {status}' if status else
                'the script did not come to its end', output))
        return output

    def _boot(self) -> None:
        try:
            done = subprocess.run(
                self._command(), timeout=TIMEOUT, stdin=subprocess.DEVNULL,
                capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            raise GuestFailed(self._failure(
                f'not stopped after {TIMEOUT} s', '')) from None
        if done.returncode:
            raise GuestFailed(f'qemu ended with {done.returncode}: '
                              + done.stderr)

    def _command(self) -> list[str]:
        return [
            'qemu-system-x86_64', '-M', 'microvm,acpi=off', '-accel', 'tcg',
            '-cpu', 'max', '-m', _MEMORY, '-nodefaults', '-no-user-config',
            '-nographic', '-no-reboot',
            '-serial', f'file:{self.folder / "console"}',
            '-kernel', str(self.kernels.image(self.release)),
            '-initrd', str(self.kernels.initramfs), '-append', _CONSOLE,
            '-netdev', 'user,id=net', '-device',
            'virtio-net-device,netdev=net',
            *_shared('host', pathlib.Path('/'), ',readonly=on'),
            *_shared('exchange', self.folder.resolve(), '')]

    def _failure(self, what: str, output: str) -> str:
        console = self._read('console').splitlines()[-_SHOWN:]
        return '\n'.join([f'guest with the {self.release} driver: {what}',
                          output, 'the end of its console:', *console])

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(errors='replace') if path.exists() else ''


def in_host(*words: str) -> str:
    """A line of a guest's script: a command in the host's file system.

    Python finds what it finds here; nothing but the guest's folder is
    writable.
    """
    settings = {'PATH': os.environ.get('PATH', os.defpath),
                'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONPATH': str(_ROOT),
                'LC_ALL': 'C.UTF-8'}
    return 'chroot /host /usr/bin/env -i ' + shlex.join(
        [*(f'{name}={value}' for name, value in settings.items()), *words])


def python(*words: str) -> str:
    """The same for a module of this interpreter's."""
    return in_host(sys.executable, '-m', *words)


def through_gateway(url: str) -> str:
    """What a guest calls a service on this host's loopback."""
    return url.replace('127.0.0.1', _GATEWAY)


def _shared(tag: str, path: pathlib.Path, options: str) -> list[str]:
    return ['-fsdev', f'local,id={tag},path={path},security_model=none,'
            f'multidevs=remap{options}',
            '-device', f'virtio-9p-device,fsdev={tag},mount_tag={tag}']
