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

"""Writers of Nova's databases that wait for each other.

With native threads Nova's test base keeps its databases in SQLite files. A
transaction there that reads and then writes fails at once, with "database is
locked", if another one has written in between: SQLite does not wait where
what was read is old already. On MariaDB and PostgreSQL, which clouds have,
both would succeed. So a writer takes SQLite's lock when it begins, for which
others do wait.
"""

from __future__ import annotations

from typing import Any

import fixtures
from oslo_db.sqlalchemy import enginefacade
import sqlalchemy
from sqlalchemy import orm

#: Milliseconds; a transaction of a test takes some of them.
_PATIENCE = 60_000
_WRITES = 'nova_mdev_compat_writes'


class WriteLocks(fixtures.Fixture):
    """Has an effect where the databases are files."""

    def _setUp(self) -> None:
        factory = enginefacade._TransactionFactory
        create = factory._create_session

        def create_session(facade: Any, mode: Any, **options: Any) -> Any:
            session = create(facade, mode=mode, **options)
            session.info[_WRITES] = mode is enginefacade._WRITER
            return session
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_db.sqlalchemy.enginefacade._TransactionFactory'
            '._create_session', create_session))
        listener = (orm.Session, 'after_begin', _lock)
        sqlalchemy.event.listen(*listener)
        self.addCleanup(sqlalchemy.event.remove, *listener)


def _lock(session: orm.Session, transaction: orm.SessionTransaction,
          connection: sqlalchemy.Connection) -> None:
    if session.info.get(_WRITES) and not transaction.nested and \
            connection.engine.url.database:
        # oslo.db has begun a transaction, which holds nothing yet.
        connection.exec_driver_sql('ROLLBACK')
        connection.exec_driver_sql(f'PRAGMA busy_timeout = {_PATIENCE}')
        connection.exec_driver_sql('BEGIN IMMEDIATE')
