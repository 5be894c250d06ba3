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

"""The machines whose devices are asked about, and what their kernels say."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import itertools
import json
import pathlib
from typing import Any
import uuid

from tests.kernel import build
from tests.kernel import guest

#: The scratch register of a serial port (linux/serial_reg.h, UART_SCR), which
#: keeps what is written to it, in mtty's BAR 0.
_SCRATCH = '0:7='
#: Model by mdev type: the parent, and a register that is part of the state.
_TYPES = {'mtty-1': ('mtty', _SCRATCH), 'mtty-2': ('mtty', _SCRATCH),
          'mdpy-vga': ('mdpy', ''), 'mbochs-small': ('mbochs', '')}


@dataclasses.dataclass(frozen=True)
class Machine:
    """A compute host: a driver's release, and what its parent makes.

    :param number: written into its device's register, hexadecimal.
    """

    mdev_type: str
    release: str
    number: int

    def __str__(self) -> str:
        return f'{self.mdev_type} {self.release}'

    @property
    def parent(self) -> str:
        return _TYPES[self.mdev_type][0]

    @property
    def address(self) -> str:
        """The parent, as `[mdev_<type>] device_addresses` names it."""
        return f'{self.parent}_{self.parent}'

    @property
    def file(self) -> str:
        return f'{self.mdev_type}-{self.release}'

    @property
    def mark(self) -> str:
        register = _TYPES[self.mdev_type][1]
        return f'{register}{self.number:x}' if register else ''


MACHINES = tuple(
    Machine(mdev_type, release, number) for number, (release, mdev_type)
    in enumerate(itertools.product(build.RELEASES, _TYPES), 0x51))


def hosts(release: str) -> Iterator[list[Machine]]:
    """The machines of a release, as hosts: one type a parent."""
    parents: dict[str, list[Machine]] = {}
    for machine in MACHINES:
        if machine.release == release:
            parents.setdefault(machine.parent, []).append(machine)
    for row in itertools.zip_longest(*parents.values()):
        yield [machine for machine in row if machine is not None]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a driver said.

    :param bytes: the length of the stream that was saved or loaded.
    :param at: the step that was refused: `save`, `read` of the source;
        `resume`, `write`, `load`, `run` of the destination; `compare`: it was
        loaded, and is not the source's state.
    """

    done: bool
    bytes: int = 0
    at: str = ''
    error: str = ''

    def __str__(self) -> str:
        return (f'loaded, {self.bytes} bytes' if self.done
                else f'{self.error} at {self.at}')

    def as_json(self) -> dict[str, Any]:
        return ({'loaded': True, 'bytes': self.bytes} if self.done else
                {'loaded': False, 'at': self.at, 'error': self.error})


Pair = tuple[Machine, Machine]


class Kernel:
    """Puts questions to the drivers, each to a device made for it.

    :param folder: the guests' shared folders are made in it.
    """

    def __init__(self, kernels: build.Kernels, folder: pathlib.Path) -> None:
        self._kernels = kernels
        self._folder = folder

    def guest_of(self, release: str) -> guest.Guest:
        return guest.Guest(self._kernels, release, self._folder / release)

    def save(self, machines: Sequence[Machine]) -> dict[Machine, Answer]:
        """Save a device's state on each; the streams stay in the folder."""
        found = {}
        for release, here in _by_release(machines):
            shared = self.guest_of(release)
            shared.run([line for machine in here
                        for line in _save(machine)])
            for machine in here:
                found[machine] = _read(shared.folder / f'{machine.file}.said')
        return found

    def load(self, pairs: Sequence[Pair]) -> dict[Pair, Answer]:
        """Load on the second what the first has saved."""
        found = {}
        by_destination = {pair[1]: [one for one in pairs if one[1] == pair[1]]
                          for pair in pairs}
        for release, here in _by_release(list(by_destination)):
            shared = self.guest_of(release)
            asked = [pair for machine in here
                     for pair in by_destination[machine]]
            for source, _ in asked:
                self._carry(source, shared)
            shared.run([line for pair in asked for line in _load(*pair)])
            for pair in asked:
                found[pair] = _read(shared.folder / _name(*pair))
        return found

    def verdicts(self, pairs: Sequence[Pair]) -> dict[Pair, Answer]:
        """The kernel's answer for each: a state goes over, or why not."""
        saved = self.save(list(dict.fromkeys(pair[0] for pair in pairs)))
        loaded = self.load([pair for pair in pairs if saved[pair[0]].done])
        return {pair: loaded.get(pair, saved[pair[0]]) for pair in pairs}

    def _carry(self, source: Machine, shared: guest.Guest) -> None:
        name = f'{source.file}.stream'
        stream = (self.guest_of(source.release).folder / name).read_bytes()
        shared.folder.mkdir(parents=True, exist_ok=True)
        (shared.folder / name).write_bytes(stream)


def _by_release(machines: Sequence[Machine],
                ) -> Iterator[tuple[str, list[Machine]]]:
    for release in build.RELEASES:
        here = [one for one in machines if one.release == release]
        if here:
            yield release, here


def _save(machine: Machine) -> Iterator[str]:
    return _asking(machine, f'save @ {machine.file}.stream {machine.mark}',
                   f'{machine.file}.said')


def _load(source: Machine, destination: Machine) -> Iterator[str]:
    return _asking(destination, f'load @ {source.file}.stream {source.mark}',
                   _name(source, destination))


def _name(source: Machine, destination: Machine) -> str:
    return f'{source.file}-to-{destination.file}.said'


def _asking(machine: Machine, words: str, said: str) -> Iterator[str]:
    """Lines of a script: a device is made, asked, and removed."""
    name = uuid.uuid4()
    device = f'/sys/bus/mdev/devices/{name}'
    yield (f'echo {name} > /sys/class/mdev_bus/{machine.parent}/'
           f'mdev_supported_types/{machine.mdev_type}/create')
    # 1 is a driver's no; all else is no answer.
    yield f'migrate {words.replace("@", device)} > {said} || [ $? = 1 ]'
    yield f'echo 1 > {device}/remove'


def _read(path: pathlib.Path) -> Answer:
    said: Mapping[str, Any] = json.loads(path.read_text())
    return Answer(**said)
