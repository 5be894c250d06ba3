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

"""The nova-mdev-compat command."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
import io
import os
import sys

from cliff import app
from cliff import commandmanager

from nova_mdev_compat.cmd import base


class App(app.App):
    """Runs the commands of the nova_mdev_compat.cli namespace."""

    def __init__(self) -> None:
        super().__init__(
            description='Documents of device compatibility: write, check and '
                        'publish them, and say why a server cannot move.',
            version=metadata.version('nova-mdev-compat'),
            command_manager=commandmanager.CommandManager(
                'nova_mdev_compat.cli'),
            deferred_help=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        # An answer that the terminal cannot show is still an answer.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    application = App()
    if not arguments:
        # Without a command cliff would open a shell of its own.
        application.parser.print_help(sys.stderr)
        return base.BAD_INPUT
    status = base.BAD_INPUT
    try:
        status = int(application.run(arguments))
        # Here, and not at Python's end, where nobody could catch it.
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError) \
                and status != base.BAD_INPUT:
            print(f'standard output: {error.strerror}', file=sys.stderr)
            status = base.BAD_INPUT
        # Python would try to write the rest at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


if __name__ == '__main__':
    sys.exit(main())
