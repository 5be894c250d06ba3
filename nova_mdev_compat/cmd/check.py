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

"""nova-mdev-compat check"""

from __future__ import annotations

import argparse
import json
from typing import Any

from nova_mdev_compat.cmd import base
from nova_mdev_compat.compat.document import LEVELS
from nova_mdev_compat.compat.matching import Matcher
from nova_mdev_compat.compat.verdict import Verdict


class Check(base.Command):
    """Say whether a document accepts the device of another one.

    The matcher is the one of the scheduler's filter. Exit status 1 when the
    device is refused.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            '--source', required=True, metavar='FILE',
            help="the document of the source's provider; \"-\" is standard "
                 'input')
        parser.add_argument(
            '--destination', required=True, metavar='FILE',
            help="the document of the destination's provider; \"-\" is "
                 'standard input')
        parser.add_argument(
            '--level', choices=LEVELS, default='live',
            help="live: the device's state goes along; cold: the device is "
                 'made anew (default: live)')
        parser.add_argument(
            '--format', choices=('text', 'json'), default='text',
            help='how to print the answer (default: text)')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        if parsed_args.source == parsed_args.destination \
                == base.STANDARD_INPUT:
            raise base.BadInput('--source and --destination cannot both be '
                                'standard input')
        source = base.read_document(parsed_args.source)
        destination = base.read_document(parsed_args.destination)
        verdict = Matcher(destination).match(source.device,
                                             parsed_args.level)
        if parsed_args.format == 'json':
            print(json.dumps(verdict.as_json(), ensure_ascii=False, indent=2))
        else:
            _print(verdict)
        return base.YES if verdict.accepted else base.NO


def _print(verdict: Verdict) -> None:
    if not verdict.accepted:
        entries = [reason.entry for reason in verdict.reasons
                   if reason.entry is not None]
        closest = f'; entry {entries[0]} came closest' if entries else ''
        print(f'refused{closest}')
        for reason in verdict.reasons:
            print(f'  {reason.message}')
        return
    print(f'accepted by entry {verdict.entry}')
    _print_values('with', dict(verdict.variables))
    _print_values('created here as', verdict.create)


def _print_values(title: str, values: dict[str, Any]) -> None:
    for name, value in values.items():
        print(f'  {title} {name} = {json.dumps(value, ensure_ascii=False)}')
