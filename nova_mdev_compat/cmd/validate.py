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

"""nova-mdev-compat validate"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from nova_mdev_compat.cmd import base
from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.faults import InvalidDocument


class Validate(base.Command):
    """Say whether files are valid documents, and every fault with its place.

    Exit status 1 when one of them is not a valid document, 2 when one cannot
    be read.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            'files', nargs='+', metavar='FILE',
            help='a document; "-" is standard input')
        parser.add_argument(
            '--format', choices=('text', 'json'), default='text',
            help='how to print the answer (default: text)')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        results: list[dict[str, Any]] = []
        unreadable = False
        for name in parsed_args.files:
            try:
                faults = _faults(base.read_bytes(name))
            except base.BadInput as error:
                print(error, file=sys.stderr)
                unreadable = True
                continue
            results.append({'file': name, 'valid': not faults,
                            'faults': faults})
        if parsed_args.format == 'json':
            print(json.dumps(results, ensure_ascii=False, indent=2))
        else:
            _print(results)
        if unreadable:
            return base.BAD_INPUT
        return base.YES if all(result['valid'] for result in results) \
            else base.NO


def _faults(text: bytes) -> list[dict[str, str]]:
    try:
        loading.load(text)
    except InvalidDocument as error:
        return [{'pointer': fault.pointer, 'message': fault.message}
                for fault in error.faults]
    return []


def _print(results: list[dict[str, Any]]) -> None:
    for result in results:
        if result['valid']:
            print(f'{result["file"]}: valid')
        for fault in result['faults']:
            print(f'{result["file"]}: {fault["pointer"] or "(document)"}: '
                  f'{fault["message"]}')
