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


"""Which root provider is this host's.

By its UUID, in the `compute_id` file, where `nova/virt/node.py` of Nova
looks for it, or else by its name, the hypervisor hostname.
"""

from __future__ import annotations

from collections.abc import Iterable
import os
import socket
import uuid

_FILE = 'compute_id'


class InvalidComputeId(ValueError):
    """A compute_id file is not readable, or two of them disagree."""


def find_uuid(directories: Iterable[str]) -> str | None:
    """What the compute_id files in these directories say; None without one.

    :raises InvalidComputeId: they do not all say the same UUID.
    """
    found: dict[str, str] = {}
    for directory in directories:
        path = os.path.join(directory, _FILE)
        value = _read(path)
        if value is not None:
            found.setdefault(value, path)
    if len(found) > 1:
        raise InvalidComputeId(' and '.join(
            f'{path} says {value}' for value, path in found.items()))
    return next(iter(found), None)


def _read(path: str) -> str | None:
    try:
        with open(path, encoding='ascii') as file:
            return str(uuid.UUID(file.read(40).strip()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise InvalidComputeId(f'{path} holds no UUID') from error
    except OSError as error:
        raise InvalidComputeId(
            f'{path}: {error.strerror}: it must be readable here') from error


def hypervisor_hostname() -> str:
    """The hostname as libvirt gives it to Nova.

    As virGetHostname() of libvirt does: the canonical name of an unqualified
    hostname, if there is one that does not begin with `localhost`.
    """
    name = socket.gethostname()
    if name.startswith('localhost') or '.' in name:
        return name
    try:
        answers = socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)
    except OSError:
        return name
    canonical = answers[0][3]
    if not canonical or canonical.startswith('localhost'):
        return name
    return canonical
