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

"""Coverage-guided fuzzing, resumable.

    python -m tests.fuzz [--executions N] [--folder FOLDER] [--keep]
        [TARGET...]

Runs each target N more times, beginning with what earlier runs found, and
prints how many executions there were in all. What is found stays in the
folder, by default `.fuzz` beside this checkout's files; inputs that break a
target are kept under its `faults`, and the exit status is 1.

With `--keep` nothing is run: the fewest inputs that reach what all that was
found reaches become the kept ones, beside those that once broke a target.
"""

import argparse
import hashlib
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from tests.fuzz import seeds
from tests.fuzz import targets

_HERE = pathlib.Path(__file__).resolve().parent
_ROOT = _HERE.parent.parent
# No legal document is longer than this; white space would only slow it down.
_MAX_LENGTH = 9000
_MAX_MEMORY_MIB = 1024
_DONE = re.compile(r'^(?:#|Done )(\d+)', re.MULTILINE)


def fuzz(target: str, executions: int, folder: pathlib.Path) -> int:
    """The fuzzer's exit status; the executions are added to the count."""
    found = folder / target
    faults = folder / 'faults' / target
    for place in (found, faults):
        place.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, '-m', 'tests.fuzz.one_target', target,
         f'-runs={executions}', f'-max_len={_MAX_LENGTH}',
         f'-rss_limit_mb={_MAX_MEMORY_MIB}', '-timeout=10',
         f'-dict={_HERE / "words.dict"}', f'-artifact_prefix={faults}/',
         '-print_final_stats=1', str(found)],
        cwd=_ROOT, text=True, errors='replace', stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    assert process.stdout is not None
    done = 0
    for line in process.stdout:
        sys.stdout.write(f'{target}: {line}')
        match = _DONE.match(line)
        done = max(done, int(match[1])) if match else done
    status = process.wait()
    count(folder, target, done)
    return status


def count(folder: pathlib.Path, target: str, done: int) -> None:
    """Adds to the executions counted so far, and prints them."""
    place = folder / 'executions.json'
    counts = json.loads(place.read_text()) if place.exists() else {}
    counts[target] = counts.get(target, 0) + done
    place.write_text(json.dumps(counts, indent=2, sort_keys=True))
    print(f'{target}: {done} executions now, {counts[target]} in all; '
          f'{sum(counts.values())} over all targets', flush=True)


def keep(target: str, folder: pathlib.Path) -> None:
    """Keeps the fewest inputs that reach what all of them reach."""
    with tempfile.TemporaryDirectory() as fewest:
        subprocess.run(
            [sys.executable, '-m', 'tests.fuzz.one_target', target,
             '-set_cover_merge=1', f'-max_len={_MAX_LENGTH}', fewest,
             str(folder / target)], cwd=_ROOT, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        chosen = [path.read_bytes()
                  for path in pathlib.Path(fewest).iterdir()]
    print(f'{target}: {seeds.keep(target, chosen)} inputs kept')


def plant(folder: pathlib.Path) -> None:
    """Writes the corpus's documents, and what was kept, where the targets
    begin.
    """
    known = ((target, data) for target in targets.TARGETS
             for data in seeds.kept(target))
    for target, data in itertools.chain(seeds.from_corpus(), known):
        place = folder / target
        place.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        (place / name).write_bytes(data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('targets', nargs='*', metavar='TARGET',
                        help='of ' + ', '.join(targets.TARGETS))
    parser.add_argument('--executions', type=int, default=100000)
    parser.add_argument('--folder', type=pathlib.Path,
                        default=_ROOT / '.fuzz')
    parser.add_argument('--keep', action='store_true',
                        help='run nothing, but choose the kept inputs anew')
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    chosen = arguments.targets or list(targets.TARGETS)
    plant(folder)
    if arguments.keep:
        for target in chosen:
            keep(target, folder)
        return 0
    statuses = [fuzz(target, arguments.executions, folder)
                for target in chosen]
    return 1 if any(statuses) else 0


if __name__ == '__main__':
    sys.exit(main())
