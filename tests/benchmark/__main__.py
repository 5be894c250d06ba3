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

"""What the filter, the cache and the language cost.

    python -m tests.benchmark [--quick] [--json FILE] [BENCHMARK...]
"""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import importlib
import json
import logging
import os
import pathlib
from typing import Any
import warnings

import prettytable

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A module with a function `rows`.

    :param about: what it measures.
    :param quick: arguments that only show that it runs.
    """

    module: str
    about: str
    quick: dict[str, Any]


BENCHMARKS = {
    'filter': Benchmark(
        'filtering', 'the filter beside its peers',
        {'sizes': ((20, 4),), 'number': 2}),
    'source': Benchmark(
        'look_up', 'the look-up of the source device', {'number': 2}),
    'cold': Benchmark(
        'cold', 'a cold move beside other ways to ask placement',
        {'hosts': (20,), 'backends': ('SQLite in the process',),
         'number': 2}),
    'threads': Benchmark(
        'threads', 'calls by many threads while the cache is refreshed',
        {'hosts': 40, 'number': 2, 'seconds': 0.2}),
    'memory': Benchmark(
        'memory', 'what the cache keeps', {'hosts': 20}),
    'traits': Benchmark(
        'others', 'what our traits cost the requests of others',
        {'counts': (0, 20, 40), 'number': 2}),
    'language': Benchmark(
        'growth', 'how the times of the language grow, and its worst match',
        {'number': 2, 'largest': 16}),
    'plan': Benchmark(
        'planning', 'planning a rolling upgrade', {'hosts': (3,)}),
}


def main() -> None:
    arguments = _arguments()
    _prepare()
    with open(arguments.json or os.devnull, 'w') as lines:
        for name in arguments.benchmarks or BENCHMARKS:
            for row in _run(name, arguments.quick):
                # At once: what comes later takes long, and may fail.
                print(json.dumps({'benchmark': name, **row}), file=lines,
                      flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m tests.benchmark',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__.split('\n')[0], epilog='\n'.join(
            f'{name:9} {one.about}' for name, one in BENCHMARKS.items()))
    parser.add_argument('benchmarks', nargs='*', metavar='BENCHMARK',
                        choices=[*BENCHMARKS, []],
                        help='one of those below; all, if none is named')
    parser.add_argument('--quick', action='store_true',
                        help='small and few: shows that it runs, no more')
    parser.add_argument('--json', type=pathlib.Path,
                        help='where to write the figures as JSON lines')
    return parser.parse_args()


def _prepare() -> None:
    """Native threads, as nova-scheduler has, and no chatter."""
    os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', 'true')
    warnings.simplefilter('ignore')
    # Before anything else of Nova's: it looks whether eventlet is there.
    importlib.import_module('tests.functional')
    logging.getLogger().setLevel(logging.WARNING)


def _run(name: str, quick: bool) -> Iterator[Row]:
    """Measures, and shows what was measured."""
    benchmark = BENCHMARKS[name]
    module = importlib.import_module(f'tests.benchmark.{benchmark.module}')
    print(f'{name}: {benchmark.about}')
    table: list[Row] = []
    for row in module.rows(**benchmark.quick if quick else {}):
        yield row
        if table and list(table[-1]) != list(row):
            _show(table)
            table = []
        table.append(row)
    _show(table)


def _show(rows: Sequence[Row]) -> None:
    table = prettytable.PrettyTable(list(rows[0]), align='r',
                                    float_format='.3')
    table.add_rows([['' if value is None else value for value in row.values()]
                    for row in rows])
    print(table, flush=True)


if __name__ == '__main__':
    main()
