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
from collections.abc import Iterable
import json
import re
import sys
from typing import Any

from nova_mdev_compat.cmd import base
from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.publisher.rules.faults import RuleFault
from nova_mdev_compat.publisher.rules import loading as rule_loading

_RULE_FILES = ('.yaml', '.yml')
# For a file whose name does not tell; a document begins with a brace.
_SECTION = re.compile(rb'^(rules|facts|stages|enable|disable)[ \t]*:',
                      re.MULTILINE)


class Validate(base.Command):
    """Say whether files are valid, and every fault with its place.

    Files are documents, or rule files of the publisher: those whose names end
    in .yaml, or that begin a line with "rules:" or another section of rule
    files.  What a rule file says of other rules is held against the shipped
    rules and the rule files that are given together.

    Exit status 1 when one of them is not valid, 2 when one cannot be read.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            'files', nargs='+', metavar='FILE',
            help='a document or a rule file; "-" is standard input')
        parser.add_argument(
            '--format', choices=('text', 'json'), default='text',
            help='how to print the answer (default: text)')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        texts: dict[str, bytes] = {}
        unreadable = False
        for name in dict.fromkeys(parsed_args.files):
            try:
                texts[name] = base.read_bytes(name)
            except base.BadInput as error:
                print(error, file=sys.stderr)
                unreadable = True
        results = _results(texts)
        if parsed_args.format == 'json':
            print(json.dumps(results, ensure_ascii=False, indent=2))
        else:
            _print(results)
        if unreadable:
            return base.BAD_INPUT
        return base.YES if all(result['valid'] for result in results) \
            else base.NO


def _results(texts: dict[str, bytes]) -> list[dict[str, Any]]:
    rules = rule_loading.check({
        name: text for name, text in texts.items()
        if _is_rule_file(name, text)})
    found = {name: _rule_faults(rules[name]) if name in rules
             else _faults(text) for name, text in texts.items()}
    return [{'file': name, 'valid': not faults, 'faults': faults}
            for name, faults in found.items()]


def _is_rule_file(name: str, text: bytes) -> bool:
    if name.endswith(_RULE_FILES):
        return True
    return not name.endswith('.json') and not text.lstrip().startswith(
        b'{') and _SECTION.search(text) is not None


def _rule_faults(faults: Iterable[RuleFault]) -> list[dict[str, Any]]:
    return [{'line': fault.line, 'rule': fault.rule,
             'message': fault.message} for fault in faults]


def _faults(text: bytes) -> list[dict[str, Any]]:
    try:
        loading.load(text)
    except InvalidDocument as error:
        return [{'pointer': fault.pointer, 'message': fault.message}
                for fault in error.faults]
    return []


def _print(results: list[dict[str, Any]]) -> None:
    for result in results:
        name = result['file']
        if result['valid']:
            print(f'{name}: valid')
        for fault in result['faults']:
            if 'pointer' in fault:
                print(f'{name}: {fault["pointer"] or "(document)"}: '
                      f'{fault["message"]}')
            else:
                print(RuleFault(name, **fault))
