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

"""Logging as nova-scheduler has it, with every text built and thrown away."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import logging


class _Listener(logging.Handler):
    """Formats each record, as a handler that writes would."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextlib.contextmanager
def _level(level: int) -> Iterator[list[str]]:
    root = logging.getLogger()
    before, handlers = root.level, root.handlers[:]
    listener = _Listener()
    root.handlers[:] = [listener]
    root.setLevel(level)
    try:
        yield listener.texts
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)


def at_info() -> contextlib.AbstractContextManager[list[str]]:
    """The texts that are logged at INFO and above."""
    return _level(logging.INFO)


def at_debug() -> contextlib.AbstractContextManager[list[str]]:
    return _level(logging.DEBUG)
