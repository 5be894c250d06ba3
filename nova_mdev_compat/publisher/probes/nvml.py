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


"""The probe that asks NVIDIA's management library, NVML.

Function names, meanings and errors are of NVIDIA's "NVML API Reference
Guide"; the binding is `nvidia-ml-py`, which the extra `[nvml]` installs.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import importlib
from typing import Any

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.facts import Facts
from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.facts import ProbeFailed

_NVIDIA = '10de'

# The base class of display controllers.
_DISPLAY = '03'


class NvmlProbe:
    """What NVML says of the GPUs whose parents other probes found.

    A host without a parent that NVIDIA's driver runs is not asked, and needs
    no library.

    :param root: not used; NVML asks the running driver.
    :param library: the module `pynvml`, imported when needed by default.
    """

    def __init__(self, root: str = '/sys', library: Any = None) -> None:
        self._library = library

    def parents(self, known: Mapping[str, Parent]) -> list[Parent]:
        """More facts of the NVIDIA parents.

        :raises ProbeFailed: there are such parents and the library is
            missing, is of another release than the driver, or fails; for a
            GPU that is lost, it concerns its parents alone.
        """
        ours = [parent for parent in known.values() if _is_nvidia(parent)]
        if not ours:
            return []
        names = frozenset(parent.name for parent in ours)
        library = self._library or _import_library(names)
        with _session(library, names):
            host = _Host(library)
            found = [host.parent(parent) for parent in ours]
        return _told(found, host.lost, ours)


def _is_nvidia(parent: Parent) -> bool:
    """A GPU, or a function of one, that NVML should know.

    The same driver may run other devices too, such as those of sound.
    """
    kind = str(parent.facts.get('pci.class', _DISPLAY))
    return (parent.facts.get('pci.vendor') == _NVIDIA
            and parent.facts.get('driver') == 'nvidia'
            and kind.startswith(_DISPLAY))


def _gpu_address(parent: Parent) -> str:
    return str(parent.facts.get('pci.physical_function', parent.name))


def _told(found: list[Parent], lost: Mapping[str, str],
          ours: list[Parent]) -> list[Parent]:
    """What was found, unless a GPU did not answer."""
    if not lost:
        return found
    concerned = {parent.name for parent in ours
                 if _gpu_address(parent) in lost}
    raise ProbeFailed(
        '; '.join(f'NVML: {address}: {reason}'
                  for address, reason in lost.items()), concerned,
        [parent for parent in found if parent.name not in concerned])


def _import_library(parents: Collection[str]) -> Any:
    try:
        return importlib.import_module('pynvml')
    except ImportError as error:
        raise ProbeFailed(
            f'{error}: there are NVIDIA devices here, so install '
            'nova-mdev-compat[nvml], or switch the probe nvml off',
            parents) from error


@contextlib.contextmanager
def _session(library: Any, parents: Collection[str]) -> Iterator[None]:
    """NVML from its initialisation to its shutdown.

    :raises ProbeFailed: NVML says so of a call within.
    """
    try:
        library.nvmlInit()
        try:
            yield
        finally:
            library.nvmlShutdown()
    except library.NVMLError as error:
        raise ProbeFailed(f'NVML: {error}{_advice(library, error)}',
                          parents) from error


def _advice(library: Any, error: Any) -> str:
    if error.value == library.NVML_ERROR_LIB_RM_VERSION_MISMATCH:
        return (': the library and the loaded driver are of different '
                'releases; reload the driver or restart the host')
    if error.value == library.NVML_ERROR_LIBRARY_NOT_FOUND:
        return ': libnvidia-ml.so.1 comes with the driver'
    return ''


class _Host:
    """The answers of one session; a GPU with 256 VFs is asked once."""

    def __init__(self, library: Any) -> None:
        #: Why a GPU does not answer, by its address.
        self.lost: dict[str, str] = {}
        self._library = library
        self._absent = frozenset({library.NVML_ERROR_NOT_SUPPORTED,
                                  library.NVML_ERROR_NOT_FOUND,
                                  library.NVML_ERROR_FUNCTION_NOT_FOUND})
        self._gpus: dict[str, dict[str, Fact]] = {}
        self._types: dict[int, Facts] = {}
        self._host = self._host_facts()

    def parent(self, parent: Parent) -> Parent:
        """More facts of a parent."""
        facts = {**self._host, **self._gpu(_gpu_address(parent))}
        current = parent.facts.get('nvidia.vgpu_type')
        if isinstance(current, int):
            facts.update(self._type(current))
        numbers = {name: _number(name) for name in parent.types}
        return Parent(parent.name, facts, {
            name: self._type(number)
            for name, number in numbers.items() if number is not None})

    def _ask(self, function: Callable[..., Any], *values: Any) -> Any:
        """An answer, or None where NVML has none to give."""
        try:
            return function(*values)
        except self._library.NVMLError as error:
            if error.value in self._absent:
                return None
            raise

    def _host_facts(self) -> dict[str, Fact]:
        facts = {'nvml.driver_version':
                 self._ask(self._library.nvmlSystemGetDriverVersion)}
        ranges = self._ask(self._library.nvmlGetVgpuVersion)
        for name, versions in zip(('supported', 'current'), ranges or ()):
            facts[f'nvml.vgpu_version.{name}.minimum'] = versions[0]
            facts[f'nvml.vgpu_version.{name}.maximum'] = versions[1]
        return _known(facts)

    def _gpu(self, address: str) -> dict[str, Fact]:
        if address not in self._gpus:
            try:
                self._gpus[address] = self._gpu_facts(address)
            except self._library.NVMLError as error:
                self.lost[address] = str(error)
                self._gpus[address] = {}
        return self._gpus[address]

    def _gpu_facts(self, address: str) -> dict[str, Fact]:
        library = self._library
        handle = library.nvmlDeviceGetHandleByPciBusId(address)
        facts = {
            'nvml.board': self._ask(library.nvmlDeviceGetName, handle),
            'nvml.board.part_number':
                self._ask(library.nvmlDeviceGetBoardPartNumber, handle),
            'nvml.board.id': self._ask(library.nvmlDeviceGetBoardId, handle),
        }
        ecc = self._ask(library.nvmlDeviceGetCurrentEccMode, handle)
        if ecc is not None:
            facts['nvml.ecc'] = ecc == library.NVML_FEATURE_ENABLED
        return _known(facts)

    def _type(self, number: int) -> Facts:
        if number not in self._types:
            library = self._library
            self._types[number] = _known({
                'nvml.type.name':
                    self._ask(library.nvmlVgpuTypeGetName, number),
                'nvml.type.class':
                    self._ask(library.nvmlVgpuTypeGetClass, number),
            })
        return self._types[number]


def _known(facts: Mapping[str, Any]) -> dict[str, Fact]:
    return {name: value for name, value in facts.items()
            if value is not None and value != ''}


def _number(mdev_type: str) -> int | None:
    """NVML's number of a type: 558 of `nvidia-558`."""
    driver, dash, number = mdev_type.partition('-')
    return int(number) if number.isdecimal() else None
