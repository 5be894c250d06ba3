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
"""Workers as nova-scheduler forks them, without the rest of it.

    python -m tests.functional.forked_workers NOVA.CONF

The parent uses the cache of a worker, which it shares by fork with three
children; each of them asks twice. Every request tells its process in the
header X-Process. The exit status is 1 if a child fails.
"""

import os
import sys

from oslo_config import cfg

from nova_mdev_compat.conf import mdev_compat
from nova_mdev_compat.placement import client
from nova_mdev_compat.scheduler import worker

CHILDREN = 3


def main(nova_conf: str) -> int:
    conf = cfg.ConfigOpts()
    client.register_opts(conf)
    mdev_compat.register_opts(conf)
    conf([], default_config_files=[nova_conf], default_config_dirs=[])
    worker.load_adapter = _named(worker.load_adapter)
    one = worker.Worker()
    # The parent of a real scheduler asks nothing. This one leaves an open
    # connection and a filled cache behind, which nobody may take over.
    _ask(one, conf)
    children = [_fork(one, conf) for _ in range(CHILDREN)]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                for child in children]
    _ask(one, conf)
    return 1 if any(statuses) else 0


def _named(load_adapter):
    def load(conf):
        adapter = load_adapter(conf)
        adapter.additional_headers['X-Process'] = str(os.getpid())
        return adapter
    return load


def _fork(one: worker.Worker, conf: cfg.ConfigOpts) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        _ask(one, conf)
        _ask(one, conf)
        status = 0
    finally:
        os._exit(status)


def _ask(one: worker.Worker, conf: cfg.ConfigOpts) -> None:
    one.trait_cache(conf).in_use()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
