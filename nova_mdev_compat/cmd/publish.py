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

"""nova-mdev-compat publish"""

from __future__ import annotations

import argparse

from oslo_utils import uuidutils

from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement import publication

_TIMEOUT = 120.0


class Publish(base.Command):
    """Publish a document for a resource provider, or for a label.

    Writes the document's traits and puts its marker on the provider, in
    place of an earlier one. The provider's other traits stay. With --label
    the document counts for every provider that carries the label, until
    somebody says otherwise in the same way. Needs the admin or the service
    role in placement.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        configuration.add_config_file(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            '--provider', metavar='UUID',
            help='the resource provider of the device')
        what.add_argument(
            '--label', metavar='LABEL',
            help="the label of PCI devices in placement, which stands among "
                 "the traits of nova-compute's [pci] device_spec: up to "
                 f'{labels.MAX_LENGTH} of A to Z and 0 to 9')
        parser.add_argument('file', metavar='FILE',
                            help='a document; "-" is standard input')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        if parsed_args.label is not None:
            return _publish_label(parsed_args)
        provider = parsed_args.provider
        if not uuidutils.is_uuid_like(provider):
            raise base.BadInput(f'--provider {provider}: it is not a UUID')
        names = traits.encode(base.read_document(parsed_args.file))
        client = configuration.connect(parsed_args.config_file)
        try:
            done = publication.publish(client, provider, names,
                                       Deadline(_TIMEOUT))
        except NotFound as error:
            raise base.BadInput(f'--provider {provider}: placement has no '
                                'such resource provider') from error
        _report(provider, done)
        return base.YES


def _publish_label(parsed_args: argparse.Namespace) -> int:
    label = parsed_args.label
    if not labels.is_label(label):
        raise base.BadInput(f'--label {label}: a label has up to '
                            f'{labels.MAX_LENGTH} of A to Z and 0 to 9')
    names = traits.encode(base.read_document(parsed_args.file))
    client = configuration.connect(parsed_args.config_file)
    done = publication.publish_label(client, label, names, labels.OPERATOR,
                                     Deadline(_TIMEOUT))
    if done.current != names.digest:
        raise base.BadInput(
            f'--label {label}: it stands for document {done.current} still: '
            'the sequence of its mapping is the highest that there is, or '
            'somebody else goes on mapping it')
    if done.replaced == names.digest:
        print(f'Label {label} stands for document {names.digest} already.')
    else:
        replaced = f', in place of {done.replaced}' if done.replaced else ''
        print(f'Label {label} stands for document {names.digest}{replaced}; '
              f'{len(done.written)} body traits written.')
    return base.YES


def _report(provider: str, done: publication.Publication) -> None:
    if not done.changed:
        print(f'Provider {provider} carries document {done.digest} already.')
        return
    replaced = ''.join(f', in place of {digest}' for digest in done.replaced)
    print(f'Provider {provider} carries document {done.digest}{replaced}; '
          f'{len(done.written)} body traits written.')
