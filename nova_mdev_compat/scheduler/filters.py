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

"""The host filter that nova-scheduler loads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nova.scheduler import filters
from oslo_config import cfg
from oslo_log import log as logging

from nova_mdev_compat.conf import settings as conf_settings
from nova_mdev_compat.placement import deadline
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.scheduler import candidates
from nova_mdev_compat.scheduler import explanation
from nova_mdev_compat.scheduler import judgement
from nova_mdev_compat.scheduler.judgement import ACCEPT
from nova_mdev_compat.scheduler import source
from nova_mdev_compat.scheduler import worker

LOG = logging.getLogger(__name__)

# How often a request is judged again because something newer was found: each
# time something newer still may have come.
_PASSES = 3


class MdevCompatFilter(filters.BaseHostFilter):
    """Removes allocation candidates whose device does not accept the
    server's, and hosts that have no other one.

    The decision needs all hosts at once, so `filter_all` is what is
    overridden. It raises nothing, and never returns None, which would end
    all filtering.
    """

    # A rebuild stays where its devices are.
    RUN_ON_REBUILD = False

    def __init__(self) -> None:
        super().__init__()
        self._worker = worker.Worker()

    def filter_all(self, filter_obj_list: Iterable[Any],
                   spec_obj: Any) -> list[Any]:
        hosts = filter_obj_list if isinstance(filter_obj_list, list) \
            else list(filter_obj_list)
        try:
            return self._filter(hosts, spec_obj)
        except Exception as error:
            # Whatever it is, it must not end everybody's scheduling: it is
            # logged, once, and `on_error` says what happens to the hosts.
            return self._undecided(hosts, spec_obj, error)

    def _filter(self, hosts: list[Any], spec: Any) -> list[Any]:
        classes = candidates.device_classes(
            hosts, cfg.CONF.mdev_compat.resource_classes)
        if not classes:
            return hosts
        settings = conf_settings.read(cfg.CONF)
        if not settings.operations:
            return hosts
        cache = self._worker.trait_cache(cfg.CONF)
        began = cache.clock()
        with deadline.within(settings.refresh_timeout):
            found = source.find(spec, classes, settings.operations, cache)
            if found is None or not found.devices:
                return hosts
            judged = judgement.Judgement(
                found, judgement.question(found.operation, settings),
                settings, cache, began)
            narrowing = _judge(hosts, judged)
        if narrowing is None:
            LOG.debug('Server %s, %s: its device is unpublished or given up, '
                      'so all hosts stay.', _server(spec), found.operation)
            return hosts
        self._explain(spec, judged, narrowing, len(hosts))
        return narrowing.stay

    def _explain(self, spec: Any, judged: judgement.Judgement,
                 narrowing: candidates.Narrowing, hosts: int) -> None:
        try:
            with deadline.within(judged.settings.refresh_timeout):
                explanation.log(_server(spec), judged, narrowing, hosts)
        except Exception:
            # What was decided stands, though it could not be explained.
            LOG.exception('The filtering for server %s cannot be explained.',
                          _server(spec))

    def _undecided(self, hosts: list[Any], spec: Any,
                   error: Exception) -> list[Any]:
        """All hosts or none, as `on_error` says."""
        policy, enforce = _policy()
        stays = policy == ACCEPT or not enforce
        LOG.error(
            'Server %s: its move cannot be judged: %s. All %d hosts %s '
            '(on_error=%s, enforce=%s).', _server(spec), error, len(hosts),
            'stay' if stays else 'are removed', policy, enforce,
            # What placement failed to answer needs no stack to be understood.
            exc_info=not isinstance(error, PlacementError))
        return hosts if stays else []


def _judge(hosts: list[Any], judged: judgement.Judgement
           ) -> candidates.Narrowing | None:
    """What stays, and what went from which host; None: all pass."""
    first, enforce = _first_candidate(hosts), judged.settings.enforce
    keep = judged.keep(first)
    if keep is None:
        return None
    narrowing = candidates.Narrowing()
    try:
        narrowing.take(hosts, keep, enforce)
        for _ in range(_PASSES):
            if not judged.found_newer(hosts, narrowing):
                break
            keep = judged.keep(first)
            assert keep is not None
            narrowing.restore()
            narrowing = candidates.Narrowing()
            narrowing.take(hosts, keep, enforce)
    except Exception:
        # `filter_all` logs it, and `on_error` may let all hosts stay: with
        # all that they came with.
        narrowing.restore()
        raise
    return narrowing


def _first_candidate(hosts: list[Any]) -> candidates.Candidate:
    return next(candidate for host in hosts
                for candidate in host.allocation_candidates)


def _server(spec: Any) -> str:
    # Nova's objects raise NotImplementedError for a field that is not set.
    try:
        return str(spec.instance_uuid)
    except (AttributeError, NotImplementedError):
        return '(unknown)'


def _policy() -> tuple[str, bool]:
    """`on_error` and `enforce`; raises nothing, whatever the options are."""
    try:
        settings = conf_settings.read(cfg.CONF)
        return settings.on_error, settings.enforce
    except Exception:
        # It is what is being reported; the safe policy holds meanwhile.
        return 'reject', True
