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

"""How the service is, in a file for whoever watches over it."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import json
import os
import pathlib
import time
from typing import Any

from oslo_log import log as logging

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """What a file says.

    :param healthy: whether a round has succeeded lately.
    :param words: of it, in a line.
    """

    healthy: bool
    words: str


class HealthFile:
    """Writes a file, so that a reader sees it whole or not at all.

    :param path: None writes none.
    """

    def __init__(self, path: pathlib.Path | None) -> None:
        self._path = path
        self._warned = False

    def write(self, good_until: float, **more: Any) -> None:
        """Says how the service is.

        :param good_until: seconds since 1970 until which this is good news.
        :param more: anything that JSON knows.
        """
        if self._path is None:
            return
        text = json.dumps({'pid': os.getpid(), 'time': round(time.time()),
                           'good_until': round(good_until), **more}, indent=1)
        why = None
        try:
            new = self._path.with_name(self._path.name + '.new')
            new.write_text(text + '\n', 'utf-8')
            new.replace(self._path)
        except OSError as error:
            why = str(error)
        # Nobody should lose publications for want of a file.
        if why is not None and not self._warned:
            LOG.warning('The health file cannot be written: %s', why)
            self._warned = True


def read(path: pathlib.Path, now: float) -> Health:
    """What a health file says at a time."""
    try:
        found = json.loads(path.read_text('utf-8'))
        until, last = float(found['good_until']), float(found['time'])
    except (OSError, ValueError, LookupError, TypeError) as error:
        return Health(False, f'{path}: {type(error).__name__}: {error}')
    healthy = now < until
    return Health(healthy, _words(found, healthy, round(now - last)))


def _words(found: Mapping[str, Any], healthy: bool, age: int) -> str:
    words = [f'{"healthy" if healthy else "not healthy"}, as of {age} s ago']
    for name in ('published', 'waiting_for', 'unknown'):
        words.append(f'{name.replace("_", " ")}: '
                     f'{len(found.get(name) or ())}')
    if found.get('error'):
        words.append(f'last error: {found["error"]}')
    return '; '.join(words)
