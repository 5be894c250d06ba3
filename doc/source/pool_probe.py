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


"""A site's own probe: which pool a device belongs to."""

from collections.abc import Mapping
import json

from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.facts import ProbeFailed


class PoolProbe:

    def __init__(self, root: str = '/sys',
                 file: str = '/etc/site/pools.json') -> None:
        self._file = file

    def parents(self, known: Mapping[str, Parent]) -> list[Parent]:
        try:
            with open(self._file, encoding='utf-8') as file:
                pools = json.load(file)
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise ProbeFailed(f'{self._file}: {error}') from error
        return [Parent(name, {'site.pool': pool})
                for name, pool in pools.items() if name in known]
