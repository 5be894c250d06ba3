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

import importlib
import operator
import pathlib
import re

import ddt
import testtools

from nova_mdev_compat.scheduler import nova_symbols

ROOM = pathlib.Path(nova_symbols.__file__).parent
_IMPORT = re.compile(r'^(?:from|import) (nova(?:\.\w+)*)(?: import (\w+))?$',
                     re.MULTILINE)


@ddt.ddt
class TestNovaSymbols(testtools.TestCase):

    @ddt.data(*nova_symbols.NOVA_SYMBOLS)
    def test_is_there(self, symbol: str) -> None:
        module, _, attribute = symbol.partition(':')
        operator.attrgetter(attribute)(importlib.import_module(module))

    def test_every_import_is_listed(self) -> None:
        listed = {symbol.partition(':')[0]
                  for symbol in nova_symbols.NOVA_SYMBOLS}
        for path in ROOM.glob('*.py'):
            for package, name in _IMPORT.findall(path.read_text('utf-8')):
                self.expectThat(
                    listed & {package, f'{package}.{name}'},
                    testtools.matchers.HasLength(1), f'{path}: {package}')
