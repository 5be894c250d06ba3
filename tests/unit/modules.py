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

"""The project's own source files, for the tests that read them."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = 'nova_mdev_compat'


def package_modules() -> dict[str, pathlib.Path]:
    """Every module of the package, by its dotted name."""
    modules = {}
    for path in sorted((ROOT / PACKAGE).rglob('*.py')):
        parts = path.relative_to(ROOT).with_suffix('').parts
        if parts[-1] == '__init__':
            parts = parts[:-1]
        modules['.'.join(parts)] = path
    return modules


def python_files() -> list[pathlib.Path]:
    """Every Python file of the project, tests and tools too."""
    folders = (PACKAGE, 'demo', 'doc/source', 'releasenotes/source', 'tests',
               'tools')
    return [ROOT / 'setup.py'] + [
        path for folder in folders
        for path in sorted((ROOT / folder).rglob('*.py'))]
