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
import pathlib
import re

from tests.services import debian
from tests.services.debian import Missing

__all__ = ['Missing', 'NEEDED', 'OLDEST', 'install', 'source']

NEEDED = ('gcc', 'libc6-dev', 'make', 'flex', 'bison', 'bc', 'perl',
          'libelf-dev', 'libssl-dev', 'xz-utils', 'cpio', 'gzip',
          'busybox-static', 'qemu-system-x86')
#: The first release whose mtty driver can save and load its state.
OLDEST = (6, 7)
_SOURCES = pathlib.Path('/usr/src')
_SOURCE = re.compile(r'linux-source-(\d+)\.(\d+)')


def install() -> None:
    """See to it that all of them are there.

    :raises Missing: they are not, and cannot be installed from here.
    """
    if _sources():
        debian.install(*NEEDED)
    else:
        debian.update()
        debian.install(*NEEDED, _source_on_offer())


def source() -> tuple[pathlib.Path, str]:
    """The newest kernel's packed source, and its package's version."""
    newest = max(_sources(), key=_number)
    return (_SOURCES / f'{newest}.tar.xz', debian.version(newest))


def _sources() -> list[str]:
    """Kernel sources that are installed and new enough."""
    found = (path.name for path in _SOURCES.glob('linux-source-*.tar.xz'))
    return [name for name in _new_enough(found) if debian.version(name)]


def _source_on_offer() -> str:
    """The newest package of kernel source that can be installed."""
    found = list(_new_enough(debian.output(
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
