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

"""What the tests and tools that seldom run ask of the package is there.

The suites that need a database, a kernel or hours are not run for every
change; a name that was moved would break them unnoticed.
"""

import ast
from collections.abc import Iterator
import importlib
import types

import ddt
import testtools

from tests.unit import modules

PACKAGE = 'nova_mdev_compat'
FILES = sorted(
    str(path.relative_to(modules.ROOT)) for path in modules.python_files()
    if path.relative_to(modules.ROOT).parts[0] != PACKAGE)


def missing(source: str) -> list[str]:
    """Names that a source takes from the package, and that are not there."""
    tree = ast.parse(source)
    found: dict[str, types.ModuleType] = {}
    lost = []
    for node, alias in _imports(tree):
        try:
            value = _imported(str(node.module), alias.name)
        except (ImportError, AttributeError):
            lost.append(f'{node.module}.{alias.name}')
            continue
        if isinstance(value, types.ModuleType):
            found[alias.asname or alias.name] = value
    stored = set(_stored(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(
                node.value, ast.Name) and node.value.id not in stored:
            module = found.get(node.value.id)
            if module is not None and not hasattr(module, node.attr):
                lost.append(f'{module.__name__}.{node.attr}')
    return lost


def _stored(tree: ast.AST) -> Iterator[str]:
    """Names that mean something else somewhere in the source."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def _imports(tree: ast.AST) -> Iterator[tuple[ast.ImportFrom, ast.alias]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (
                node.module or '').split('.')[0] == PACKAGE:
            yield from ((node, alias) for alias in node.names)


def _imported(module: str, name: str) -> object:
    # Nova's modules decide about threads when they are imported.
    if module.startswith(f'{PACKAGE}.scheduler') or name == 'scheduler':
        return None
    found = importlib.import_module(module)
    if not hasattr(found, name):
        return importlib.import_module(f'{module}.{name}')
    return getattr(found, name)


@ddt.ddt
class TestNames(testtools.TestCase):

    def test_files_are_found(self) -> None:
        self.assertIn('tests/mariadb/base.py', FILES)

    @ddt.data(*FILES)
    def test_are_there(self, name: str) -> None:
        self.assertEqual(
            [], missing((modules.ROOT / name).read_text('utf-8')))

    def test_missing_ones_are_noticed(self) -> None:
        self.assertEqual(
            ['nova_mdev_compat.cmd.nothing', 'nova_mdev_compat.cmd.base.no',
             'nova_mdev_compat.codec.traits.never'], missing(
                'from nova_mdev_compat.cmd import nothing\n'
                'from nova_mdev_compat.cmd.base import no, YES\n'
                'from nova_mdev_compat.codec import traits\n'
                'traits.encode(traits.never)\n'))
