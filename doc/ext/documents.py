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
"""Directives of the documentation: cases of the corpus, and the schema.

``.. corpus-case:: THEME: NAME`` shows a verdict case of ``tests/corpus`` and
what the matcher answers now; the build fails where it is not what the case
says.  ``.. document-schema::`` is a reference of every member of a document,
from the JSON Schema.
"""

import json
import pathlib
import sys
import textwrap
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.matching import Matcher

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_SCHEMA = _ROOT / 'nova_mdev_compat' / 'codec' / 'schemas' / 'document-1.json'
_WIDTH = 76

Schema = dict[str, Any]


class CorpusCase(Directive):
    """A source, a destination, and the verdict."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        case = _case(self.arguments[0])
        source = loading.load(json.dumps(
            {'format': 1, 'self': case.source, 'compatible': []}))
        destination = loading.load(json.dumps(case.destination))
        verdict = Matcher(destination).match(source.device, case.level,
                                             case.plain_only)
        if verdict.accepted != case.accepted:
            raise ExtensionError(f'{case}: the matcher answers otherwise')
        level = '' if case.level == 'live' else f', at level {case.level}'
        return [
            _titled("The source's self", _compact(case.source)),
            _titled("The destination's document",
                    _compact(case.destination)),
            _titled(f'The answer{level}', '\n'.join(_words(verdict))),
        ]


def _case(name: str) -> Any:
    if str(_ROOT) not in sys.path:
        sys.path.insert(0, str(_ROOT))
    # Not of the package, so only here and not for whoever imports this.
    from tests.unit import corpus
    for case in corpus.verdict_cases():
        if str(case) == name:
            return case
    raise ExtensionError(f'the corpus has no case "{name}"')


def _words(verdict: Any) -> list[str]:
    if not verdict.accepted:
        return ['refused', *(
            textwrap.fill(one.message, _WIDTH, initial_indent='  ',
                          subsequent_indent='    ')
            for one in verdict.reasons)]
    values = {**dict(verdict.variables), **verdict.create}
    return [f'accepted by entry {verdict.entry}',
            *(f'  {name} = {json.dumps(value)}'
              for name, value in values.items())]


def _titled(title: str, text: str) -> nodes.container:
    code = nodes.literal_block(text, text)
    code['language'] = 'json' if text.startswith('{') else 'text'
    return nodes.container('', nodes.caption('', title), code,
                           classes=['literal-block-wrapper'])


def _compact(value: Any, indent: int = 0) -> str:
    """JSON with what fits into a line on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH or not isinstance(value, (dict, list)):
        return line
    inner = ' ' * (indent + 2)
    if isinstance(value, dict):
        parts = [f'{inner}{json.dumps(key)}: {_compact(one, indent + 2)}'
                 for key, one in value.items()]
        return '{\n' + ',\n'.join(parts) + '\n' + ' ' * indent + '}'
    parts = [inner + _compact(one, indent + 2) for one in value]
    return '[\n' + ',\n'.join(parts) + '\n' + ' ' * indent + ']'


class DocumentSchema(Directive):
    """Every member: where it stands, what it may be."""

    def run(self) -> list[nodes.Node]:
        schema = json.loads(_SCHEMA.read_text('utf-8'))
        self.state.document.settings.record_dependencies.add(str(_SCHEMA))
        return [_members(schema, schema)]


def _members(of: Schema, schema: Schema) -> nodes.definition_list:
    found = nodes.definition_list()
    required = of.get('required', ())
    for name, member in of['properties'].items():
        found += _item(name, _resolved(member, schema), name in required,
                       schema)
    return found


def _resolved(member: Schema, schema: Schema) -> Schema:
    if '$ref' in member:
        return dict(schema['$defs'][member['$ref'].rpartition('/')[2]])
    return member


def _item(name: str, member: Schema, required: bool,
          schema: Schema) -> nodes.definition_list_item:
    term = nodes.term('', '', nodes.literal(name, name))
    if required:
        term += nodes.Text(' (required)')
    definition = nodes.definition(
        '', nodes.paragraph('', '. '.join(_phrases(member, schema)) + '.'))
    inside = member
    if member.get('type') == 'array' and 'items' in member:
        inside = _resolved(member['items'], schema)
    if inside.get('type') == 'object' and 'properties' in inside:
        definition += _members(inside, schema)
    return nodes.definition_list_item('', term, definition)


def _phrases(member: Schema, schema: Schema) -> list[str]:
    phrases = [member.get('description', '')]
    kind = member.get('type')
    if kind:
        kinds = [kind] if isinstance(kind, str) else kind
        phrases.append('JSON: ' + ' or '.join(kinds))
    if 'enum' in member:
        phrases.append('one of ' + ', '.join(map(str, member['enum'])))
    for key, words in (('maxItems', 'at most {} items'),
                       ('maxProperties', 'at most {} members'),
                       ('maxLength', 'at most {} characters')):
        if member.get(key, 1) > 1:
            phrases.append(words.format(member[key]))
    for key, words in (('propertyNames', 'names: {}'),
                       ('additionalProperties', 'values: {}')):
        inner = member.get(key)
        if isinstance(inner, dict) and 'properties' not in member:
            phrases.append(words.format(
                _resolved(inner, schema).get('description', '')))
    return [_sentence(phrase) for phrase in phrases if phrase]


def _sentence(phrase: str) -> str:
    """With a capital, unless the first word is a name or a form."""
    first = phrase.partition(' ')[0].rstrip(':,;')
    return phrase[:1].upper() + phrase[1:] if first.isalpha() else phrase


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive('corpus-case', CorpusCase)
    app.add_directive('document-schema', DocumentSchema)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
