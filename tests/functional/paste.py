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

"""Where Nova's api-paste.ini is."""

from importlib import metadata
import os
import sys


def nova_api_paste() -> str:
    """Find the file that Nova's API test fixture has to be told of.

    The fixture looks for ``etc/nova`` beside the package, which is right in
    a checkout of Nova; a wheel puts it under the environment's prefix.
    """
    for path in _candidates():
        if os.path.isfile(path):
            return path
    raise RuntimeError("no etc/nova/api-paste.ini in Nova's distribution or "
                       'under %s' % sys.prefix)


def _candidates() -> list[str]:
    distribution = metadata.distribution('nova')
    recorded = [str(distribution.locate_file(file))
                for file in distribution.files or ()
                if file.name == 'api-paste.ini']
    relative = os.path.join('etc', 'nova', 'api-paste.ini')
    return recorded + [
        os.path.join(sys.prefix, relative),
        str(distribution.locate_file(relative)),
    ]
