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

"""A placement that never ends its answers is not asked without end."""

import threading
from typing import Any
from unittest import mock

import fixtures
import testtools

from nova_mdev_compat.placement.errors import Unreachable
from nova_mdev_compat.placement.kept import Lifetime
from nova_mdev_compat.placement import trait_cache


class HangingClient:
    """Answers when it is told to; nothing real can be made to hang so."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self.calls = 0

    def allocations(self, consumer: str, deadline: Any) -> Any:
        self.calls += 1
        self.told.wait(30)
        return {}


class TestBound(testtools.TestCase):

    def test_no_more_than_so_many_at_a_time(self) -> None:
        client: Any = HangingClient()
        store: Any = mock.Mock()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.placement.trait_cache.MAX_ASKING', 2))
        cache = trait_cache.TraitCache(
            client, store, lambda: Lifetime(60, 60, 0.05))
        for words in ('no answer', 'no answer', '2 requests for allocations'):
            error = self.assertRaises(Unreachable, cache.allocations, 'one')
            self.assertIn(words, str(error))
        self.assertEqual(2, client.calls)
        client.told.set()
        for thread in threading.enumerate():
            if thread.name.startswith('mdev-compat'):
                thread.join(30)
        # What has ended makes room.
        self.assertEqual({}, cache.allocations('one'))
