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

"""Run the project's checks and tests, from nothing but Python, pip and git.

    python3 tools/run_tests.py [ENVIRONMENT...]

Makes a virtual environment in ``.venv``, installs tox there, and runs the
tox environments named, or all of ``ENVIRONMENTS``, one after another.  Their
output is shown as it comes.  The last line is ``N passed, N failed,
N skipped``; the exit status is 0 if something passed and nothing failed.

A test counts as often as it is run; one that passed at the second attempt
counts as passed.  An environment that has no tests, such
as pep8, counts as one; so does an environment that fails with every one of
its tests passing, or without running any.  An environment for whose release
there is no Python on this machine counts as one that is skipped.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time
import venv

OLDEST_PYTHON = (3, 11)  # of Nova 34, which the tests run with
ENVIRONMENTS = ('pep8', 'py3', 'functional', 'oldest', 'docs')
WITHOUT_TESTS = frozenset({'pep8', 'docs', 'releasenotes', 'genconfig'})
ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / '.venv'

# One line of the summary that stestr prints when a run ends.
_SUMMARY = re.compile(r'^ - (Passed|Skipped|Expected Fail|'
                      r'Unexpected Success|Failed): (\d+)$')
# What tools/run_functional.py says of failures that did not come again.
_SECOND_ATTEMPT = re.compile(r'^== (\d+) passed at the second attempt')
# What tox says where no Python of those that an environment names is found.
_NO_PYTHON = 'could not find python interpreter'
_COUNTED_AS = {
    'Passed': 'passed',
    'Expected Fail': 'passed',
    'Failed': 'failed',
    'Unexpected Success': 'failed',
    'Skipped': 'skipped',
}


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    no_python: bool = False

    def read(self, line: str) -> None:
        """Count what a line of stestr's summary says; ignore most others."""
        self.no_python |= _NO_PYTHON in line
        found = _SUMMARY.match(line.rstrip())
        if found:
            field = _COUNTED_AS[found[1]]
            setattr(self, field, getattr(self, field) + int(found[2]))
        again = _SECOND_ATTEMPT.match(line)
        if again:
            self.failed -= int(again[1])

    def close(self, status: int, has_tests: bool) -> None:
        """Count the environment itself, where its tests do not tell."""
        if self.no_python:
            self.skipped += 1
        elif status == 0 and not has_tests:
            self.passed += 1
        elif not self.failed and (status != 0 or not self.passed):
            self.failed += 1

    def add(self, other: 'Tally') -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return (f'{self.passed} passed, {self.failed} failed, '
                f'{self.skipped} skipped')


def install_tox() -> pathlib.Path:
    tox = TOOLS / 'bin' / 'tox'
    if not tox.exists():
        say('installing tox')
        venv.create(TOOLS, with_pip=True)
        subprocess.run([TOOLS / 'bin' / 'python', '-m', 'pip', 'install',
                        '--quiet', 'tox>=4.18'],
                       check=True, stdin=subprocess.DEVNULL)
    return tox


def run(tox: pathlib.Path, environment: str) -> Tally:
    began = time.monotonic()
    tally = Tally()
    process = subprocess.Popen(
        [tox, 'run', '-q', '-e', environment], cwd=ROOT, text=True,
        errors='replace',
        env=dict(os.environ, NO_COLOR='1', PYTHONUNBUFFERED='1'),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    assert process.stdout is not None
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        tally.read(line)
    tally.close(process.wait(), environment not in WITHOUT_TESTS)
    # The colon keeps this line apart from the closing one.
    say(f'{environment} took {time.monotonic() - began:.0f} s: {tally}')
    return tally


def say(message: str) -> None:
    print('== ' + message, flush=True)


def main(environments: list[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        say('Python %d.%d or newer is needed' % OLDEST_PYTHON)
        return 2
    tox = install_tox()
    total = Tally()
    for environment in environments or ENVIRONMENTS:
        say(environment)
        total.add(run(tox, environment))
    print(total)
    return 0 if total.passed and not total.failed else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
