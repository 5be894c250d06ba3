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

"""nova-mdev-compat encode"""

from __future__ import annotations

import argparse

from nova_mdev_compat.cmd import base
from nova_mdev_compat.codec import traits


class Encode(base.DocumentCommand):
    """Print the trait names that publish a document.

    One a line: the marker first, which goes on the resource provider, then
    the chunks of the body, which go on none.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        names = traits.encode(base.read_document(parsed_args.file))
        print('\n'.join((names.marker, *names.chunks)))
        return base.YES
