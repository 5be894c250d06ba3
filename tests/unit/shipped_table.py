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

"""The documentation's table of shipped rules.

``python -m tests.unit.shipped_table`` writes it anew.
"""

from collections.abc import Iterator
import pathlib
import textwrap

from nova_mdev_compat.publisher.rules import loading

PLACE = (pathlib.Path(__file__).parents[2] / 'doc' / 'source' / 'rules'
         / 'shipped.inc')


def lines() -> Iterator[str]:
    folder = loading.shipped_folder()
    yield '.. Written by tests/unit/shipped_table.py of the rules.'
    rule_set = loading.load([folder]).rule_set
    for rule in rule_set.rules:
        more = []
        if rule.adds_to is not None:
            more.append(f'adds to ``{rule.adds_to}``')
        if not rule.enabled:
            more.append('disabled')
        yield ''
        yield f'``{rule.name}``' + (f' ({", ".join(more)})' if more else '')
        for text in (rule.description, f'*Source:* {rule.source}; '
                     f'{rule.date}, in '
                     f'``{pathlib.Path(rule.origin.file).name}``.'):
            yield from textwrap.wrap(
                text, 78, initial_indent='    ', subsequent_indent='    ',
                break_long_words=False, break_on_hyphens=False)
            yield ''


def text() -> str:
    return '\n'.join(lines()).replace('\n\n\n', '\n\n').rstrip() + '\n'


if __name__ == '__main__':
    PLACE.write_text(text(), 'utf-8')
