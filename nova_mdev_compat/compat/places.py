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

"""Collecting the faults of a document while it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from nova_mdev_compat.compat.faults import Fault
from nova_mdev_compat.compat.faults import pointer

#: Member names and indexes that lead to a place of a document.
Path: TypeAlias = tuple[str | int, ...]


class Faults:
    """The faults found so far, and where nothing more is looked for.

    :param broken: places that the JSON Schema has found at fault. What is
        there, or holds such a place, is not read: it could be anything.
    """

    def __init__(self, broken: Iterable[Path] = ()) -> None:
        self.found: list[Fault] = []
        self._holds_broken = {
            path[:length] for path in broken
            for length in range(len(path) + 1)}

    def broken(self, path: Path) -> bool:
        """Whether the place, or something inside it, is at fault."""
        return path in self._holds_broken

    def add(self, path: Path, message: str) -> None:
        self.found.append(Fault(pointer(path), message))
        self._holds_broken.update(
            path[:length] for length in range(len(path) + 1))
