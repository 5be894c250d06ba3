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

"""Run the functional tests, and the few that failed a second time.

    python tools/run_functional.py [ARGUMENT OF "stestr run"...]

A dozen of Nova's services run as threads of one process there, on SQLite.
Now and then two of them get into each other's way in Nova itself, where a
cloud has a process for each.  So up to ``MOST_AGAIN`` tests that failed are
run once more, one after another.  Which these were is printed, with the
traceback of the first attempt above it: a test that is named there often is
a fault that waits to be found.
"""

import subprocess
import sys
import tempfile

STESTR = ('stestr', '--test-path', './tests/functional')
MOST_AGAIN = 3


def run(*arguments: str) -> int:
    return subprocess.run([*STESTR, 'run', *arguments]).returncode


def failing() -> list[str]:
    """Names of the tests that failed in the last run."""
    listed = subprocess.run([*STESTR, 'failing', '--list'], text=True,
                            stdout=subprocess.PIPE).stdout
    return [line.strip() for line in listed.splitlines() if line.strip()]


def main(arguments: list[str]) -> int:
    status = run('--concurrency', '2', *arguments)
    again = failing() if status else []
    # What is no test's name tells of a run that did not end.
    if not 0 < len(again) <= MOST_AGAIN or not all(
            name.startswith('tests.functional.') for name in again):
        return status
    print('== again: ' + ', '.join(again), flush=True)
    with tempfile.NamedTemporaryFile('w', suffix='.list') as names:
        names.write('\n'.join(again) + '\n')
        names.flush()
        status = run('--serial', '--load-list', names.name)
    if not status:
        print(f'== {len(again)} passed at the second attempt: '
              + ', '.join(again), flush=True)
    return status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
