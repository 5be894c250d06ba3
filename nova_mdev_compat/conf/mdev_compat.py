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

"""The options of the [mdev_compat] group."""

from __future__ import annotations

from oslo_config import cfg
from oslo_config import types

GROUP = cfg.OptGroup(
    'mdev_compat',
    title='Device compatibility at scheduling time',
    help='Options of MdevCompatFilter, which keeps servers with a mediated '
         'or migratable device off hosts whose device cannot accept theirs.')

OPERATIONS = ('live-migration', 'migration', 'resize', 'evacuation')
_POLICIES = [
    ('accept', 'it passes'),
    ('reject', 'it does not pass'),
]

OPTIONS = [
    cfg.BoolOpt(
        'enforce', default=True, mutable=True,
        help="""
Whether hosts and allocation candidates are removed.

When false, the filter removes nothing and logs what it would have removed:
the way to try it in a running cloud.
"""),
    cfg.ListOpt(
        'resource_classes', default=['VGPU'], mutable=True,
        item_type=types.String(regex=r'^[A-Z0-9_*?]+$', max_length=255),
        help="""
The resource classes that are devices.

A request whose allocation candidates hold none of them is not looked at.

Possible values:

* names of resource classes, such as ``VGPU``, and patterns in which ``*``
  stands for any characters and ``?`` for one, such as ``CUSTOM_PCI_*``.

Related options:

* ``mdev_class`` in nova-compute's ``[mdev_<type>]`` groups gives pGPUs
  another resource class than ``VGPU``.
"""),
    cfg.ListOpt(
        'operations', default=['live-migration'], mutable=True,
        item_type=types.String(choices=OPERATIONS),
        help="""
The moves that are judged.

A live migration takes the device's state along. The other moves make the
device anew, and are asked at level ``cold``, so entries of both levels count.

Possible values:

* any of ``live-migration``, ``migration`` (a cold migration), ``resize`` and
  ``evacuation``.
"""),
    cfg.StrOpt(
        'unpublished_source', default='accept', mutable=True,
        choices=_POLICIES,
        help="""
What happens to a move whose source device has no usable document.

Related options:

* ``unpublished_destination``
"""),
    cfg.StrOpt(
        'unpublished_destination', default='reject', mutable=True,
        choices=_POLICIES,
        help="""
What happens to a candidate whose device has no usable document.

A document that is corrupt or invalid is not usable.

Related options:

* ``unpublished_source``
"""),
    cfg.StrOpt(
        'on_error', default='reject', mutable=True, choices=_POLICIES,
        help="""
What happens to all hosts of a move that cannot be judged.

That is so when placement or the database cannot be read and nothing that was
read before is young enough to serve.

Related options:

* ``cache_max_age``
"""),
    cfg.FloatOpt(
        'cache_ttl', default=60, min=0, max=86400, mutable=True,
        help="""
Seconds for which what placement said of providers is used without asking.

A new or changed document is seen within this time. With 0 every move asks.
"""),
    cfg.FloatOpt(
        'cache_max_age', default=3600, min=0, max=604800, mutable=True,
        help="""
Seconds for which what placement said serves while placement cannot be read.

Related options:

* ``cache_ttl``, which it should exceed.
* ``on_error``, which says what happens after that.
"""),
    cfg.FloatOpt(
        'refresh_timeout', default=10, min=0.1, max=300, mutable=True,
        help="""
Seconds, on the clock, after which a request stops waiting for placement.
"""),
    cfg.BoolOpt(
        'honour_create', default=False, mutable=True,
        help="""
Whether the virt driver makes devices as an entry's ``create`` says.

Nova's libvirt driver makes plain devices only, so by default an entry that
asks for anything else does not count.
"""),
    cfg.BoolOpt(
        'live_migration_same_type', default=True, mutable=True,
        help="""
Whether a live migration needs equal mdev types at both ends.

Nova's libvirt driver pairs the devices of a live migration by the names of
their mdev types and refuses other ones, whatever the documents say.
"""),
    cfg.StrOpt(
        'documents_dir',
        help="""
Directory of documents, one JSON file each, at the scheduler.

A document that is there need not be in placement: a provider's marker trait
is enough. The files' names end in ``.json``.

Related options:

* ``approved_only``
"""),
    cfg.BoolOpt(
        'approved_only', default=False,
        help="""
Whether only documents of ``documents_dir`` are used.

A provider whose marker names any other document counts as unpublished. So
whoever may write traits can choose among the documents that the operator has
approved, and cannot bring in others.

Related options:

* ``documents_dir``
"""),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Registers the group; doing it twice does no harm."""
    conf.register_group(GROUP)
    conf.register_opts(OPTIONS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTIONS)]
