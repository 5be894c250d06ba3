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

"""What is wrong with a document, and where."""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of member names and indexes."""
    return ''.join([
        '/' + str(token).replace('~', '~0').replace('/', '~1')
        for token in path])


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of a document.

    :param pointer: JSON pointer of the place; empty for the whole document.
    :param message: what was found there and what would be right.
    """

    pointer: str
    message: str

    def __str__(self) -> str:
        return f'{self.pointer or "(document)"}: {self.message}'


class InvalidDocument(ValueError):
    """A document has faults; `faults` holds every one that was found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__('; '.join(str(fault) for fault in self.faults))
