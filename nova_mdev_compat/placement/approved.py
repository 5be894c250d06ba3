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

"""Documents that an operator keeps in a directory at the scheduler."""

from __future__ import annotations

from collections.abc import Iterator
import os

from oslo_log import log as logging

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import strict_json
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.faults import InvalidDocument

LOG = logging.getLogger(__name__)

_SUFFIX = '.json'


class Directory:
    """The valid documents of a directory's JSON files, by digest.

    A file is read again when its size or time of change is another one; a
    file that is no document is named once in a warning and skipped.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: dict[str, tuple[tuple[int, int], Document | None]] = {}
        self._warned = False

    def documents(self) -> dict[str, Document]:
        """What is there now."""
        seen = {}
        for name, stamp in self._files():
            known = self._seen.get(name)
            if known is not None and known[0] == stamp:
                seen[name] = known
            else:
                seen[name] = stamp, self._read(name)
        self._seen = seen
        return {canonical.digest(document.canonical): document
                for _, document in seen.values() if document is not None}

    def _files(self) -> Iterator[tuple[str, tuple[int, int]]]:
        try:
            with os.scandir(self._path) as entries:
                for entry in sorted(entries, key=lambda one: one.name):
                    if entry.name.endswith(_SUFFIX) and entry.is_file():
                        found = entry.stat()
                        yield entry.path, (found.st_size, found.st_mtime_ns)
            self._warned = False
        except OSError as error:
            if not self._warned:
                LOG.warning('documents_dir %s cannot be read: %s',
                            self._path, error)
            self._warned = True

    def _read(self, name: str) -> Document | None:
        try:
            with open(name, 'rb') as file:
                return loading.load(file.read(strict_json.MAX_TEXT + 1))
        except (OSError, InvalidDocument) as error:
            LOG.warning('%s is not used: %s', name, error)
            return None
