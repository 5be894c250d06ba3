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

"""Debian packages that a test needs."""

import os
import subprocess


class Missing(Exception):
    """Packages that are not here and cannot be installed from here."""


def install(*names: str) -> None:
    """See to it that all of them are there.

    Where Debian starts a service as it is installed, that one is left
    alone: ours are others, on ports and in folders of their own.

    :raises Missing: they are not, and cannot be installed from here.
    """
    missing = [name for name in names if not _is_installed(name)]
    if not missing:
        return
    if os.geteuid():
        raise Missing('these Debian packages are missing; as root: apt-get '
                      'install --no-install-recommends ' + ' '.join(missing))
    print('installing ' + ' '.join(missing), flush=True)
    _apt_get('update')
    _apt_get('-y', 'install', '--no-install-recommends', *missing)


def _is_installed(name: str) -> bool:
    try:
        found = subprocess.run(
            ['dpkg-query', '-W', '-f', '${db:Status-Status}', name],
            capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Missing(f'{name}: this is no Debian') from error
    return found.stdout == 'installed'


def _apt_get(*words: str) -> None:
    done = subprocess.run(
        ['apt-get', '-qq', *words], capture_output=True, text=True,
        env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'})
    if done.returncode:
        raise Missing(f'apt-get {" ".join(words)} failed: {done.stderr}')
