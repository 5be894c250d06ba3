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

"""Waits that are long enough for a busy machine.

Nova's helpers give up after ten looks, half a second apart.  A longer wait
costs a test nothing but where it fails.
"""

from collections.abc import Callable
import functools
from typing import Any

#: Seconds that the filter waits for placement, unless a test is about that:
#: a late answer would look like a refusal.
ANSWER = 120.0
#: Times as long as Nova's helpers wait.
FACTOR = 12


class Patience:
    """A mixin for Nova's functional test cases, before them."""

    def setUp(self) -> None:
        super().setUp()
        self.notifier.wait_for_versioned_notifications = functools.partial(
            self.notifier.wait_for_versioned_notifications,
            timeout=10.0 * FACTOR)

    def _wait_for_assert(self, assert_func: Callable[[], Any],
                         max_retries: int = 10, sleep: float = 0.5) -> Any:
        return super()._wait_for_assert(
            assert_func, max_retries * FACTOR, sleep)

    def _wait_for_server_parameter(
        self, server: Any, expected_params: Any, max_retries: int = 10,
        *args: Any, **kwargs: Any,
    ) -> Any:
        return super()._wait_for_server_parameter(
            server, expected_params, max_retries * FACTOR, *args, **kwargs)

    def _wait_for_migration_status(self, *args: Any) -> Any:
        return self._again(super()._wait_for_migration_status, *args)

    def _wait_for_instance_action_event(self, *args: Any,
                                        **kwargs: Any) -> Any:
        return self._again(
            super()._wait_for_instance_action_event, *args, **kwargs)

    def _again(self, wait: Callable[..., Any], *args: Any,
               **kwargs: Any) -> Any:
        """A wait whose length cannot be told to it."""
        for _ in range(FACTOR - 1):
            try:
                return wait(*args, **kwargs)
            except AssertionError:
                continue
        return wait(*args, **kwargs)
