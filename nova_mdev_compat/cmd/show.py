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

"""nova-mdev-compat show"""

from __future__ import annotations

import argparse

from nova_mdev_compat.cmd import base
from nova_mdev_compat.codec import canonical
from nova_mdev_compat.compat import description


class Show(base.DocumentCommand):
    """Say in words what a document's device is, and what it accepts."""

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        document = base.read_document(parsed_args.file)
        print(f'document {canonical.digest(document.canonical)}')
        for line in description.describe(document):
            print(f'  {line}')
        return base.YES
