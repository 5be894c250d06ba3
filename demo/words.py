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


"""The longer texts that the demo prints."""

PROBLEM = '''
A vGPU's state can be loaded only by a device that suits it: the same kind of
board and mdev type, a driver that is new enough, ECC set alike. Nova compares
the names of the mdev types and nothing else, and only after it has chosen a
host. With the filter each physical GPU (pGPU) has a small document in
placement, which says what its vGPUs are and whose state it accepts, and
nova-scheduler goes by that before it chooses.
'''

CLOSEST = '''
"closest: entry 0" is the entry of the document that came closest to
accepting the device.
'''

COSTS = '''
Cold: the first move after nova-scheduler's start. Warm: the same move asked
for again. Requests and queries are the filter's own. Of the cold move's
requests {bodies} fetched a document's body each, which is kept for good
unless it is corrupt; the one of the warm move asks what the server holds now.
'''

REAL = '''
Real: placement (its own application on SQLite, asked over HTTP on the
loopback, by Nova and by the filter through the options of [placement]);
nova-scheduler's manager with its filters and weighers, on API and cell
databases in SQLite; nova-conductor's live migration task, which moves the
allocations to the migration, asks for a host round after round, and ignores
those that refused; the comparison in the pre-check, which is that of Nova's
libvirt driver; the filter, loaded by its name; and the publication of the
documents.
'''

STAND_IN = '''
Stands in: the compute hosts and their GPUs, Neutron, the message bus, and the
copying of the guest, which ends where it would begin. The candidates of a
host come in the order of the pGPUs' addresses, so that every run is alike:
placement leaves the order open. Which hosts come first without the filter
follows from their free memory; in another fleet it takes fewer rounds, or
more.
'''

MADE_UP = '''
Boards, mdev types and releases are modelled on NVIDIA's. The rules in the
documents (which release loads which) are made up for this demo.
'''
