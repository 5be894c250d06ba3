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

"""openstack mdev compat document list, show, set and unset"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
import json
import re
from typing import Any

from oslo_utils import uuidutils

from nova_mdev_compat.cmd.access import Access
from nova_mdev_compat.cmd import base
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat import description
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.fleet import kinds
from nova_mdev_compat.fleet.providers import CORRUPT
from nova_mdev_compat.fleet.providers import USABLE
from nova_mdev_compat.osc.commands import ByClient
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement import publication
from nova_mdev_compat.placement import withdrawal

LISTED = ('Document', 'Kind', 'Version', 'Details', 'Providers', 'State',
          'Fault')
SHOWN = ('document', 'device', 'compatible', 'providers', 'content')
_DIGEST = re.compile('[A-Z2-7]{26}')

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]
One = tuple[Sequence[str], Sequence[Any]]


class ListDocuments(ByClient, base.Lister):
    """List the documents that resource providers carry."""

    human_columns = LISTED[:-1]
    dispensable = ('Providers', 'Details')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        self.add_access(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        asked = self.access(parsed_args)
        in_use = asked.cache.in_use()
        rows = [(kind.digest, kind.name, kind.version,
                 base.Lines(list(kind.details)),
                 len(asked.cache.members(kind.digest)), USABLE, '')
                for kind in kinds.kinds(in_use.documents)]
        rows += [(digest, '', '', base.Lines([]),
                  len(asked.cache.members(digest)), CORRUPT, why)
                 for digest, why in sorted(in_use.unusable.items())]
        return LISTED, rows


class ShowDocument(ByClient, base.ShowOne):
    """Show a document, of its digest or of a resource provider."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            'name', metavar='<document-or-provider>',
            help='digest of a document, or UUID of a resource provider')
        self.add_access(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> One:
        asked = self.access(parsed_args)
        digest, document = _find(asked, parsed_args.name)
        device, *accepts = description.describe(document)
        in_use = digest in asked.cache.in_use().digests
        return SHOWN, (
            digest, device.removeprefix('is '), base.Lines(accepts),
            base.Names(sorted(asked.cache.members(digest))
                       if in_use else []),
            base.Raw(json.loads(document.canonical)))


class SetDocument(ByClient, base.ShowOne):
    """Publish a document for a resource provider.

    Its marker takes the place of an earlier one; the provider's other
    traits stay. Needs the admin or the service role in placement.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        _add_provider(parser)
        parser.add_argument('file', metavar='<file>',
                            help='a document; "-" is standard input')
        self.add_access(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> One:
        provider = _provider(parsed_args)
        names = traits.encode(base.read_document(parsed_args.file))
        asked = self.access(parsed_args)
        try:
            done = publication.publish(asked.client, provider, names,
                                       asked.deadline())
        except NotFound as error:
            raise _no_provider(provider) from error
        return ('provider', 'document', 'replaced', 'changed'), (
            provider, done.digest, base.Lines(list(done.replaced)),
            done.changed)


class UnsetDocument(ByClient, base.Command):
    """Take a resource provider's document off: it is unpublished again.

    The document's body stays in placement; other providers may carry it.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        _add_provider(parser)
        self.add_access(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        provider = _provider(parsed_args)
        asked = self.access(parsed_args)
        try:
            withdrawal.withdraw(asked.client, provider, asked.deadline())
        except NotFound as error:
            raise _no_provider(provider) from error
        return base.YES


def _find(asked: Access, name: str) -> tuple[str, Document]:
    """A document by digest or provider.

    :raises base.BadInput: there is none, or it cannot be used.
    """
    if _DIGEST.fullmatch(name):
        names = asked.client.traits(f'{traits.BODY_PREFIX}{name}_',
                                    asked.deadline())
        try:
            return name, traits.decode(names, name)
        except traits.Undecodable as error:
            raise base.BadInput(str(error)) from error
    if not uuidutils.is_uuid_like(name):
        raise base.BadInput(f'{name}: it is neither a digest nor a UUID')
    try:
        found = asked.cache.document(name)
    except NotFound as error:
        raise _no_provider(name) from error
    if found is None:
        raise base.BadInput(f'provider {name} has no usable document')
    return found


def _add_provider(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('provider', metavar='<provider>',
                        help='UUID of a resource provider')


def _provider(parsed_args: argparse.Namespace) -> str:
    provider: str = parsed_args.provider
    if not uuidutils.is_uuid_like(provider):
        raise base.BadInput(f'{provider}: it is not a UUID')
    return provider


def _no_provider(provider: str) -> base.BadInput:
    return base.BadInput(
        f'{provider}: placement has no such resource provider')
