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

"""Running the commands inside the test's own process."""

import dataclasses
import io
import json
import logging
import pathlib
import sys
from typing import Any

import fixtures
import testtools

from nova_mdev_compat.cmd import main


@dataclasses.dataclass(frozen=True)
class Result:
    status: Any
    out: str
    err: str


class Output(fixtures.Fixture):
    """Standard output, kept."""

    def _setUp(self) -> None:
        self._stream = io.StringIO()
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', self._stream))

    def text(self) -> str:
        return self._stream.getvalue()


class CommandTestCase(testtools.TestCase):

    #: Whether what others log goes where it did, beside what cliff sets up.
    KEEPS_LOG = False

    def setUp(self) -> None:
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        root = logging.getLogger()
        # cliff sets up logging each time.
        self.addCleanup(root.setLevel, root.level)
        self.useFixture(fixtures.MonkeyPatch(
            'logging.root.handlers',
            [*root.handlers] if self.KEEPS_LOG else []))

    def file(self, name: str, content: Any) -> str:
        """A file's path; what is no text or bytes is written as JSON."""
        path = self.directory / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str)
                            else json.dumps(content), 'utf-8')
        return str(path)

    def run_command(self, *arguments: str,
                    given: bytes | str = b'') -> Result:
        """Run a command; nothing that it says may be a traceback."""
        if isinstance(given, str):
            given = given.encode()
        streams: dict[str, io.TextIOWrapper] = {
            'stdin': io.TextIOWrapper(io.BytesIO(given), 'utf-8'),
            'stdout': io.TextIOWrapper(io.BytesIO(), 'utf-8'),
            'stderr': io.TextIOWrapper(io.BytesIO(), 'utf-8',
                                       'backslashreplace'),
        }
        status = self._exit_status(streams, arguments)
        out, err = (self._text(streams[name])
                    for name in ('stdout', 'stderr'))
        self.addDetail('stderr', testtools.content.text_content(err))
        self.assertNotIn('Traceback', err + out)
        # As a shell has it.
        return Result(status or 0, out, err)

    def _exit_status(self, streams: dict[str, io.TextIOWrapper],
                     arguments: tuple[str, ...]) -> Any:
        before = {name: getattr(sys, name) for name in streams}
        try:
            for name, stream in streams.items():
                setattr(sys, name, stream)
            return main.main(arguments)
        except SystemExit as error:
            # argparse says so of wrong usage, and of --help.
            return error.code
        finally:
            for name, stream in before.items():
                setattr(sys, name, stream)

    @staticmethod
    def _text(stream: io.TextIOWrapper) -> str:
        stream.flush()
        written = stream.buffer
        assert isinstance(written, io.BytesIO)
        return written.getvalue().decode('utf-8')
