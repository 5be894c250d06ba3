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

"""Nova's console commands, as they are installed beside the tests' Python."""

from collections.abc import Callable
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import fixtures

from tests.services import process

_START = 120.0
_GAVE_UP = re.compile(r'(req-\S+) .*claim_resources: out of retries')
# Of a log's end: lines, and characters of each.
_TAIL = 40
_WIDTH = 400


def command(name: str, config: pathlib.Path, *words: str) -> list[str]:
    return [str(pathlib.Path(sys.executable).with_name(name)),
            '--config-file', str(config), *words]


def run(name: str, config: pathlib.Path, *words: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        command(name, config, *words), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f'{name} {" ".join(words)} failed:\n{done.stdout}')
    return done.stdout


class Scheduler(fixtures.Fixture):
    """The real `nova-scheduler`: a master process and its workers.

    :param log: where its configuration makes it write.
    :param workers: as many as the configuration says.
    :param ping: whether some worker answers. A call to a queue that no
        worker has made yet is lost.
    """

    def __init__(self, config: pathlib.Path, log: pathlib.Path,
                 workers: int, ping: Callable[[], bool]) -> None:
        self.config = config
        self._ping = ping
        self._log = log
        self._workers = workers

    def _setUp(self) -> None:
        self._output = self._log.with_suffix('.output')
        # Of a test before, of the same name.
        self._log.unlink(missing_ok=True)
        with open(self._output, 'wb') as output:
            self._process = process.start(
                command('nova-scheduler', self.config), stdout=output,
                stderr=output)
        self.addCleanup(process.stop, self._process)
        self.wait_for_starts(self._workers)
        self._wait_until(self._ping)

    def log(self) -> str:
        return ''.join(path.read_text(errors='replace') for path in
                       (self._output, self._log) if path.exists())

    def tail(self) -> str:
        return '\n'.join(line[:_WIDTH] for line
                         in self.log().splitlines()[-_TAIL:])

    def gave_up(self) -> set[str]:
        """Ids of the requests for which Nova lost the race for a provider
        as often as it tries.
        """
        return {*_GAVE_UP.findall(self.log())}

    def workers(self) -> set[int]:
        """Process ids of the workers that live now."""
        # Of every thread: it is not the main one that forks.
        tasks = pathlib.Path(f'/proc/{self._process.pid}/task')
        return {int(word) for found in tasks.glob('*/children')
                for word in found.read_text().split()
                if not _is_dead(int(word))}

    def exit_status(self) -> int | None:
        """None: the master lives."""
        return self._process.poll()

    def kill(self, worker: int) -> None:
        os.kill(worker, signal.SIGKILL)

    def reload(self) -> None:
        """SIGHUP, and wait until other workers have taken over."""
        before, starts = self.workers(), self.starts()
        os.kill(self._process.pid, signal.SIGHUP)
        self.wait_for_starts(starts + self._workers)
        self._wait_until(lambda: not before & self.workers())

    def wait_for_starts(self, number: int) -> None:
        """Until that many workers have begun since the master did."""
        self._wait_until(lambda: self.starts() >= number)

    def starts(self) -> int:
        """Workers that have begun since the master did."""
        return self.log().count('Starting scheduler node')

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + _START
        while not condition():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(
                    'nova-scheduler does not get there:\n' + self.tail())
            time.sleep(0.1)


def _is_dead(process_id: int) -> bool:
    """Killed, and perhaps not waited for yet."""
    try:
        status = pathlib.Path(f'/proc/{process_id}/stat').read_text()
    except OSError:
        return True
    return status.rpartition(') ')[2].startswith('Z')
