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

"""Every internal of Nova's that the package touches is there."""

import ast
from collections.abc import Iterator
import importlib
import inspect
import operator
import pathlib
from typing import Any

import ddt
import fixtures
import testtools

from nova_mdev_compat.scheduler import nova_symbols

ROOM = pathlib.Path(nova_symbols.__file__).parent

#: What the room calls objects of Nova's, wherever it has them.
VARIABLES = {
    'mapping': 'nova.objects.instance_mapping:InstanceMapping',
    'node': 'nova.objects.compute_node:ComputeNode',
    'row': 'nova.objects.migration:Migration',
    'spec': 'nova.objects.request_spec:RequestSpec',
}


def resolve(symbol: str) -> Any:
    """What a symbol names.

    :raises LookupError: it is gone; says which.
    """
    module, _, attribute = symbol.partition(':')
    try:
        return operator.attrgetter(attribute)(importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        raise LookupError(f"Nova's {symbol} is gone: {error}") from error


@ddt.ddt
class TestNovaSymbols(testtools.TestCase):

    @ddt.data(*nova_symbols.NOVA_SYMBOLS)
    def test_is_there(self, symbol: str) -> None:
        resolve(symbol)

    @ddt.data(*nova_symbols.NOVA_ARGUMENTS)
    def test_takes_its_arguments(self, symbol: str) -> None:
        # Nova's objects wrap their methods, and keep the original.
        taken = inspect.signature(resolve(symbol)).parameters
        self.assertEqual([], [
            name for name in nova_symbols.NOVA_ARGUMENTS[symbol]
            if name not in taken], symbol)

    @ddt.data(*nova_symbols.NOVA_FIELDS)
    def test_has_its_fields(self, symbol: str) -> None:
        self.assertEqual([], [
            name for name in nova_symbols.NOVA_FIELDS[symbol]
            if name not in resolve(symbol).fields], symbol)

    def test_host_state(self) -> None:
        state = resolve(nova_symbols.HOST_STATE)('host', 'node', 'cell')
        self.assertEqual([], [
            name for name in nova_symbols.HOST_STATE_ATTRIBUTES
            if not hasattr(state, name)], nova_symbols.HOST_STATE)

    @ddt.data(*nova_symbols.NOVA_SYMBOLS)
    def test_the_one_that_is_gone_is_named(self, symbol: str) -> None:
        owner, _, name = symbol.replace(':', '.').rpartition('.')
        inherited = symbol.startswith('nova.scheduler.filters:Base') \
            and name == 'filter_all'
        self.useFixture(fixtures.MonkeyPatch(
            f'nova.filters.BaseFilter.{name}' if inherited
            else f'{owner}.{name}', fixtures.MonkeyPatch.delete))
        error = self.assertRaises(LookupError, resolve, symbol)
        self.assertIn(symbol, str(error))


class TestTheListIsComplete(testtools.TestCase):
    """What the modules of the room name is what is listed."""

    def setUp(self) -> None:
        super().setUp()
        self.trees = [ast.parse(path.read_text('utf-8'), path.name)
                      for path in sorted(ROOM.glob('*.py'))]

    def test_symbols(self) -> None:
        used = {symbol for tree in self.trees for symbol in _symbols(tree)}
        listed = set(nova_symbols.NOVA_SYMBOLS)
        self.assertNotEqual(set(), used)
        self.assertEqual(set(), used - listed)
        # Only what is overridden is listed without being called.
        self.assertEqual(
            {symbol for symbol in listed
             if symbol.startswith('nova.scheduler.filters:BaseHostFilter.')},
            listed - used)

    def test_fields(self) -> None:
        for tree in self.trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) \
                        and isinstance(node.value, ast.Name) \
                        and node.value.id in VARIABLES:
                    symbol = VARIABLES[node.value.id]
                    self.assertIn(node.attr, nova_symbols.NOVA_FIELDS[symbol])


def _symbols(tree: ast.AST) -> Iterator[str]:
    """Nova's names in a module, as `module:attribute.attribute`."""
    imported = dict(_imported(tree))
    inner = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node not in inner:
            inner.update(one for one in ast.walk(node) if one is not node)
            names = ast.unparse(node).split('.')
            if names[0] in imported:
                yield f'{imported[names[0]]}:{".".join(names[1:])}'


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Local names of what is imported from Nova: always modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None \
                and node.module.split('.')[0] == 'nova':
            for alias in node.names:
                yield alias.asname or alias.name, \
                    f'{node.module}.{alias.name}'
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split('.')[0] == 'nova':
                    raise AssertionError(
                        f'write "from ... import": {alias.name}')
