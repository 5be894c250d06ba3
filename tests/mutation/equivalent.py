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

"""The list of the mutants that do the same as the original."""

from collections.abc import Iterator
import pathlib

from tests.mutation.session import Change

_FILE = pathlib.Path(__file__).with_name('equivalent.txt')


class InvalidList(ValueError):
    """The list has another form than its head says."""


def known() -> set[Change]:
    """The mutants that the list names.

    :raises InvalidList: it cannot be read.
    """
    return read(_FILE.read_text('utf-8'))


def read(text: str) -> set[Change]:
    """The mutants that the list names.

    :raises InvalidList: a block has no module, no lines or no reason.
    """
    blocks = '\n'.join(line for line in text.splitlines()
                       if not line.startswith('#')).split('\n\n')
    return {change for block in blocks if block.strip()
            for change in _block(block.strip('\n').splitlines())}


def _block(lines: list[str]) -> Iterator[Change]:
    path, _, definition = lines[0].partition(' ')
    old: list[str] = []
    new: list[str] = []
    for line in lines[1:]:
        if line.startswith('- '):
            yield from _changes(path, definition, old, new)
            old, new = [line[2:]], []
        elif line.startswith('+ '):
            new.append(line[2:])
    if not old or not lines[-1].startswith('  '):
        raise InvalidList(f'{lines[0]}: no line, or no reason')
    yield from _changes(path, definition, old, new)


def _changes(path: str, definition: str, old: list[str],
             new: list[str]) -> Iterator[Change]:
    for line in old:
        for instead in new or ['']:
            yield Change(path, definition, line, instead)
