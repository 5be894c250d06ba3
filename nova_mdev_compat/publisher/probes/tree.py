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


"""A directory that stands for /sys, read with care."""

from __future__ import annotations

import errno
import logging
import os

from nova_mdev_compat.publisher.facts import ProbeFailed

LOG = logging.getLogger(__name__)

#: Bytes that are read of a file.  The kernel gives a page at most, and no
#: architecture has larger ones than this.
LIMIT = 65536

# What the kernel answers when a device has gone away meanwhile.
_GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR})


class Tree:
    """Files, directories and links below /sys.

    :param root: /sys itself, or a directory that holds a `sys`: with `/var`,
        `/var/sys/class/mdev_bus` is read if there is a `/var/sys`, and
        `/var/class/mdev_bus` otherwise.
    """

    def __init__(self, root: str = '/sys') -> None:
        nested = os.path.join(root, 'sys')
        self.root = nested if os.path.isdir(nested) else root

    def path(self, *parts: str) -> str:
        return os.path.join(self.root, *parts)

    def exists(self, *parts: str) -> bool:
        return os.path.exists(self.path(*parts))

    def text(self, *parts: str) -> str | None:
        """What a file says, or None where there is none.

        Bytes that are not UTF-8 become `\\xff` escapes, so that two texts
        never become one.

        :raises ProbeFailed: it is there, and cannot be read or is too long.
        """
        path = self.path(*parts)
        try:
            with open(path, 'rb') as file:
                content = file.read(LIMIT + 1)
        except OSError as error:
            if error.errno in _GONE:
                return None
            raise ProbeFailed(f'{path}: {error.strerror}') from error
        if len(content) > LIMIT:
            raise ProbeFailed(f'{path}: longer than {LIMIT} bytes, which no '
                              'file of the kernel is')
        return content.decode(errors='backslashreplace').strip('\0 \t\r\n')

    def optional(self, *parts: str) -> str | None:
        """The same for a file that may well be unreadable."""
        try:
            return self.text(*parts)
        except ProbeFailed as error:
            LOG.debug('Left out: %s', error)
            return None

    def number(self, *parts: str, base: int = 10) -> int | None:
        """A file's integer, or None where it holds none."""
        try:
            return int(self.optional(*parts) or '', base)
        except ValueError:
            return None

    def names(self, *parts: str) -> list[str] | None:
        """What a directory holds, sorted, or None where there is none.

        :raises ProbeFailed: it is there and cannot be listed.
        """
        path = self.path(*parts)
        try:
            return sorted(os.listdir(path))
        except OSError as error:
            if error.errno in _GONE:
                return None
            raise ProbeFailed(f'{path}: {error.strerror}') from error

    def link(self, *parts: str) -> str | None:
        """The last part of what a link points at, or None without a link.

        Links are read and not followed, so they cannot lead in circles.
        """
        try:
            return os.path.basename(os.readlink(self.path(*parts))) or None
        except OSError:
            return None
