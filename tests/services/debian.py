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
    missing = [name for name in names if not version(name)]
    if not missing:
        return
    if os.geteuid():
        raise Missing('these Debian packages are missing; as root: apt-get '
                      'install --no-install-recommends ' + ' '.join(missing))
    print('installing ' + ' '.join(missing), flush=True)
    update()
    _apt_get('-y', 'install', '--no-install-recommends', *missing)


def update() -> None:
    """Learns what is on offer, where we may."""
    if not os.geteuid():
        _apt_get('update')


def version(name: str) -> str:
    """The version of a package that is installed, or nothing."""
    status, _, found = output(
        'dpkg-query', '-W', '-f', '${db:Status-Status} ${Version}',
        name).partition(' ')
    return found if status == 'installed' else ''


def output(*words: str) -> str:
    """What one of Debian's commands prints."""
    try:
        return subprocess.run(words, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        raise Missing(f'{words[0]} is not there: this is no '
                      'Debian') from error


def _apt_get(*words: str) -> None:
    done = subprocess.run(
        ['apt-get', '-qq', *words], capture_output=True, text=True,
        env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'})
    if done.returncode:
        raise Missing(f'apt-get {" ".join(words)} failed: {done.stderr}')
