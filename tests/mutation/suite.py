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

"""The tests that a mutant has to get past, the quickest first.

    python -m tests.mutation.suite

Exit status 1 at the first failure.
"""

import os
import sys
import unittest

MODULES = (
    'tests.unit.test_corpus',
    'tests.unit.test_canonical',
    'tests.unit.test_faults',
    'tests.unit.test_shapes',
    'tests.unit.test_traits',
    'tests.unit.test_fuzz_inputs',
    'tests.unit.test_description',
    'tests.unit.test_difference',
    'tests.unit.test_oracle_agreement',
)


def main() -> int:
    for module in MODULES:
        suite = unittest.defaultTestLoader.loadTestsFromName(module)
        with open(os.devnull, 'w') as nowhere:
            result = unittest.TextTestRunner(
                stream=nowhere, failfast=True).run(suite)
        if not result.wasSuccessful() or not result.testsRun:
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
