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

"""Prints the facts of the devices that this host can make, by mdev type.

    python -m tests.kernel.facts
"""

from __future__ import annotations

import json

from nova_mdev_compat.publisher import findings


def main() -> None:
    found = findings.find()
    if found.failures:
        raise SystemExit('; '.join(map(str, found.failures)))
    print(json.dumps({
        mdev_type: parent.device(mdev_type)
        for parent in found.parents.values() for mdev_type in parent.types}))


if __name__ == '__main__':
    main()
