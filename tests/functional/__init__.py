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

"""Tests inside a running Nova: scheduler, conductor, API, fake libvirt.

They run on Nova's own functional tests with a real placement, in one
process; so Nova's test requirements must be installed, and stestr or
``python -m testtools.run`` must run them.  The variable
``OS_NOVA_DISABLE_EVENTLET_PATCHING=true`` selects native threads.
"""

# Before all else: it decides between eventlet and native threads, and nothing
# may have imported eventlet by then.
import nova.tests.functional  # noqa: F401
