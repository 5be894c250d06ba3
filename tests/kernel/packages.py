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

"""The Debian packages that a kernel is built and run with."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
import os
import pathlib
import re
import subprocess

NEEDED = ('gcc', 'libc6-dev', 'make', 'flex', 'bison', 'bc', 'perl',
          'libelf-dev', 'libssl-dev', 'xz-utils', 'cpio', 'gzip',
          'busybox-static', 'qemu-system-x86')
#: The first release whose mtty driver can save and load its state.
OLDEST = (6, 7)
_SOURCES = pathlib.Path('/usr/src')
_SOURCE = re.compile(r'linux-source-(\d+)\.(\d+)')


class Missing(Exception):
    """Something that cannot be had on this machine."""


def install() -> None:
    """See to it that all of them are there.

    :raises Missing: they are not, and cannot be installed from here.
    """
    missing = [name for name in NEEDED if not _version(name)]
    if not missing and _sources():
        return
    if not os.geteuid():
        _apt_get('update')
    if not _sources():
        missing.append(_source_on_offer())
    if os.geteuid():
        raise Missing('these Debian packages are missing; as root: apt-get '
                      'install --no-install-recommends ' + ' '.join(missing))
    print('installing ' + ' '.join(missing), flush=True)
    _apt_get('-y', 'install', '--no-install-recommends', *missing)


def source() -> tuple[pathlib.Path, str]:
    """The newest kernel's packed source, and its package's version."""
    newest = max(_sources(), key=_number)
    return (_SOURCES / f'{newest}.tar.xz', _version(newest))


def _apt_get(*words: str) -> None:
    done = subprocess.run(
        ['apt-get', '-qq', *words], capture_output=True, text=True,
        env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'})
    if done.returncode:
        raise Missing(f'apt-get {" ".join(words)} failed: {done.stderr}')


def _version(package: str) -> str:
    """The version that is installed, or nothing."""
    found = _output('dpkg-query', '-W', '-f', '${db:Status-Status} ${Version}',
                    package)
    status, _, version = found.partition(' ')
    return version if status == 'installed' else ''


def _sources() -> list[str]:
    """Kernel sources that are installed and new enough."""
    found = (path.name for path in _SOURCES.glob('linux-source-*.tar.xz'))
    return [name for name in _new_enough(found) if _version(name)]


def _source_on_offer() -> str:
    """The newest package of kernel source that can be installed."""
    found = list(_new_enough(_output(
        'apt-cache', 'pkgnames', 'linux-source-').splitlines()))
    if not found:
        raise Missing('no package linux-source-%d.%d or newer is on offer '
                      'here' % OLDEST)
    return max(found, key=_number)


def _new_enough(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        name = name.removesuffix('.tar.xz')
        if _SOURCE.fullmatch(name) and _number(name) >= OLDEST:
            yield name


def _number(name: str) -> tuple[int, ...]:
    match = _SOURCE.match(name)
    assert match is not None
    return tuple(map(int, match.groups()))


def _output(*words: str) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise Missing(f'{words[0]} is not there: the kernel is built from '
                      "Debian's packages, on Debian") from None
