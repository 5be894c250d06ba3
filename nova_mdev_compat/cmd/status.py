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

"""nova-mdev-compat-status: is a cloud ready for the filter?

`nova-mdev-compat-status upgrade check` reads nova.conf, and placement with
the credentials there. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
import functools
from importlib import metadata
import sys

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from nova_mdev_compat.cmd import access
from nova_mdev_compat.cmd.access import Access
from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.codec import traits
from nova_mdev_compat.conf import nova_options
from nova_mdev_compat.fleet import checks
from nova_mdev_compat.fleet.checks import Finding
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.placement import client as placement_client
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.placement.errors import UnexpectedAnswer

_CODES = {checks.SUCCESS: upgradecheck.Code.SUCCESS,
          checks.WARNING: upgradecheck.Code.WARNING,
          checks.FAILURE: upgradecheck.Code.FAILURE}
_FILTERS = 'nova_mdev_compat.filters'
_FORBIDDEN = (401, 403)
_NOT_ACCEPTABLE = 406
# Not a custom one: placement refuses to make it with 400, once it has found
# that the role would allow it.
_STANDARD_TRAIT = 'HW_CPU_X86_AVX'


def _told(check: Callable[[Checks], Finding]
          ) -> Callable[[Checks], upgradecheck.Result]:
    """A check whose failure to read anything is a finding too."""
    @functools.wraps(check)
    def run(self: Checks) -> upgradecheck.Result:
        try:
            finding = check(self)
        except (base.BadInput, cfg.Error, ValueError) as error:
            finding = Finding(checks.FAILURE, str(error))
        except PlacementError as error:
            finding = Finding(checks.FAILURE, f'Placement: {error}')
        return upgradecheck.Result(_CODES[finding.level], finding.details)
    return run


class Checks(upgradecheck.UpgradeCommands):
    """What must hold for the filter to work, and what should.

    :param conf: nova.conf, read when the first check runs.
    """

    display_title = 'nova-mdev-compat upgrade check results'

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    @functools.cached_property
    def _access(self) -> Access:
        return access.of_conf(self._conf, list(self._conf.config_file or ()))

    @functools.cached_property
    def _fleet(self) -> Fleet:
        return self._access.fleet()

    @functools.cached_property
    def _carried(self) -> list[str]:
        """Our traits of any format that providers carry."""
        return self._access.client.traits(
            checks.ANY_FORMAT, self._access.deadline(), associated=True)

    @property
    def _filters(self) -> list[str]:
        names: list[str] = \
            self._conf[nova_options.FILTER_SCHEDULER].enabled_filters
        return names

    @_told
    def _enabled(self) -> Finding:
        return checks.enabled(
            self._conf[nova_options.FILTER_SCHEDULER].available_filters,
            self._filters)

    @_told
    def _order(self) -> Finding:
        return checks.order(self._filters)

    @_told
    def _importable(self) -> Finding:
        for point in metadata.entry_points(group=_FILTERS,
                                           name=checks.FILTER):
            try:
                point.load()
            except Exception as error:
                # Whatever it is, it would stop nova-scheduler at its start.
                return Finding(
                    checks.FAILURE, f'{checks.FILTER} cannot be imported '
                    f'with the Python of this command ({sys.executable}), '
                    'which should be that of nova-scheduler: '
                    f'{type(error).__name__}: {error}')
            return Finding(checks.SUCCESS, f'{checks.FILTER} is importable.')
        return Finding(checks.FAILURE, f'No package offers {checks.FILTER} '
                       f'under the entry point {_FILTERS}.')

    @_told
    def _options(self) -> Finding:
        settings = self._access.settings
        details = ('The options can be read; devices are of resource class '
                   f'{", ".join(settings.resource_classes)}.')
        if not settings.enforce:
            return Finding(checks.WARNING, f'{details} [mdev_compat] enforce '
                           'is false, so nothing is removed.')
        return Finding(checks.SUCCESS, details)

    @_told
    def _microversion(self) -> Finding:
        version = placement_client.MICROVERSION
        try:
            self._access.client.get('/', (), self._access.deadline())
        except UnexpectedAnswer as error:
            if error.status != _NOT_ACCEPTABLE:
                raise
            return Finding(checks.FAILURE, f'Placement does not know '
                           f'microversion {version} (Yoga): {error.detail}')
        return Finding(checks.SUCCESS,
                       f'Placement knows microversion {version}.')

    @_told
    def _reading(self) -> Finding:
        self._access.client.traits(traits.PREFIX, self._access.deadline(),
                                   associated=True)
        self._access.client.providers((), self._access.deadline())
        return Finding(checks.SUCCESS, 'The credentials of [placement] may '
                       'read traits and resource providers.')

    @_told
    def _writing(self) -> Finding:
        try:
            self._access.client.put_trait(_STANDARD_TRAIT,
                                          self._access.deadline())
        except BadRequest:
            # As it should be.
            pass
        except UnexpectedAnswer as error:
            if error.status not in _FORBIDDEN:
                raise
            return Finding(
                checks.WARNING, 'The credentials of [placement] may not '
                'write traits: publishing needs the admin or the service '
                'role. The filter itself only reads.')
        return Finding(checks.SUCCESS, 'The credentials of [placement] may '
                       'write traits.')

    @_told
    def _unpublished(self) -> Finding:
        return checks.unpublished(self._fleet)

    @_told
    def _formats(self) -> Finding:
        return checks.formats(self._carried)

    @_told
    def _corrupt(self) -> Finding:
        return checks.corrupt(self._fleet)

    @_told
    def _garbage(self) -> Finding:
        names = self._access.client.traits('CUSTOM_', self._access.deadline(),
                                           many=True)
        return checks.garbage(
            [name for name in names if name.startswith(traits.PREFIX)],
            [name for name in self._carried
             if name.startswith(traits.PREFIX)], len(names))

    @_told
    def _rules(self) -> Finding:
        return checks.rules(self._fleet)

    @_told
    def _limit(self) -> Finding:
        return checks.limit(self._fleet, self._access.max_placement_results)

    @_told
    def _classes(self) -> Finding:
        return checks.classes(self._fleet,
                              self._access.settings.resource_classes)

    _upgrade_checks = (
        ('Filter enabled', _enabled),
        ('Filter importable', _importable),
        ('Filter before costly ones', _order),
        ('Options', _options),
        ('Placement microversion', _microversion),
        ('Credentials for reading', _reading),
        ('Role for publishing', _writing),
        ('Unpublished providers', _unpublished),
        ('Document formats', _formats),
        ('Corrupt documents', _corrupt),
        ('Traits', _garbage),
        ('Rules of drivers', _rules),
        ('max_placement_results', _limit),
        ('Resource classes', _classes))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the check: 0 all is well, 1 warnings, 2 failures, 255 an error."""
    conf = cfg.ConfigOpts()
    configuration.register_opts(conf)
    return int(upgradecheck.main(
        conf, project='nova', upgrade_command=Checks(conf),
        argv=list(sys.argv[1:] if argv is None else argv)))


if __name__ == '__main__':
    sys.exit(main())
