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

"""What the commands have in common: input, messages, exit status."""

from __future__ import annotations

import argparse
import sys

from cliff import command

from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import strict_json
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.placement.errors import PlacementError

YES, NO, BAD_INPUT, UNREACHABLE = 0, 1, 2, 3
STANDARD_INPUT = '-'
MAX_DOCUMENT = strict_json.MAX_TEXT


class BadInput(Exception):
    """What was given cannot be used; the message says what would be right."""


class Command(command.Command):
    """A command that tells its failures in one clear message each.

    Exit status: 0 yes or done, 1 no, 2 bad input or usage, 3 the service
    could not be reached.
    """

    def run(self, parsed_args: argparse.Namespace) -> int:
        try:
            return int(self.take_action(parsed_args) or YES)
        except BadInput as error:
            print(error, file=sys.stderr)
            return BAD_INPUT
        except PlacementError as error:
            print(f'Placement: {error}', file=sys.stderr)
            return UNREACHABLE
        except BrokenPipeError:
            raise
        except OSError as error:
            print(f'{error.filename or "standard output"}: '
                  f'{error.strerror}', file=sys.stderr)
            return BAD_INPUT
        except Exception as error:
            # Left to cliff it would end with 1, which says "no".
            if self.app is not None and self.app.options.debug:
                raise
            print(f'{type(error).__name__}: {error} (--debug shows where)',
                  file=sys.stderr)
            return BAD_INPUT


class DocumentCommand(Command):
    """A command about one document, whose file is its argument."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('file', metavar='FILE',
                            help='a document; "-" is standard input')
        return parser


def read_bytes(name: str, most: int = MAX_DOCUMENT) -> bytes:
    """A file's content; `-` is standard input.

    :param most: bytes after which no more is read than one, which tells
        that it is too long: a device or a pipe may never end.
    :raises BadInput: it cannot be read.
    """
    try:
        if name == STANDARD_INPUT:
            if sys.stdin is None:
                raise BadInput('standard input is closed')
            return sys.stdin.buffer.read(most + 1)
        with open(name, 'rb') as file:
            return file.read(most + 1)
    except OSError as error:
        raise BadInput(f'{name}: it cannot be read: {error.strerror}') \
            from error


def read_document(name: str) -> Document:
    """The document of a file.

    :raises BadInput: it cannot be read, or has faults.
    """
    try:
        return loading.load(read_bytes(name))
    except InvalidDocument as error:
        raise BadInput('\n'.join(
            f'{name}: {fault}' for fault in error.faults)) from error
