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

"""How many examples hypothesis draws.

MDEV_COMPAT_HYPOTHESIS is `long` for a thorough check of the matcher against
the oracle, and `short` for mutation testing, which runs the tests thousands
of times.
"""

import os

EFFORT = os.environ.get('MDEV_COMPAT_HYPOTHESIS', '')
SHORT = EFFORT == 'short'


def examples(usual: int) -> int:
    """The number of examples where `usual` is that of an ordinary run."""
    return usual // 5 if SHORT else usual
