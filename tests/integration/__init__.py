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

"""The real daemons: RabbitMQ, MariaDB, placement and nova-scheduler.

The tests speak to `nova-scheduler` as nova-conductor does.  They share the
daemons, so they run one after the other, in one process.
"""

# Before all else, as Nova's own commands have it: it decides between eventlet
# and native threads.
from nova import monkey_patch
monkey_patch.patch(backend='threading')
