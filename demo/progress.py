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


"""Says how far the demo is."""

from __future__ import annotations

import sys
import time


class Progress:
    """A line for each step, with the seconds since the start."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._terminal = sys.stdout.isatty()

    def step(self, text: str) -> None:
        self._line(f'{text}\n')

    def count(self, text: str, number: int, total: int | None = None) -> None:
        """A running number: for somebody who looks on."""
        if self._terminal:
            of = '' if total is None else f' of {total}'
            self._line(f'{text}: {number}{of} ')

    def _line(self, text: str) -> None:
        # What was there is overwritten; a pipe sees whole lines only.
        head = '\r\x1b[K' if self._terminal else ''
        seconds = time.monotonic() - self._start
        sys.stdout.write(f'{head}{seconds:6.1f} s  {text}')
        sys.stdout.flush()
