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

"""One mutant against the tests, in a process of its own.

The process is a fork of this one, which has the test tools loaded but not
the package: so a mutant costs no more than importing the package and the
tests. The mutated source is never written to a file.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import math
import os
import pathlib
import re
import resource
import select
import signal
import sys
import time
import types
from typing import Any
import unittest

import hypothesis
import jsonschema  # noqa: F401 - it is loaded once for all trials
import testtools

from tests.unit import corpus
from tests.unit import sources  # noqa: F401 - as above

# Beyond what this process has mapped; a mutant that wants more is broken.
_MEMORY = 1024 ** 3
# CPU seconds that a module's import may take, and that any test may.
_IMPORT = 20
_GRACE = 2
# CPU seconds from which on a test is slow.
_SLOW = 0.25
# A test may become so many times slower.
_SLOWER = 5
# Wall-clock seconds between two looks at what a mutant takes.
_LOOK = 0.5
_UNUSED = 'no test imports it'
_BOUND = re.compile(rb'([0-9.]+)\n\Z')


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A module and the source that takes the place of its own."""

    path: str
    source: str

    @property
    def module(self) -> str:
        return self.path.removesuffix('.py').replace('/', '.')


@dataclasses.dataclass(frozen=True)
class Test:
    """A test, and the CPU seconds that it takes when nothing is broken.

    :param index: which of the module's tests it is. Names can hold values of
        a table, and so change with what is broken.
    """

    id: str
    module: str
    index: int
    seconds: float

    @property
    def is_slow(self) -> bool:
        return self.seconds > _SLOW


class _Source(importlib.machinery.SourceFileLoader):
    """Loads one module from a text."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(pathlib.Path(
            mutant.path).resolve()))
        self.mutant = mutant

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self.mutant.source, self.path, 'exec',
                       dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Puts the mutated module before the one in the tree."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname: str, path: Any, target: Any = None
                  ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.mutant.module:
            return None
        loader = _Source(self.mutant)
        return importlib.util.spec_from_file_location(
            fullname, loader.path, loader=loader)


class _First(unittest.TestResult):
    """Remembers whether something failed."""

    failfast = True


def prepare() -> None:
    """What the trials have in common; before the first of them."""
    # A failure is all that is wanted: no smallest example, no second run.
    hypothesis.settings.register_profile(
        'mutation', database=None, derandomize=True, deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])
    hypothesis.settings.load_profile('mutation')
    # The first of several expectations that fails ends the test.
    testtools.TestCase.expectThat = testtools.TestCase.assertThat
    corpus.verdict_cases()
    corpus.validity_cases()
    assert 'nova_mdev_compat' not in sys.modules
    gc.freeze()


def measure(modules: Sequence[str],
            known: Mapping[str, float]) -> list[Test]:
    """The tests of the modules, run on what is not broken.

    :param known: CPU seconds by test; these are not run again.
    :raises RuntimeError: one of them fails.
    """
    found = _forked(lambda bound: _measured(modules, known))
    if not isinstance(found, list):
        raise RuntimeError(f'a test fails though nothing is broken: {found}')
    return [Test(*each) for each in found]


def killer(mutant: Mutant, tests: Sequence[Test]) -> str | None:
    """What noticed the mutant: a test, or what ended it; None: nothing.

    :raises RuntimeError: no test so much as imports the module.
    """
    found = _forked(lambda bound: _killer(mutant, tests, bound))
    if found == _UNUSED:
        raise RuntimeError(f'no test imports {mutant.module}')
    assert found is None or isinstance(found, str)
    return found


def untouched() -> Mutant:
    """A mutant that is none, and that no test may notice."""
    path = pathlib.Path('nova_mdev_compat/compat/versions.py')
    return Mutant(path.as_posix(), path.read_text('utf-8'))


def _measured(modules: Sequence[str], known: Mapping[str, float]
              ) -> list[tuple[str, str, int, float]] | str:
    measured = []
    for module in modules:
        for index, case in enumerate(_cases(module)):
            name, began = case.id(), time.process_time()
            if name not in known and not _passes(case):
                return name
            took = time.process_time() - began
            measured.append((name, module, index, known.get(name, took)))
    return measured


def _killer(mutant: Mutant, tests: Sequence[Test],
            bound: Callable[[float], None]) -> str | None:
    sys.meta_path.insert(0, _Finder(mutant))
    loaded: dict[str, list[unittest.TestCase]] = {}
    for test in tests:
        if test.module not in loaded:
            bound(_IMPORT)
            try:
                loaded[test.module] = _cases(test.module)
            except Exception as error:
                # Whatever a broken module raises: it was noticed.
                return f'import of {test.module}: {type(error).__name__}'
        bound(_GRACE + _SLOWER * test.seconds)
        if not _passes(loaded[test.module][test.index]):
            return test.id
    if mutant.module not in sys.modules:
        return _UNUSED
    return None


def _passes(case: unittest.TestCase) -> bool:
    result = _First()
    case.run(result)
    return result.wasSuccessful() and not result.skipped


def _cases(module: str) -> list[unittest.TestCase]:
    return list(_flat(unittest.defaultTestLoader.loadTestsFromModule(
        importlib.import_module(module))))


def _flat(suite: Any) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _flat(each)
        else:
            yield each


def _forked(call: Callable[[Callable[[float], None]], Any]) -> Any:
    """What the call returns in a fork, or how the fork ended.

    :param call: is given a function by which it bounds the CPU seconds from
        there on.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _answer(writer, call)
    os.close(writer)
    with os.fdopen(reader, 'rb', buffering=0) as stream:
        lines = _read(stream, child)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not status:
        return json.loads(lines)
    if status > 0:
        raise RuntimeError('a trial did not come to its end')
    return 'over its time' if status == -signal.SIGKILL \
        else f'signal {-status}'


def _answer(writer: int, call: Callable[[Callable[[float], None]], Any]
            ) -> None:
    status = 1
    try:
        _confine()
        with os.fdopen(writer, 'w', buffering=1) as stream:
            answer = call(lambda seconds: print(seconds, file=stream))
            print(json.dumps(answer), file=stream)
        status = 0
    finally:
        # Nothing of the parent's may be flushed or closed twice.
        os._exit(status)


def _confine() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    pages = int(pathlib.Path('/proc/self/statm').read_text().split()[0])
    limit = pages * resource.getpagesize() + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(stream: io.RawIOBase, child: int) -> bytes:
    """The last line that the child writes; it ends when it is over a bound.

    A signal of its own could not end it inside a call of C, and a timer of
    its CPU time would make its clock too coarse for some tests.
    """
    text, ends = b'', math.inf
    while True:
        ready, _, _ = select.select([stream], [], [], _LOOK)
        if ready:
            piece = stream.read(65536)
            if not piece:
                return text.rstrip(b'\n').rpartition(b'\n')[2]
            text += piece
            bound = _BOUND.search(text)
            ends = _used(child) + float(bound[1]) if bound else ends
        elif _used(child) > ends:
            os.kill(child, signal.SIGKILL)


def _used(process: int) -> float:
    """The CPU seconds that a process has taken so far."""
    fields = pathlib.Path(f'/proc/{process}/stat').read_text().rpartition(
        ')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
