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

"""What was measured and counted: said at once, and all of it at the end."""

import atexit
import os
import sys

_WIDTH = 44
_lines: list[str] = []


def number(name: str, default: int) -> int:
    """A size of a test, which the environment may change."""
    return int(os.environ.get(f'MDEV_COMPAT_{name}', default))


def say(what: str, figure: str) -> None:
    if not _lines:
        atexit.register(_say_all)
    _lines.append(f'{what:<{_WIDTH}}  {figure}')
    _print(_lines[-1])


def _say_all() -> None:
    _print('\n'.join(['', 'Figures', '=======', *_lines]))


def _print(text: str) -> None:
    print(text, file=sys.__stdout__, flush=True)
