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

"""Two kernels with the sample drivers, older and newer, built and kept.

The newer one's mtty writes and takes a stream with a higher minor number, and
calls itself a newer version, as a vendor's driver would.  All that differs is
changed in a copy of the source while it is built.
"""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

from tests.kernel import packages

RELEASES = ('old', 'new')
_HERE = pathlib.Path(__file__).parent
_CONFIG = _HERE / 'kernel.config'
_MTTY = 'samples/vfio-mdev/mtty.c'
#: What is raised for the newer driver: each found once, in this form.
_RAISED = (('#define MTTY_MINOR_VER 0\n', '#define MTTY_MINOR_VER 1\n'),
           ('#define VERSION_STRING  "0.1"\n',
            '#define VERSION_STRING  "0.2"\n'))
_FOLDERS = ('bin', 'dev', 'exchange', 'host', 'proc', 'sys')
_SHOWN = 30


class BuildFailed(Exception):
    """A kernel could not be built; says where to look."""


@dataclasses.dataclass(frozen=True)
class Kernels:
    """What guests are started from.

    :param folder: has a kernel of each release, and `initramfs.gz`.
    :param version: the version of the kernel source's package.
    """

    folder: pathlib.Path
    version: str

    def image(self, release: str) -> pathlib.Path:
        return self.folder / f'bzImage-{release}'

    @property
    def initramfs(self) -> pathlib.Path:
        return self.folder / 'initramfs.gz'


def build(cache: pathlib.Path) -> Kernels:
    """Both kernels, as they are kept, or made now.

    What an interrupted run has left is gone on with.

    :param cache: where they are kept; 2 GB are needed while building, 3 MB
        afterwards.
    :raises BuildFailed: with the end of the log.
    :raises packages.Missing: no source of a kernel.
    """
    archive, version = packages.source()
    folder = cache / f'{version}-{_key()}'
    kernels = Kernels(folder, version)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / 'lock').open('w') as lock:
        # Another run may be at it, or what an interrupted one has started.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all(kernels.image(release).exists() for release in RELEASES):
            _Tree(folder, archive, lock.fileno()).build(kernels)
        _pack(kernels)
    return kernels


def _key() -> str:
    content = repr((_CONFIG.read_text(), _RAISED)).encode()
    return hashlib.sha256(content).hexdigest()[:12]


class _Tree:
    """An unpacked kernel source, in which is built.

    :param lock: descriptor that everything keeps open which works in it.
    """

    def __init__(self, folder: pathlib.Path, archive: pathlib.Path,
                 lock: int) -> None:
        self._archive = archive
        self._lock = lock
        self._tree = folder / 'linux'
        self._log = folder / 'build.log'

    def build(self, kernels: Kernels) -> None:
        started = time.monotonic()
        self._log.unlink(missing_ok=True)
        if not (self._tree / 'unpacked').exists():
            self._unpack()
        self._configure()
        original = (self._tree / 'mtty.c.orig').read_text()
        for release, text in zip(RELEASES, (original, _raised(original))):
            self._make_with(text, release)
            _keep(self._tree / 'arch/x86/boot/bzImage',
                  kernels.image(release))
        shutil.rmtree(self._tree)
        print('built in %.1f minutes' % ((time.monotonic() - started) / 60),
              flush=True)

    def _unpack(self) -> None:
        print(f'unpacking {self._archive}', flush=True)
        shutil.rmtree(self._tree, ignore_errors=True)
        self._tree.mkdir()
        self._run('tar', 'xf', str(self._archive), '--strip-components=1')
        shutil.copy(self._tree / _MTTY, self._tree / 'mtty.c.orig')
        (self._tree / 'unpacked').touch()

    def _configure(self) -> None:
        self._run('make', 'tinyconfig')
        self._run('scripts/kconfig/merge_config.sh', '-m', '.config',
                  str(_CONFIG))
        self._run('make', 'olddefconfig')
        settled = set((self._tree / '.config').read_text().splitlines())
        lacking = [line for line in _wanted() if line not in settled]
        if lacking:
            raise BuildFailed('this source cannot be configured with: '
                              + ', '.join(lacking))

    def _make_with(self, mtty: str, release: str) -> None:
        print(f'building the kernel with the {release} driver (log: '
              f'{self._log})', flush=True)
        place = self._tree / _MTTY
        if place.read_text() != mtty:
            place.write_text(mtty)
        self._run('nice', '-n', '15', 'make', f'-j{os.cpu_count()}',
                  'bzImage')

    def _run(self, *words: str) -> None:
        with self._log.open('a') as log:
            done = subprocess.run(
                words, cwd=self._tree, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, pass_fds=[self._lock])
        if done.returncode:
            lines = self._log.read_text(errors='replace').splitlines()
            raise BuildFailed('\n'.join(
                [f'{" ".join(words)}: exit status {done.returncode}; the '
                 f'end of {self._log}:', *lines[-_SHOWN:],
                 f'To begin anew, remove {self._tree}.']))


def _wanted() -> Iterator[str]:
    for line in _CONFIG.read_text().splitlines():
        if re.match(r'CONFIG_\w+=', line):
            yield line


def _raised(text: str) -> str:
    for line, other in _RAISED:
        if text.count(line) != 1:
            raise BuildFailed(f'{_MTTY} has no line {line.rstrip()!r}: it is '
                              'not the driver that this was written for')
        text = text.replace(line, other)
    return text


def _keep(made: pathlib.Path, place: pathlib.Path) -> None:
    """Whole or not at all: what is there is taken for whole."""
    partial = place.with_suffix('.partial')
    shutil.copy(made, partial)
    partial.replace(place)


def _pack(kernels: Kernels) -> None:
    """What the guests begin with: busybox, the program that asks, init.

    In place of the one before, which guests of another run may have open.
    """
    root = kernels.folder / 'initramfs'
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    compile_asker(root / 'bin/migrate')
    shutil.copy('/bin/busybox', root / 'bin/busybox')
    shutil.copy(_HERE / 'init', root / 'init')
    (root / 'init').chmod(0o755)
    subprocess.run(
        'find . | cpio --quiet -o -H newc | gzip -1 > ../packed',
        shell=True, check=True, cwd=root)
    (kernels.folder / 'packed').replace(kernels.initramfs)


def compile_asker(place: pathlib.Path) -> None:
    """The program that puts the question to a driver; see migrate.c."""
    subprocess.run(['gcc', '-static', '-O2', '-Wall', '-Wextra', '-Werror',
                    '-o', str(place), str(_HERE / 'migrate.c')], check=True)
