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

"""Placement behind a production WSGI server, in processes of its own."""

from collections.abc import Iterator
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import fixtures
import requests

from tests.services import process

#: With `auth_strategy = noauth2` the token is the user's name, and this user
#: has the role of the same name.
TOKEN = 'admin'
_HEADERS = {'X-Auth-Token': TOKEN, 'OpenStack-API-Version': 'placement 1.39',
            'Accept': 'application/json'}
_START = 60.0

_CONFIGURATION = """
[api]
auth_strategy = noauth2
[placement_database]
connection = {url}
max_pool_size = {threads}
max_overflow = {threads}
[DEFAULT]
use_stderr = true
default_log_levels = ""
"""
# gunicorn gives up when one of its workers cannot start, which it would tell
# nobody who already talks to another one.
_HOOKS = """
import gc

def post_worker_init(worker):
    if not {collects}:
        gc.disable()
    with open('{folder}/ready', 'a') as ready:
        ready.write('.')
"""
_SYNC = 'import sys; from placement.cmd import manage; sys.exit(manage.main())'
# At its first start placement writes the standard traits, and with SQLite two
# workers that do so at once get in each other's way.
_FIRST_START = 'import placement.wsgi.api'


class ServedPlacement(fixtures.Fixture):
    """Placement 16's own application, run by gunicorn on the loopback.

    `with ServedPlacement(url) as placement:` and `useFixture` both do.

    :param url: SQLAlchemy's, of a database that is there; its tables are
        made here.
    :param workers: processes; threads: of each. gunicorn's threaded worker
        keeps connections open, as a web server in front of uwsgi would.
    :param keep_alive: seconds for which it does.
    :param collects: whether it collects garbage, as it does in a cloud. Some
        large answers take a third longer for it, and others do not.
    """

    def __init__(self, url: str, workers: int = 2, threads: int = 8,
                 keep_alive: int = 75, collects: bool = True) -> None:
        self._collects = collects
        self._keep_alive = keep_alive
        self._url = url
        self._workers = workers
        self._threads = threads

    def _setUp(self) -> None:
        # A proxy that the environment names does not know of us.
        self.useFixture(fixtures.EnvironmentVariable('no_proxy', '127.0.0.1'))
        self._folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self._config = self._folder / 'placement.conf'
        self._config.write_text(_CONFIGURATION.format(
            url=self._url.replace('$', '$$'), threads=self._threads))
        self._log = self._folder / 'log'
        self._access = self._folder / 'access'
        self._ready = self._folder / 'ready'
        self._hooks = self._folder / 'hooks.py'
        self._hooks.write_text(_HOOKS.format(
            folder=self._folder, collects=self._collects))
        self._sync()
        self._port = 0
        self.start()
        self.addCleanup(self.stop)
        # A session for each thread: they are not made to be shared.
        self._thread = threading.local()
        self.wait()

    def nova_conf(self, path: pathlib.Path | None = None) -> str:
        """Path of a configuration with a [placement] group for us."""
        path = path or self._folder / 'nova.conf'
        path.write_text(
            f'[placement]\nauth_type = admin_token\ntoken = {TOKEN}\n'
            f'endpoint = {self.endpoint}\n')
        return str(path)

    def ask(self, method: str, path: str, body: Any = None
            ) -> requests.Response:
        """Any request, by the test itself."""
        if not hasattr(self._thread, 'session'):
            self._thread.session = requests.Session()
            self._thread.session.headers.update(_HEADERS)
        found: requests.Response = self._thread.session.request(
            method, self.endpoint + path, json=body)
        return found

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A request, which must succeed; returns the JSON of the answer."""
        response = self.ask(method, path, body)
        if response.status_code >= 300:
            raise AssertionError(
                f'{method} {path} answered {response.status_code}: '
                f'{response.text}')
        return response.json() if response.content else None

    def answered(self) -> list[tuple[str, int]]:
        """Every request so far, as 'GET /path?query', with its status."""
        return list(self._answered())

    def _answered(self) -> Iterator[tuple[str, int]]:
        for line in self._access.read_text().splitlines():
            request, _, status = line.rpartition(' ')
            yield request.removesuffix('?'), int(status)

    def log(self) -> str:
        return self._log.read_text(errors='replace')

    def _sync(self) -> None:
        self._run(_SYNC, '--config-file', str(self._config), 'db', 'sync')
        self._run(_FIRST_START)

    def _run(self, code: str, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, '-c', code, *arguments], env=self._environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace')
        if done.returncode:
            raise RuntimeError(
                f'placement cannot be set up:\n{done.stdout}')

    def _environment(self) -> dict[str, str]:
        return {**os.environ, 'GUNICORN_CMD_ARGS': '',
                'OS_PLACEMENT_CONFIG_DIR': str(self._folder)}

    def stop(self) -> None:
        process.stop(self._process)

    def start(self) -> None:
        """Starts it, again at the same endpoint; `wait` says when it is
        there.
        """
        # Bound here and handed on, so that nobody can take the port between.
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', self._port))
        listener.listen(1024)
        self._port = listener.getsockname()[1]
        self.endpoint = f'http://127.0.0.1:{self._port}'
        self._access.touch()
        self._ready.write_text('')
        with listener, open(self._log, 'ab') as log:
            self._process = process.start(
                [sys.executable, '-m', 'gunicorn',
                 f'--config={self._hooks}',
                 f'--bind=fd://{listener.fileno()}',
                 '--worker-class=gthread', f'--workers={self._workers}',
                 f'--threads={self._threads}',
                 f'--keep-alive={self._keep_alive}',
                 '--timeout=120', '--graceful-timeout=5',
                 f'--worker-tmp-dir={self._folder}',
                 f'--access-logfile={self._access}',
                 '--access-logformat=%(m)s %(U)s?%(q)s %(s)s',
                 'placement.wsgi.api:application'],
                pass_fds=[listener.fileno()], cwd=self._folder,
                env=self._environment(), stdout=log, stderr=log)

    def wait(self) -> None:
        """Until it answers, and all its workers are there."""
        end = time.monotonic() + _START
        while True:
            try:
                if len(self._ready.read_text()) >= self._workers \
                        and self.ask('GET', '/').ok:
                    return
            except requests.RequestException:
                # Refused by nobody: it is bound, but not served yet.
                pass
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(
                    f'placement does not answer:\n{self.log()}')
            time.sleep(0.1)
