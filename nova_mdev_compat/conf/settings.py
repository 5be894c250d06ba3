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

"""The values of the options, read together."""

from __future__ import annotations

import dataclasses
import math

from oslo_config import cfg

from nova_mdev_compat.conf import mdev_compat


class InvalidOption(ValueError):
    """An option's value stops the service at its start.

    :param name: the option's name.
    """

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        super().__init__(f'[{mdev_compat.GROUP.name}] {name}: {why}')


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """One reading of [mdev_compat]; the names are those of the options."""

    enforce: bool
    resource_classes: tuple[str, ...]
    operations: frozenset[str]
    unpublished_source: str
    unpublished_destination: str
    on_error: str
    cache_ttl: float
    cache_max_age: float
    refresh_timeout: float
    honour_create: bool
    live_migration_same_type: bool
    documents_dir: str | None
    approved_only: bool


_SHAPES = {'resource_classes': tuple, 'operations': frozenset}


def read(conf: cfg.ConfigOpts) -> Settings:
    """The values now.

    :raises InvalidOption: a value is wrong.
    """
    group = conf[mdev_compat.GROUP.name]
    values = {}
    for field in dataclasses.fields(Settings):
        try:
            value = getattr(group, field.name)
        except (cfg.Error, ValueError) as error:
            raise InvalidOption(field.name, str(error)) from error
        values[field.name] = _SHAPES.get(field.name, lambda same: same)(value)
    return Settings(**values)


def check(conf: cfg.ConfigOpts) -> Settings:
    """The values, and whether they go together.

    :raises InvalidOption: they do not.
    """
    settings = read(conf)
    if settings.approved_only and not settings.documents_dir:
        raise InvalidOption('approved_only', 'it needs documents_dir, the '
                            'only place where approved documents can be')
    for name in ('cache_ttl', 'cache_max_age', 'refresh_timeout'):
        # oslo.config lets nan through: it is neither under nor over a bound.
        if math.isnan(getattr(settings, name)):
            raise InvalidOption(name, 'nan is not a number of seconds')
    return settings
