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

"""What each part of the package may import, and a reader that checks it.

Every import counts: one under ``if TYPE_CHECKING``, one inside a function,
and one through ``importlib.import_module`` or ``__import__`` with a literal
name.  A string in an option or an entry point is not an import.
"""

import ast
from collections.abc import Iterator
import dataclasses
import sys

PACKAGE = 'nova_mdev_compat'

# Nowhere, not even in the tests' fakes: nova-scheduler may run with native
# threads or with eventlet, and this code must not care which.
NOWHERE = frozenset({'asyncio', 'eventlet', 'greenlet'})

# Installed beside Nova or not at all, or for one room to speak to: each is
# refused unless a room names it.
GUARDED = frozenset({'keystoneauth1', 'nova', 'placement', 'requests',
                     'urllib3'})

# What a pure room may not take from the standard library: files, processes,
# the network, logs, and the clock and chance, which would let a verdict
# depend on more than the two documents.
IMPURE = frozenset({
    'concurrent', 'ctypes', 'fcntl', 'fileinput', 'ftplib', 'getpass', 'glob',
    'http', 'io', 'logging', 'mmap', 'multiprocessing', 'os', 'pathlib',
    'random', 'secrets', 'select', 'selectors', 'shutil', 'signal', 'smtplib',
    'socket', 'socketserver', 'sqlite3', 'ssl', 'subprocess', 'syslog',
    'tempfile', 'threading', 'time', 'urllib', 'uuid',
})
IMPURE_CALLS = frozenset({'open', 'print', 'input'})


@dataclasses.dataclass(frozen=True)
class Room:
    """A part of the package and what it may import."""

    # Other rooms.  Every room may import itself.
    rooms: frozenset[str] = frozenset()
    # Distributions; None stands for any that is not guarded.
    third_party: frozenset[str] | None = None
    # Guarded ones.
    guarded: frozenset[str] = frozenset()
    pure: bool = False


def names(text: str = '') -> frozenset[str]:
    return frozenset(text.split())


# compat <- codec <- placement <- scheduler, publisher, cmd.  No row names
# the scheduler, and it and the publisher do not name each other.
ROOMS = {
    'compat': Room(third_party=names(), pure=True),
    'codec': Room(rooms=names('compat'),
                  third_party=names('jsonschema referencing'), pure=True),
    'conf': Room(third_party=names('oslo_config')),
    'placement': Room(rooms=names('compat codec'),
                      guarded=names('keystoneauth1 requests urllib3')),
    'filters': Room(rooms=names('conf')),
    'scheduler': Room(rooms=names('compat codec placement conf'),
                      guarded=names('nova')),
    'publisher': Room(rooms=names('compat codec placement conf')),
    'fleet': Room(rooms=names('compat codec placement')),
    'cmd': Room(rooms=names('compat codec placement conf publisher fleet')),
    'osc': Room(rooms=names('compat codec placement conf fleet cmd')),
    # The package's own __init__, which everything imports.
    '': Room(third_party=names()),
}


def violations(module: str, is_package: bool, source: str) -> list[str]:
    """Say which imports, or impure calls, a module may not have."""
    name = _room_of(module)
    if name not in ROOMS:
        return ['%s belongs to no room' % module]
    room = ROOMS[name]
    tree = ast.parse(source)
    found = [imported for imported in _imports(tree, module, is_package)
             if not _may_import(name, room, imported)]
    if room.pure:
        found += _impure_calls(tree)
    return found


def _room_of(module: str) -> str:
    """The second part of a dotted name within the package."""
    return (module.split('.') + [''])[1]


def _may_import(name: str, room: Room, imported: str) -> bool:
    top = imported.partition('.')[0]
    if top in NOWHERE:
        return False
    if top == PACKAGE:
        other = _room_of(imported)
        return other in ('', name) or other in room.rooms
    if top in GUARDED:
        return top in room.guarded
    if top in sys.stdlib_module_names:
        return not (room.pure and top in IMPURE)
    return room.third_party is None or top in room.third_party


def _imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """Give the full dotted name of whatever the tree imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, module, is_package)
            yield from (f'{origin}.{alias.name}' for alias in node.names)
        elif isinstance(node, ast.Call):
            yield from _imported_by_call(node)


def _origin(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ''
    parents = module.split('.')
    up = node.level - 1 if is_package else node.level
    parents = parents[:len(parents) - up]
    return '.'.join(parents + ([node.module] if node.module else []))


def _imported_by_call(node: ast.Call) -> Iterator[str]:
    if _called(node) in ('import_module', '__import__') and node.args:
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value


def _impure_calls(tree: ast.AST) -> list[str]:
    return ['%s()' % node.func.id for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            and node.func.id in IMPURE_CALLS]


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ''
