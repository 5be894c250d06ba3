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

"""Mutation testing of the language, resumable.

    python -m tests.mutation [--folder FOLDER] [--report] [PATH...]

Breaks the modules of nova_mdev_compat/compat and codec, or of the paths, in
every way that cosmic-ray knows, one at a time, and runs the tests on each
mutant (`tests/mutation/suite.py`). What is done stays in the folder, by
default `.mutation`, so a run that was stopped goes on where it was. A module
that has changed is begun anew; when the tests have changed, the mutants that
survived are run again, and those that were noticed are not: remove the
folder to have all of them run. Slow tests come when the quick ones have seen
all mutants, and are not asked about those that `equivalent.txt` lists.
`--report` runs nothing.

Left out are type annotations and aliases, which are never evaluated, what is
no Python any more, the frozen dictionary, and what cosmic-ray has no operator
for: calls, and strings, so also the texts of messages (but numbers in them
are mutated). Hypothesis draws a fifth of its examples, and does not make a
failing one small.

Prints the mutants that no test noticed, less those that
`tests/mutation/equivalent.txt` lists with a reason. The exit status is 1 when
5 % or more of the rest survived, when mutants are left to run, and when the
list names a mutant that there is not, or that a test notices.
"""

import argparse
import collections
from collections.abc import Set
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from tests.mutation import equivalent
from tests.mutation.session import Change
from tests.mutation.session import Outcome
from tests.mutation.session import Session
from tests.mutation.suite import MODULES
from tests.mutation.suite import Suite

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_LIMIT = 0.05
_PACKAGES = ('nova_mdev_compat/compat', 'nova_mdev_compat/codec')
_TESTS = ('tests/unit', 'tests/corpus', 'tests/fuzz')
_LEFT_OUT = ('__init__.py', 'dictionary.py')


def paths_of(names: list[str]) -> list[str]:
    """The modules of files and directories."""
    found = []
    for name in names or _PACKAGES:
        path = pathlib.Path(name)
        found += sorted(path.glob('*.py')) if path.is_dir() else [path]
    return [path.as_posix() for path in found
            if path.name not in _LEFT_OUT]


def digest_of_tests() -> str:
    """Tells the tests, as they are now, from others."""
    found = hashlib.sha256()
    for path in sorted(path for folder in _TESTS
                       for path in pathlib.Path(folder).rglob('*')):
        if path.is_file() and not _is_foreign(path):
            found.update(f'{path}\0'.encode() + path.read_bytes())
    return found.hexdigest()[:12]


def _is_foreign(path: pathlib.Path) -> bool:
    """Whether it is byte code, or a test that no mutant is shown to."""
    return path.suffix == '.pyc' or (
        path.name.startswith('test_')
        and '.'.join(path.with_suffix('').parts) not in MODULES)


def run(folder: pathlib.Path, paths: list[str]) -> None:
    """Goes on with the mutants of these modules."""
    tests = digest_of_tests()
    known = equivalent.known()
    suite = Suite(folder)
    for slow in (False, True):
        suite.check(slow)
        for path in paths:
            session = Session(folder, path, known)
            counts = collections.Counter(
                _told(outcome, outcome.change in known)
                for outcome in session.run(suite, tests, slow))
            print(f'{path}: {"slow" if slow else "quick"} tests noticed '
                  f'{counts[True]} now, and did not notice {counts[False]}',
                  flush=True)


def _told(outcome: Outcome, known: bool) -> bool:
    """Whether a test noticed; if not, it is printed at once."""
    if outcome.killer is None and not known:
        print(outcome.change, flush=True)
    return outcome.killer is not None


def report(folder: pathlib.Path, paths: list[str]) -> bool:
    """Prints what became of all; whether that is good."""
    known = equivalent.known()
    tests = digest_of_tests()
    counts: collections.Counter[str] = collections.Counter()
    survived: set[Change] = set()
    for path in paths:
        outcomes, left_out, to_run = Session(
            folder, path, known).outcomes(tests)
        counts.update({'left out': left_out, 'to run': to_run})
        counts.update(_kind(outcome, known) for outcome in outcomes)
        survived |= {outcome.change for outcome in outcomes
                     if outcome.killer is None}
    # A list that has grown old must not hide anything.
    stale = [] if counts['to run'] else sorted(
        str(change) for change in known - survived if change.path in paths)
    for change in stale:
        print(f'{change}\n  is in equivalent.txt, but no mutant that '
              'survives\n')
    return _print_total(counts) and not stale


def _kind(outcome: Outcome, known: Set[Change]) -> str:
    """What an outcome counts as; a survivor is printed."""
    if outcome.killer is not None:
        return 'noticed'
    if outcome.change in known:
        return 'equivalent'
    print(f'{outcome.change}\n  line {outcome.line}, {outcome.operator}\n')
    return 'survived'


def _print_total(counts: collections.Counter[str]) -> bool:
    rest = counts['noticed'] + counts['survived']
    rate = counts['survived'] / rest if rest else 1.0
    print(f'{rest + counts["equivalent"]} mutants, {counts["to run"]} more '
          f'to run, {counts["left out"]} left out; {counts["equivalent"]} '
          f'equivalent; {counts["survived"]} of the other {rest} survived: '
          f'{rate:.1%}')
    return rate < _LIMIT and not counts['to run']


def _in_a_copy(folder: pathlib.Path, arguments: list[str]) -> int:
    """Runs this program in a copy of the tree, which nobody edits."""
    tree = folder / 'tree'
    shutil.rmtree(tree, ignore_errors=True)
    for part in ('nova_mdev_compat', 'tests'):
        shutil.copytree(_ROOT / part, tree / part,
                        ignore=shutil.ignore_patterns('__pycache__'))
    environment = {**os.environ, 'PYTHONPATH': str(tree)}
    environment.pop('PYTHONDONTWRITEBYTECODE', None)
    return subprocess.run(
        [sys.executable, '-m', 'tests.mutation', *arguments], cwd=tree,
        env=environment, stdin=subprocess.DEVNULL).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('paths', nargs='*', metavar='PATH')
    parser.add_argument('--folder', type=pathlib.Path,
                        default=_ROOT / '.mutation')
    parser.add_argument('--report', action='store_true',
                        help='run nothing')
    parser.add_argument('--in-copy', action='store_true',
                        help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.report or arguments.in_copy:
        os.chdir(pathlib.Path(__file__).resolve().parents[2])
        paths = paths_of(arguments.paths)
        if not arguments.report:
            run(folder, paths)
        return 0 if report(folder, paths) else 1
    with (folder / 'lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            parser.error(f'another run goes on in {folder}')
        return _in_a_copy(folder, [
            *sys.argv[1:], '--in-copy', f'--folder={folder}'])


if __name__ == '__main__':
    sys.exit(main())
