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

"""Ask real kernels whether they load each other's device states.

    python -m tests.kernel [--rules FOLDER] [--no-chain] [--record FILE]

Builds two kernels with the sample drivers mtty, mdpy and mbochs, the second
with a newer mtty, and boots them under QEMU. Each ordered pair of machines is
asked twice: a device's state is saved on the one and loaded on the other; and
the publisher, run in both guests on their own /sys, makes documents that
`nova-mdev-compat check` compares. Exit status 1 if the two disagree anywhere.

Then a server is migrated live, in a Nova with a real placement and
scheduler, from one of the machines to whichever the scheduler chooses.

The kernels are kept in ~/.cache/nova-mdev-compat/kernel (XDG_CACHE_HOME).
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from tests.kernel import build
from tests.kernel import guest
from tests.kernel import machines
from tests.kernel import packages
from tests.kernel import recording
from tests.kernel import run
from tests.kernel import table

_ROOT = pathlib.Path(__file__).parents[2]
_FAILED = 2
#: Seconds for one live migration: four guests at the most, and Nova.
_CHAIN_TIMEOUT = 5 * guest.TIMEOUT


def main() -> int:
    arguments = _parser().parse_args()
    cache = _cache()
    started = time.monotonic()
    try:
        packages.install()
        kernels = build.build(cache)
        with tempfile.TemporaryDirectory(dir=cache, prefix='run-') as folder:
            status = _ask(kernels, pathlib.Path(folder), arguments)
    except (build.BuildFailed, guest.GuestFailed, packages.Missing,
            OSError, ValueError, subprocess.SubprocessError) as error:
        # Python would end with 1, which says that there is a disagreement.
        print(f'{type(error).__name__}: {error}', file=sys.stderr)
        return _FAILED
    print('%.0f s' % (time.monotonic() - started))
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m tests.kernel',
        description=(__doc__ or '').partition('\n')[0])
    parser.add_argument(
        '--rules', metavar='FOLDER', type=_folder, action='append',
        default=[], help='rules that are read after the shipped ones, in '
        'place of those of the same name')
    parser.add_argument(
        '--no-chain', action='store_true',
        help='the table alone, without the live migration')
    parser.add_argument(
        '--record', metavar='FILE', type=pathlib.Path,
        help='write down facts and verdicts, for the unit tests')
    return parser


def _folder(name: str) -> pathlib.Path:
    folder = pathlib.Path(name)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f'{name} is no folder')
    return folder


def _cache() -> pathlib.Path:
    home = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    folder = pathlib.Path(home).expanduser() / 'nova-mdev-compat/kernel'
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _ask(kernels: build.Kernels, folder: pathlib.Path,
         arguments: argparse.Namespace) -> int:
    pairs = list(itertools.product(machines.MACHINES,
                                   machines.MACHINES))
    kernel = machines.Kernel(kernels, folder / 'table')
    print(f'Linux {kernels.version}: {len(pairs)} pairs', flush=True)
    verdicts = kernel.verdicts(pairs)
    print('the publisher, in each guest', flush=True)
    # With placement, which the unit tests of this module do without.
    publishing = importlib.import_module('tests.kernel.publishing')
    published = publishing.publish(kernel, arguments.rules)
    found = table.rows(verdicts, published)
    table.show(found)
    if any(row.disagreement for row in found):
        return 1
    if arguments.record:
        recording.write(arguments.record, recording.Recording(
            kernels.version, publishing.facts(kernel), verdicts))
    if arguments.no_chain:
        return 0
    return _chain(run.Run(kernels, folder, published))


def _chain(prepared: run.Run) -> int:
    """A live migration, in a process of its own as Nova's tests need it."""
    print('the whole chain', flush=True)
    done = subprocess.run(
        [sys.executable, '-m', 'testtools.run', 'tests.kernel.chain'],
        cwd=_ROOT, text=True, stderr=subprocess.PIPE, env={
            **os.environ, run.VARIABLE: str(prepared.write()),
            # Machines boot in it, and may wait for a processor.
            'OS_TEST_TIMEOUT': str(_CHAIN_TIMEOUT),
            'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'})
    if done.returncode:
        print(done.stderr, file=sys.stderr)
    return done.returncode


if __name__ == '__main__':
    sys.exit(main())
