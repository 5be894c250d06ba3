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

"""The values of the language are frozen: threads share them."""

import dataclasses
import importlib
from typing import Any

import testtools

from tests.unit import modules

ROOMS = ('nova_mdev_compat.compat.', 'nova_mdev_compat.codec.')


def classes() -> dict[str, Any]:
    """The dataclasses of the language, by name."""
    return {f'{name}.{found.__name__}': found
            for name in modules.package_modules() if name.startswith(ROOMS)
            for found in vars(importlib.import_module(name)).values()
            if isinstance(found, type) and dataclasses.is_dataclass(found)
            and found.__module__ == name}


class TestFrozen(testtools.TestCase):

    def test_values(self) -> None:
        found = classes()
        self.assertGreater(len(found), 25)
        for name, one in found.items():
            self.expectThat(one.__dataclass_params__.frozen,
                            testtools.matchers.Is(True), name)
            # No attribute beside those that are compared.
            self.expectThat(one.__dict__,
                            testtools.matchers.Contains('__slots__'), name)
