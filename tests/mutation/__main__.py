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

    python -m tests.mutation [--folder FOLDER] [PATH...]

Breaks every line of nova_mdev_compat/compat and codec in turn, in a copy of
the tree, and runs the tests on each. What is done stays in the folder, by
default `.mutation`, so a run that was stopped goes on where it was; remove
the folder to begin again. Strings are left as they are: what a message says
is no behaviour.

Prints the mutants that no test noticed, less those that
`tests/mutation/equivalent.txt` lists with a reason. The exit status is 1 when
5 % or more of the rest survived.
"""

import argparse
import collections
from collections.abc import Iterator
import dataclasses
import pathlib
import shutil
import subprocess
import sys

from cosmic_ray import work_db
from cosmic_ray import work_item

_HERE = pathlib.Path(__file__).resolve().parent
_ROOT = _HERE.parent.parent
_LIMIT = 0.05
_TIMEOUT = 120

_CONFIGURATION = '''\
[cosmic-ray]
module-path = "{path}"
timeout = {timeout}
excluded-modules = ["**/__init__.py", "**/dictionary.py"]
test-command = "{python} -m tests.mutation.suite"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]
'''


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One break that no test noticed."""

    path: str
    line: int
    operator: str
    occurrence: int
    diff: str

    @property
    def name(self) -> str:
        return f'{self.path}:{self.operator}:{self.occurrence}'


def run(path: str, folder: pathlib.Path) -> pathlib.Path:
    """Goes on with the mutants of one path; the session's file."""
    stem = path.replace('/', '.')
    configuration = folder / f'{stem}.toml'
    session = folder / f'{stem}.sqlite'
    tree = folder / f'tree.{stem}'
    if not session.exists():
        shutil.rmtree(tree, ignore_errors=True)
        for part in ('nova_mdev_compat', 'tests', 'etc'):
            shutil.copytree(_ROOT / part, tree / part)
        configuration.write_text(_CONFIGURATION.format(
            path=path, timeout=_TIMEOUT, python=sys.executable))
        _call('cosmic-ray', 'init', configuration, session, tree=tree)
        _call('cr-filter-operators', session, configuration, tree=tree)
    _call('cosmic-ray', 'exec', configuration, session, tree=tree)
    return session


def _call(command: str, *arguments: object, tree: pathlib.Path) -> None:
    program = pathlib.Path(sys.executable).parent / command
    subprocess.run([program, *map(str, arguments)], cwd=tree, check=True,
                   stdin=subprocess.DEVNULL)


def results(session: pathlib.Path
            ) -> Iterator[tuple[work_item.WorkItem, work_item.WorkResult]]:
    with work_db.use_db(str(session), work_db.WorkDB.Mode.open) as database:
        found = dict(database.results)
        for item in database.work_items:
            if item.job_id in found:
                yield item, found[item.job_id]


def survivors(session: pathlib.Path,
              counts: collections.Counter[str]) -> Iterator[Mutant]:
    for item, result in results(session):
        if result.worker_outcome == work_item.WorkerOutcome.SKIPPED:
            continue
        counts['mutants'] += 1
        if result.test_outcome == work_item.TestOutcome.SURVIVED:
            mutation = item.mutations[0]
            yield Mutant(str(mutation.module_path),
                         mutation.start_pos[0], mutation.operator_name,
                         mutation.occurrence, result.diff or '')


def equivalents() -> set[str]:
    """Names of the mutants that do the same as the original."""
    lines = (_HERE / 'equivalent.txt').read_text('utf-8').splitlines()
    return {line.split()[0] for line in lines
            if line and not line.startswith(('#', ' '))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('paths', nargs='*', metavar='PATH')
    parser.add_argument('--folder', type=pathlib.Path,
                        default=_ROOT / '.mutation')
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    counts: collections.Counter[str] = collections.Counter()
    known = equivalents()
    for path in arguments.paths or ('nova_mdev_compat/compat',
                                    'nova_mdev_compat/codec'):
        for mutant in survivors(run(path, folder), counts):
            if mutant.name in known:
                counts['equivalent'] += 1
                continue
            counts['survived'] += 1
            print(f'{mutant.name} (line {mutant.line})\n{mutant.diff}')
    rest = counts['mutants'] - counts['equivalent']
    rate = counts['survived'] / rest if rest else 1.0
    print(f'{counts["mutants"]} mutants, {counts["equivalent"]} equivalent; '
          f'{counts["survived"]} of the other {rest} survived: {rate:.1%}')
    return 0 if rate < _LIMIT else 1


if __name__ == '__main__':
    sys.exit(main())
