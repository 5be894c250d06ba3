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

"""Options of nova.conf that are Nova's, for whoever reads it without Nova.

Names, types and defaults as in Nova's `nova/conf/scheduler.py`.
"""

from __future__ import annotations

from oslo_config import cfg

FILTER_SCHEDULER = 'filter_scheduler'
SCHEDULER = 'scheduler'

#: Nova's defaults, in order, since 2023.1.
ENABLED_FILTERS = [
    'ComputeFilter', 'ComputeCapabilitiesFilter', 'ImagePropertiesFilter',
    'ServerGroupAntiAffinityFilter', 'ServerGroupAffinityFilter']


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Registers them with a configuration that is not Nova's own."""
    conf.register_opts([
        cfg.IntOpt('max_placement_results', default=1000, min=1),
    ], group=SCHEDULER)
    conf.register_opts([
        cfg.MultiStrOpt('available_filters',
                        default=['nova.scheduler.filters.all_filters']),
        cfg.ListOpt('enabled_filters', default=ENABLED_FILTERS),
    ], group=FILTER_SCHEDULER)
