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

"""nova-mdev-compat decode"""

from __future__ import annotations

import argparse
import sys

from nova_mdev_compat.cmd import base
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document

# Every trait of a very large cloud, and more.
_MAX_NAMES = 64 * 1024 * 1024


class Decode(base.Command):
    """Print the document that trait names hold, in canonical form.

    The names come from standard input, one a line and in any order; names of
    other traits are passed over. A marker among them says which document is
    meant; without one there must be a single document.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        text = base.read_bytes(base.STANDARD_INPUT, _MAX_NAMES)
        if len(text) > _MAX_NAMES:
            raise base.BadInput('standard input: it has more than '
                                f'{_MAX_NAMES} bytes')
        try:
            names = text.decode('ascii').split()
        except UnicodeDecodeError as error:
            raise base.BadInput('standard input: a trait name has only '
                                'A to Z, 0 to 9 and _') from error
        sys.stdout.buffer.write(_decode(names).canonical + b'\n')
        sys.stdout.buffer.flush()
        return base.YES


def _decode(names: list[str]) -> Document:
    markers, bodies = traits.digests(names)
    digests = sorted(markers or bodies)
    if not digests:
        raise base.BadInput('standard input: no trait name begins with '
                            f'{traits.PREFIX} and is whole')
    if len(digests) > 1:
        raise base.BadInput(
            'standard input: the names are of several documents; give the '
            'marker of one: ' + ', '.join(map(traits.marker, digests)))
    try:
        return traits.decode(names, digests[0])
    except traits.Undecodable as error:
        raise base.BadInput(f'standard input: {error}') from error
