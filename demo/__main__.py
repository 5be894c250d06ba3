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


"""Run the demo; the exit status says whether it showed what it promises."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys

import demo
from demo import progress


def main() -> int:
    arguments = _parser().parse_args()
    _set_up_logging(arguments.verbose)
    print('A live migration of a server with a vGPU: with nova-mdev-compat, '
          'and without it.\n')
    steps = progress.Progress(demo.STARTED)
    steps.step('loading Nova and placement')
    # Takes seconds, so it comes after the first line.
    show = importlib.import_module('demo.show')
    missing: list[str] = show.run(steps, arguments.verbose)
    for text in missing:
        print(f'Not as promised: {text}', file=sys.stderr)
    return 1 if missing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m demo', description='A cloud of 50 compute hosts in '
        'this process, and a live migration in it.')
    parser.add_argument(
        '-v', '--verbose', action='store_true',
        help="show the filter's requests, and all logs on standard error")
    return parser


def _set_up_logging(verbose: bool) -> None:
    root = logging.getLogger()
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    root.addHandler(logging.StreamHandler() if verbose
                    else logging.NullHandler())


if __name__ == '__main__':
    sys.exit(main())
