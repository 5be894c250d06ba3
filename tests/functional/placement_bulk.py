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

"""Rows of placement's database, thousands at a time.

What took an hour through the API is there in seconds. A test that uses it has
a placement running, whose database this is.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import itertools
from typing import Any
import uuid

from placement.db.sqlalchemy import models
from placement import db_api
import sqlalchemy

_ROWS = 500


def make_providers(count: int) -> list[str]:
    """UUIDs of new providers, roots all of them."""
    found = [str(uuid.uuid4()) for _ in range(count)]
    with _connection() as connection:
        table = models.ResourceProvider.__table__
        start = 1 + (connection.scalar(sqlalchemy.select(
            sqlalchemy.func.max(table.c.id))) or 0)
        _insert(connection, table, (
            {'id': number, 'uuid': one, 'name': f'bulk-{one}',
             'generation': 0, 'root_provider_id': number}
            for number, one in enumerate(found, start)))
    return found


def make_traits(names: Iterable[str]) -> None:
    with _connection() as connection:
        _insert(connection, models.Trait.__table__,
                ({'name': name} for name in names))


def mark(markers: Sequence[tuple[str, str]]) -> None:
    """Puts traits, which are there, on providers; pairs of UUID and name."""
    with _connection() as connection:
        traits = _ids(connection, models.Trait.__table__, 'name')
        providers = _ids(connection, models.ResourceProvider.__table__,
                         'uuid')
        _insert(connection, models.ResourceProviderTrait.__table__, (
            {'trait_id': traits[name],
             'resource_provider_id': providers[provider]}
            for provider, name in markers))


def _connection() -> Any:
    return db_api.placement_context_manager.writer.get_engine().begin()


def _insert(connection: Any, table: Any, rows: Iterable[dict[str, Any]]
            ) -> None:
    left = iter(rows)
    while part := list(itertools.islice(left, _ROWS)):
        connection.execute(table.insert(), part)


def _ids(connection: Any, table: Any, name: str) -> dict[str, int]:
    return {key: number for key, number in connection.execute(
        sqlalchemy.select(table.c[name], table.c.id))}
