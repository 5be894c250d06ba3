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

"""What holds for every source file: the header, and how long things are."""

import ast

import ddt
import testtools

from tests.unit import modules

MAX_MODULE_LINES = 399
MAX_FUNCTION_LINES = 60

HEADER = (modules.ROOT / 'tests' / '__init__.py').read_text('utf-8')
PACKAGE_FILES = [str(path.relative_to(modules.ROOT))
                 for path in modules.package_modules().values()]
PYTHON_FILES = [str(path.relative_to(modules.ROOT))
                for path in modules.python_files()]


def read(name: str) -> str:
    return (modules.ROOT / name).read_text('utf-8')


def long_functions(source: str) -> list[str]:
    return [node.name for node in ast.walk(ast.parse(source))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES]


@ddt.ddt
class TestSourceFiles(testtools.TestCase):

    def test_files_are_found(self):
        self.assertIn('nova_mdev_compat/__init__.py', PACKAGE_FILES)
        self.assertIn('tests/unit/test_modules.py', PYTHON_FILES)

    def test_header_is_the_apache_one(self):
        self.assertEqual(11, HEADER.count('\n'))
        self.assertIn('Licensed under the Apache License, Version 2.0', HEADER)
        self.assertTrue(HEADER.endswith('#    under the License.\n'))

    @ddt.data(*PYTHON_FILES)
    def test_begins_with_the_header(self, name):
        self.assertTrue(read(name).startswith(HEADER))

    @ddt.data(*PACKAGE_FILES)
    def test_module_is_short(self, name):
        self.assertLessEqual(read(name).count('\n'), MAX_MODULE_LINES)

    @ddt.data(*PACKAGE_FILES)
    def test_functions_are_short(self, name):
        self.assertEqual([], long_functions(read(name)))

    def test_long_function_is_noticed(self):
        body = '    pass\n' * (MAX_FUNCTION_LINES - 1)
        self.assertEqual([], long_functions('def short():\n' + body))
        self.assertEqual(
            ['long'], long_functions('def long():\n    pass\n' + body))
