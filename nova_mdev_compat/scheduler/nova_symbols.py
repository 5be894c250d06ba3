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

"""Nova's internals that this package touches: all of them, in one place.

A test imports each on every supported release, and names the one that is
gone. `module:attribute.attribute`, as entry points are written.
"""

from __future__ import annotations

NOVA_SYMBOLS = (
    'nova.context:get_admin_context',
    'nova.context:target_cell',
    'nova.exception:InstanceMappingNotFound',
    'nova.objects.compute_node:ComputeNodeList.get_all_by_host',
    'nova.objects.instance_mapping:InstanceMapping.get_by_instance_uuid',
    'nova.objects.migration:MigrationList.get_by_filters',
    'nova.scheduler.filters:BaseHostFilter',
    # What the filter overrides.
    'nova.scheduler.filters:BaseHostFilter.RUN_ON_REBUILD',
    'nova.scheduler.filters:BaseHostFilter.filter_all',
)

#: Keyword arguments of these that are passed.
NOVA_ARGUMENTS = {
    'nova.objects.migration:MigrationList.get_by_filters':
        ('limit', 'sort_dirs', 'sort_keys'),
}

#: Fields that are read of Nova's objects, or that migrations are asked by.
NOVA_FIELDS = {
    'nova.objects.compute_node:ComputeNode': ('uuid',),
    'nova.objects.instance_mapping:InstanceMapping': ('cell_mapping',),
    'nova.objects.migration:Migration':
        ('instance_uuid', 'migration_type', 'source_compute', 'status',
         'uuid'),
    'nova.objects.request_spec:RequestSpec': ('instance_uuid',),
}

#: Attributes of the hosts that the scheduler hands to a filter.
HOST_STATE = 'nova.scheduler.host_manager:HostState'
HOST_STATE_ATTRIBUTES = ('allocation_candidates', 'host')
