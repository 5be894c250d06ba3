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

"""A document that a rule could give, tried before any device is there.

What depends on facts is left out, or has a stand-in where a document would
miss it.  So what is told here is wrong whatever the facts are; what they
alone can show is found when the real document is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
from typing import Any

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.device import DEVICE_APIS
from nova_mdev_compat.compat.device import is_mdev_type
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.publisher.rules.values import Filler
from nova_mdev_compat.publisher.rules.values import uses_facts

_VERSION = '1.0'
_TYPE = 'acme-1'
_STAND_INS = {'software_version': _VERSION, 'mdev_type': _TYPE}
_FILLER = Filler({})


def find_faults(item: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Faults of a rule that the JSON Schema of rules has passed.

    :returns: places inside the rule.
    """
    own = item.get('self', {}).get('mdev_type')
    known = own is not None and not uses_facts(own)
    entries = [(index, _entry(entry, known)) for index, entry
               in enumerate(item.get('compatible', ()))
               if not _mixed(entry)]
    document = {'format': 1, 'self': _device(item),
                'compatible': [entry for _, entry in entries]}
    try:
        loading.load(json.dumps(document))
    except InvalidDocument as error:
        for fault in error.faults:
            path = places(fault.pointer)
            if path[:1] == ('compatible',) and len(path) > 1:
                path = ('compatible', entries[int(path[1])][0], *path[2:])
            elif path[:2] == ('self', 'attributes'):
                path = path[1:]
            yield path, fault.message


def places(pointer: str) -> Path:
    """The path of a JSON pointer of a document."""
    tokens = [token.replace('~1', '/').replace('~0', '~')
              for token in pointer.split('/')[1:]]
    if tokens[:1] == ['compatible'] and len(tokens) > 1:
        return (tokens[0], int(tokens[1]), *tokens[2:])
    return tuple(tokens)


def _device(item: dict[str, Any]) -> dict[str, Any]:
    found = _without(item.get('self', {}))
    # A rule that adds to another leaves the rest to that one.
    found.setdefault('mdev_type', _TYPE)
    if 'device_api' not in found:
        named = [api for api in DEVICE_APIS
                 if any(api in part for part in (
                     item.get('self', {}), *item.get('compatible', ())))]
        found['device_api'] = named[0] if named else DEVICE_APIS[0]
    found['attributes'] = {}
    for name, value in item.get('attributes', {}).items():
        if isinstance(value, dict):
            value = value.get('value', value)
        if not uses_facts(value):
            found['attributes'][name] = _FILLER.value(value)
    return found


def _without(part: dict[str, Any]) -> dict[str, Any]:
    """Members of `self` or of an entry, without what depends on facts."""
    found: dict[str, Any] = {}
    for name, value in part.items():
        if name in ('variables', 'level'):
            found[name] = value
        elif name in _STAND_INS or name == 'device_api':
            if not uses_facts(value):
                found[name] = _FILLER.patch(value)
            elif name in _STAND_INS:
                found[name] = _STAND_INS[name]
        elif name == 'create':
            found[name] = _without(value)
        else:
            found[name] = {inner: _FILLER.patch(member)
                           for inner, member in value.items()
                           if not uses_facts(member)}
    return found


def _entry(entry: dict[str, Any], known: bool) -> dict[str, Any]:
    # Where the device's own type is not known, a literal may well be it.
    found = _without(entry)
    literal = found.get('mdev_type')
    if not known and isinstance(literal, str) and '$' not in literal \
            and is_mdev_type(literal):
        found['mdev_type'] = _TYPE
    return found


def _mixed(entry: dict[str, Any]) -> bool:
    """Whether a template may bind its variables in what is left out."""
    return 'variables' in entry and uses_facts(list(entry.values()))
