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

"""A MariaDB of one's own, in a folder that is gone afterwards.

Needs the server's programs, which Debian has in `mariadb-server`.
"""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

import fixtures
import sqlalchemy

from tests.services import process

_START = 60.0
# As the package makes it; the server refuses to run as root.
_USER = 'mysql'


class MariaDB(fixtures.Fixture):
    """`mariadbd` on a Unix socket, with the defaults for durability.

    `with MariaDB() as database:` and `useFixture(MariaDB())` both do.

    :param options: more options for `mariadbd`.
    """

    def __init__(self, *options: str) -> None:
        self._options = options

    def _setUp(self) -> None:
        # A socket's path is short: not below a test's own folder.
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix='mariadb-'))
        self.addCleanup(shutil.rmtree, self._folder, ignore_errors=True)
        self.socket = self._folder / 'socket'
        if os.geteuid() == 0:
            shutil.chown(self._folder, _USER)
        self._run('mariadb-install-db', '--skip-test-db',
                  '--auth-root-authentication-method=normal')
        self._process = self._start()
        self.addCleanup(process.stop, self._process)
        self._wait()

    def url(self, name: str) -> str:
        """SQLAlchemy's URL of a database, which is made if it is not there.
        """
        with self._engine('').connect() as connection:
            connection.execute(sqlalchemy.text(
                f'CREATE DATABASE IF NOT EXISTS `{name}`'))
        return self._url(name)

    def drop(self, name: str) -> None:
        with self._engine('').connect() as connection:
            connection.execute(sqlalchemy.text(
                f'DROP DATABASE IF EXISTS `{name}`'))

    def _url(self, name: str) -> str:
        return (f'mysql+pymysql://root@localhost/{name}'
                f'?unix_socket={self.socket}&charset=utf8mb4')

    def _engine(self, name: str) -> sqlalchemy.Engine:
        return sqlalchemy.create_engine(
            self._url(name), poolclass=sqlalchemy.NullPool)

    def _run(self, program: str, *options: str) -> None:
        done = subprocess.run(
            [_program(program), *self._common(), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace')
        if done.returncode:
            raise RuntimeError(f'{program} failed:\n{done.stdout}')

    def _common(self) -> list[str]:
        user = _USER if os.geteuid() == 0 else pwd.getpwuid(
            os.geteuid()).pw_name
        return ['--no-defaults', f'--datadir={self._folder / "data"}',
                f'--user={user}']

    def _start(self) -> 'subprocess.Popen[bytes]':
        self._log = self._folder / 'log'
        with open(self._log, 'wb') as log:
            return process.start(
                [_program('mariadbd'), *self._common(),
                 f'--socket={self.socket}', '--skip-networking',
                 f'--pid-file={self._folder / "pid"}',
                 f'--tmpdir={self._folder}', '--max-connections=500',
                 *self._options], stdout=log, stderr=log)

    def _wait(self) -> None:
        end = time.monotonic() + _START
        while True:
            try:
                self._engine('').connect().close()
                return
            except sqlalchemy.exc.OperationalError as error:
                if self._process.poll() is not None \
                        or time.monotonic() > end:
                    raise RuntimeError(
                        'mariadbd does not answer:\n'
                        + self._log.read_text(errors='replace')) from error
            time.sleep(0.1)


def _program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get('PATH', os.defpath)
                         + os.pathsep + '/usr/sbin')
    if found is None:
        raise RuntimeError(f'{name} is not here: install mariadb-server')
    return found
