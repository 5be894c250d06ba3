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

"""Fuzzes one target in this process, until libFuzzer ends it."""

import shlex
import sys

import atheris

with atheris.instrument_imports(include=['nova_mdev_compat', 'tests.fuzz']):
    from tests.fuzz import targets


def main() -> None:
    name, *arguments = sys.argv[1:]
    # A merge starts this program anew, by a shell.
    command = f'{shlex.quote(sys.executable)} -m tests.fuzz.one_target {name}'
    atheris.Setup([command, *arguments], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == '__main__':
    main()
