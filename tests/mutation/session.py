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

"""The mutants of one module and what became of them: a cosmic-ray session."""

import ast
from collections.abc import Iterator
from collections.abc import Set
import dataclasses
import difflib
import hashlib
import pathlib

from cosmic_ray.commands.init import init
from cosmic_ray import mutating
from cosmic_ray import plugins
from cosmic_ray import work_db
from cosmic_ray import work_item

from tests.mutation import suite as suites
from tests.mutation import trial

Position = tuple[int, int]

_LEFT_OUT = work_item.WorkResult(work_item.WorkerOutcome.SKIPPED)
# What a mutant survived: these tests, or the quick ones of them.
_QUICK = ' quick'


@dataclasses.dataclass(frozen=True)
class Change:
    """What a mutant is: a line of a module, and what stands there instead.

    :param definition: the function or class, `Class.function` for a method,
        empty for none.
    :param new: empty where the line was removed.
    """

    path: str
    definition: str
    old: str
    new: str

    def __str__(self) -> str:
        return f'{self.path} {self.definition}'.rstrip() + (
            f'\n- {self.old}' + (f'\n+ {self.new}' if self.new else ''))


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A mutant, and what noticed it; None for no test.

    :param line: where the change begins.
    :param operator: cosmic-ray's name of the kind of change.
    """

    change: Change
    line: int
    operator: str
    killer: str | None


class Session:
    """The mutants of a module.

    :param folder: where the session's file is kept.
    :param path: the module, from the root of the tree.
    :param known: the mutants that do the same as the original.
    """

    def __init__(self, folder: pathlib.Path, path: str,
                 known: Set[Change]) -> None:
        self.path = path
        self.known = known
        self.source = pathlib.Path(path).read_text('utf-8')
        digest = hashlib.sha256(self.source.encode()).hexdigest()[:12]
        stem = path.removesuffix('.py').replace('/', '.')
        self.file = folder / f'{stem}.{digest}.sqlite'
        if not self.file.exists():
            for old in folder.glob(f'{stem}.*.sqlite'):
                old.unlink()
            self._begin()

    def _begin(self) -> None:
        """Lists the mutants; those of type annotations are left out.

        What is no Python is left out when its turn comes.
        """
        new = self.file.with_suffix('.new')
        new.unlink(missing_ok=True)
        spans = list(annotations(self.source))
        with work_db.use_db(str(new)) as database:
            init([pathlib.Path(self.path)], database, {})
            database.set_multiple_results([
                item.job_id for item in database.work_items
                if any(begin <= item.mutations[0].start_pos < end
                       for begin, end in spans)], _LEFT_OUT)
        new.rename(self.file)

    def run(self, suite: suites.Suite, tests: str,
            slow: bool) -> Iterator[Outcome]:
        """Goes on: the mutants that were not run, and the survivors of other
        tests.

        :param tests: what tells these tests from others.
        :param slow: run the slow tests, on what survived the quick ones and
            is not known.
        """
        survived = tests if slow else tests + _QUICK
        with work_db.use_db(str(self.file)) as database:
            found = dict(database.results)
            for item in sorted(database.work_items, key=_place):
                if not self._is_asked(item, found.get(item.job_id), tests,
                                      slow):
                    continue
                result = self._try(item.mutations[0], suite, survived, slow)
                database.set_result(item.job_id, result)
                if result is not _LEFT_OUT:
                    yield _outcome(item, result, self.source)

    def _is_asked(self, item: work_item.WorkItem,
                  result: work_item.WorkResult | None, tests: str,
                  slow: bool) -> bool:
        """Whether tests are still to be run on a mutant."""
        if result is None:
            return True
        if result.test_outcome != work_item.TestOutcome.SURVIVED \
                or result.output == tests:
            return False
        if result.output != tests + _QUICK:
            return True
        return slow and _outcome(
            item, result, self.source).change not in self.known

    def _try(self, mutation: work_item.MutationSpec, suite: suites.Suite,
             survived: str, slow: bool) -> work_item.WorkResult:
        operator = plugins.get_operator(mutation.operator_name)()
        source = mutating.mutate_code(
            self.source, operator, mutation.occurrence)
        if not _is_python(source):
            return _LEFT_OUT
        killer = suite.notice(trial.Mutant(self.path, source), slow)
        outcome = work_item.TestOutcome.SURVIVED if killer is None \
            else work_item.TestOutcome.KILLED
        return work_item.WorkResult(
            work_item.WorkerOutcome.NORMAL, killer or survived, outcome,
            _diff(self.source, source))

    def outcomes(self, tests: str) -> tuple[list[Outcome], int, int]:
        """What was run, and how many were left out and are still to run."""
        with work_db.use_db(str(self.file)) as database:
            found = dict(database.results)
            items = sorted(database.work_items, key=_place)
        skipped = [item for item in items if item.job_id in found and found[
            item.job_id].worker_outcome == work_item.WorkerOutcome.SKIPPED]
        done = [item for item in items if item not in skipped
                and not self._is_asked(item, found.get(item.job_id), tests,
                                       slow=True)]
        return ([_outcome(item, found[item.job_id], self.source)
                 for item in done],
                len(skipped), len(items) - len(skipped) - len(done))


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def annotations(source: str) -> Iterator[tuple[Position, Position]]:
    """Where a module's type annotations and aliases are."""
    for node in ast.walk(ast.parse(source)):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.AnnAssign):
            found = [node.annotation]
            if ast.unparse(node.annotation) == 'TypeAlias':
                found.append(node.value)
        elif isinstance(node, ast.arg):
            found = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            found = [node.returns]
        for each in found:
            if each is not None:
                yield ((each.lineno, each.col_offset),
                       (each.end_lineno or 0, each.end_col_offset or 0))


def _place(item: work_item.WorkItem) -> tuple[Position, str, int]:
    mutation = item.mutations[0]
    return mutation.start_pos, mutation.operator_name, mutation.occurrence


def _diff(old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0,
                                 lineterm='')
    return '\n'.join(f'{line[0]} {line[1:]}' for line in lines
                     if not line.startswith(('---', '+++', '@@')))


def _outcome(item: work_item.WorkItem, result: work_item.WorkResult,
             source: str) -> Outcome:
    mutation = item.mutations[0]
    change = Change(
        str(mutation.module_path),
        _definition(source, mutation.start_pos[0]),
        _lines(result, '- '), _lines(result, '+ '))
    survived = result.test_outcome == work_item.TestOutcome.SURVIVED
    return Outcome(change, mutation.start_pos[0], mutation.operator_name,
                   None if survived else result.output)


def _definition(source: str, line: int) -> str:
    """The names of the definitions that a line is in, the outermost first."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            first = min(each.lineno for each in (node, *node.decorator_list))
            if first <= line <= (node.end_lineno or 0):
                names.append((first, node.name))
    return '.'.join(name for _, name in sorted(names))


def _lines(result: work_item.WorkResult, mark: str) -> str:
    """The lines of the difference with this mark, as one without the spaces
    that operators leave behind.
    """
    lines = (result.diff or '').splitlines()
    text = ' '.join(line[2:] for line in lines if line.startswith(mark))
    return ' '.join(text.split())
