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

"""How far a long job is, on a terminal and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import sys
from typing import TypeVar

import tqdm

T = TypeVar('T')

# A job that is done within these seconds says nothing.
_PATIENCE = 0.5


def show(items: Sequence[T], title: str) -> Iterable[T]:
    """The items, as they are worked on; a bar on standard error tells."""
    # None: tqdm looks whether the stream is a terminal.
    bar: Iterable[T] = tqdm.tqdm(
        items, desc=f'Reading {title}', file=sys.stderr, disable=None,
        leave=False, delay=_PATIENCE, dynamic_ncols=True)
    return bar


@contextlib.contextmanager
def count(title: str) -> Iterator[Callable[[str], None]]:
    """A callable that is told of each step of a job of unknown length."""
    with tqdm.tqdm(desc=title, file=sys.stderr, disable=None, leave=False,
                   delay=_PATIENCE, dynamic_ncols=True,
                   bar_format='{desc}: {n_fmt} {postfix}') as bar:
        def step(words: str) -> None:
            bar.set_postfix_str(words, refresh=False)
            bar.update()
        yield step
