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


"""What nova-compute's own configuration says of this host's devices.

Read with oslo.config and without Nova.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import dataclasses
import os
import socket

from oslo_config import cfg
from oslo_config import types
from oslo_utils import netutils

from nova_mdev_compat.publisher import compute_node
from nova_mdev_compat.publisher import device_spec
from nova_mdev_compat.publisher import mdev_configuration
from nova_mdev_compat.publisher.mdev_configuration import MdevConfiguration
from nova_mdev_compat.publisher.mdev_configuration import MdevGroup
from nova_mdev_compat.publisher.probes.tree import Tree

# As in nova/conf/netconf.py, paths.py, devices.py and pci.py, but for the
# defaults of pybasedir and state_path, which lie beside Nova's own files.
_DEFAULT_OPTS = (
    cfg.StrOpt('host'),
    cfg.StrOpt('my_ip'),
    cfg.StrOpt('pybasedir', default=''),
    cfg.StrOpt('state_path', default=''),
)
_DEVICES_OPTS = (
    cfg.ListOpt('enabled_mdev_types', default=[],
                deprecated_name='enabled_vgpu_types'),
)
_PCI_OPTS = (
    cfg.MultiStrOpt('device_spec', default=[], deprecated_opts=[
        cfg.DeprecatedOpt('passthrough_whitelist', group='pci'),
        cfg.DeprecatedOpt('pci_passthrough_whitelist', group='DEFAULT')]),
    cfg.BoolOpt('report_in_placement', default=False),
)


class InvalidNovaConfiguration(ValueError):
    """nova-compute would not start with this, so it runs with another.

    :param problems: what is wrong, each with where it is.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__('; '.join(problems))
        self.problems = tuple(problems)


@dataclasses.dataclass(frozen=True, slots=True)
class HostConfiguration:
    """How Nova uses this host's devices.

    :param host: nova-compute's `[DEFAULT] host`.
    :param root_uuid: UUID of the root provider, which is surer than a name;
        None without a compute_id file.
    :param root_names: names to look for it by, the likeliest first; `host`
        alone where its UUID is known.
    :param mdev: which mdev types Nova makes.
    :param device_specs: physical devices that are in placement; empty where
        `report_in_placement` is off.
    :param problems: what the operator should look at; Nova runs with it.
    """

    host: str
    root_uuid: str | None
    root_names: tuple[str, ...]
    mdev: MdevConfiguration = MdevConfiguration()
    device_specs: tuple[device_spec.DeviceSpec, ...] = ()
    problems: tuple[str, ...] = ()


def read(config_files: Sequence[str] | None = None,
         config_dirs: Sequence[str] | None = None, root: str = '/sys',
         hostname: Callable[[], str] = compute_node.hypervisor_hostname
         ) -> HostConfiguration:
    """Read the configuration that nova-compute reads.

    :param config_files: the files that nova-compute is given; None is those
        that oslo.config finds for it, such as /etc/nova/nova.conf.
    :param config_dirs: directories of more of them, beside `config_files`.
    :param root: the directory that stands for /sys.
    :param hostname: gives the hypervisor hostname.
    :raises InvalidNovaConfiguration: nova-compute would not start with it, a
        file cannot be read, or it asks for what is not supported here.
    """
    with _told():
        conf = _load(config_files, config_dirs)
        groups = list(_groups(conf))
        specs = (device_spec.read(conf.pci.device_spec)
                 if conf.pci.report_in_placement else ())
        root_uuid = compute_node.find_uuid(_identity_directories(conf))
        host = conf.host or socket.gethostname()
    tree = Tree(root)
    mdev, errors, problems = mdev_configuration.resolve(
        groups, lambda path: tree.exists(f'devices/virtual/{path}'))
    if errors:
        raise InvalidNovaConfiguration(errors)
    # A name may take as long as the name service to find.
    names = [host] if root_uuid else [hostname(), host]
    return HostConfiguration(
        host=host, root_uuid=root_uuid,
        root_names=tuple(dict.fromkeys(names)), mdev=mdev, device_specs=specs,
        problems=(*problems, *_identity_problems(conf, root_uuid)))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except device_spec.InvalidDeviceSpec as error:
        raise InvalidNovaConfiguration(
            [f'[pci] device_spec: {error}']) from error
    except cfg.NoSuchOptError as error:
        # Every option that is read is registered: a reference in its value
        # is what could not be found.
        raise InvalidNovaConfiguration(
            [f'{error.opt_name}: {error.__context__}']) from error
    except (cfg.Error, OSError, ValueError) as error:
        raise InvalidNovaConfiguration([str(error)]) from error


def _load(config_files: Sequence[str] | None,
          config_dirs: Sequence[str] | None) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    conf.register_opts(_DEFAULT_OPTS)
    conf.register_opts(_DEVICES_OPTS, group='devices')
    conf.register_opts(_PCI_OPTS, group='pci')
    conf.set_default('my_ip', netutils.get_my_ipv4())
    files = None if config_files is None else list(config_files)
    directories = None if files is None else list(config_dirs or ())
    conf([], project='nova', prog='nova-compute', default_config_files=files,
         default_config_dirs=directories)
    return conf


def _groups(conf: cfg.ConfigOpts) -> Iterable[MdevGroup]:
    """The groups of the enabled types, as nova/conf/devices.py has them."""
    for name in conf.devices.enabled_mdev_types:
        group = f'mdev_{name}'
        conf.register_opts((
            cfg.ListOpt('device_addresses', default=[],
                        item_type=types.String(),
                        deprecated_group=f'vgpu_{name}'),
            cfg.StrOpt('mdev_class', default=mdev_configuration.DEFAULT_CLASS,
                       regex='^(VGPU|CUSTOM_[A-Z0-9_]+)$', max_length=255),
            cfg.IntOpt('max_instances', min=1),
        ), group=group)
        yield MdevGroup(name, tuple(conf[group].device_addresses),
                        conf[group].mdev_class, conf[group].max_instances)


def _identity_directories(conf: cfg.ConfigOpts) -> list[str]:
    directories = [os.path.dirname(file) or os.curdir
                   for file in conf.config_file]
    if conf.state_path:
        directories.append(conf.state_path)
    return directories


def _identity_problems(conf: cfg.ConfigOpts,
                       root_uuid: str | None) -> Iterator[str]:
    if root_uuid is None:
        where = ' or '.join(dict.fromkeys(_identity_directories(conf)))
        hint = '' if conf.state_path else ', and state_path is not set'
        yield (f'there is no compute_id file in {where or "any directory"}'
               f'{hint}: the root provider is looked for by its name')
