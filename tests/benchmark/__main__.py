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

"""Benchmarks: JSON lines to a file, a table to the terminal.

    python -m tests.benchmark [--json FILE] [language]
"""

import argparse
from collections.abc import Sequence
import dataclasses
import json
import pathlib
from typing import Any

import prettytable

from tests.benchmark import growth

Rows = list[dict[str, Any]]


def language() -> Rows:
    """How the language's times grow, and its worst match."""
    measured = list(growth.rows())
    show([dataclasses.asdict(row) for row in measured])
    exponents = list(growth.exponents(measured))
    show(exponents)
    worst = max(measured, key=lambda row: row.match_ms)
    slowest = max(measured, key=lambda row: row.load_ms)
    print(f'slowest match: {worst.match_ms:.3f} ms, {worst.growth} '
          f'{worst.size}; slowest load: {slowest.load_ms:.1f} ms, '
          f'{slowest.growth} {slowest.size}')
    return [*map(dataclasses.asdict, measured), *exponents]


BENCHMARKS = {'language': language}


def show(rows: Sequence[dict[str, Any]]) -> None:
    table = prettytable.PrettyTable(list(rows[0]), align='r',
                                    float_format='.3')
    table.add_rows([list(row.values()) for row in rows])
    print(table, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('benchmarks', nargs='*',
                        metavar='BENCHMARK', help=', '.join(BENCHMARKS))
    parser.add_argument('--json', type=pathlib.Path,
                        help='where to write the figures as JSON lines')
    arguments = parser.parse_args()
    rows: Rows = []
    for name in arguments.benchmarks or BENCHMARKS:
        rows += [{'benchmark': name, **row} for row in BENCHMARKS[name]()]
    if arguments.json:
        arguments.json.write_text(
            ''.join(json.dumps(row) + '\n' for row in rows))


if __name__ == '__main__':
    main()
