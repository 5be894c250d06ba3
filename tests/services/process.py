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

"""Processes that do not outlive the test's own."""

import ctypes
import signal
import subprocess
from typing import Any

_PR_SET_PDEATHSIG = 1
_STOP = 30.0


def start(arguments: list[str], **kwargs: Any) -> 'subprocess.Popen[bytes]':
    """Ends with whoever started it, even when that is killed. To be called
    from a thread that lives as long.
    """
    libc = ctypes.CDLL(None)

    def with_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return subprocess.Popen(arguments, stdin=subprocess.DEVNULL,
                            preexec_fn=with_parent, **kwargs)


def stop(process: 'subprocess.Popen[bytes]') -> None:
    process.terminate()
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
