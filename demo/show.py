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


"""What happens in the demo, in order, and whether it is what was promised."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from demo import cloud as cloud_module
from demo import fleet
from demo import move
from demo import population
from demo import progress
from demo import report
from demo import stand_in
from demo import watch


def run(steps: progress.Progress, verbose: bool) -> list[str]:
    """Show everything, and return what was not as promised."""
    hosts = fleet.hosts()
    steps.step('making the databases of Nova and placement')
    with cloud_module.Cloud() as cloud, stand_in.CandidateOrder(hosts):
        server = _populate(cloud, hosts, steps)
        with_filter = _move_with_filter(cloud, hosts, server, steps)
        steps.step('starting a nova-scheduler without the filter')
        scheduler = cloud.scheduler(cloud_module.WITHOUT_FILTER)
        population.sync_instances(cloud, scheduler, hosts, server)
        steps.step('the same live migration without the filter')
        without = move.Conductor(cloud, scheduler, hosts).live_migrate(
            server, lambda number: steps.count('round', number))
        steps.step(f'done: {len(without.rounds)} rounds')
        _report(server, with_filter, without, verbose)
    return [*_missing(hosts, server, with_filter),
            *_missing_contrast(server, without)]


def _populate(cloud: cloud_module.Cloud, hosts: Sequence[fleet.Host],
              steps: progress.Progress) -> population.Server:
    pgpus = sum(len(host.kind.pgpus) for host in hosts)
    steps.step(f'placement answers at {cloud.placement.url}')
    steps.step(f'adding {len(hosts)} compute hosts with {pgpus} pGPUs')
    registry = population.Registry(cloud)
    for number, host in enumerate(hosts, 1):
        registry.add(host)
        steps.count('hosts added', number, len(hosts))
    registry.write_inventories()
    steps.step('publishing the documents of the pGPUs')
    publisher = population.Publisher()
    for number, host in enumerate(hosts, 1):
        publisher.publish(host)
        steps.count('hosts published', number, len(hosts))
    steps.step(f'booting the server on {hosts[0].name}')
    return population.boot(cloud, hosts[0])


def _move_with_filter(cloud: cloud_module.Cloud, hosts: Sequence[fleet.Host],
                      server: population.Server,
                      steps: progress.Progress) -> report.Moves:
    steps.step('starting a nova-scheduler with the filter')
    scheduler = cloud.scheduler(cloud_module.WITH_FILTER)
    population.sync_instances(cloud, scheduler, hosts, server)
    conductor = move.Conductor(cloud, scheduler, hosts)
    loaded = scheduler.host_manager.filter_obj_map[cloud_module.FILTER]
    moves = {}
    with watch.Watch(loaded, cloud.placement) as watched:
        for name in ('cold', 'warm'):
            steps.step(f'live migration with the filter, {name}')
            made = conductor.live_migrate(server, lambda number: None)
            moves[name] = made, watched.calls[-1]
            watched.calls[-1].explain()
    return moves


def _report(server: population.Server, moves: report.Moves,
            without: move.Move, verbose: bool) -> None:
    made, call = moves['cold']
    report.show_fleet(server)
    report.show_filtering(call)
    report.show_choice(made, server.pgpu)
    report.show_costs(moves)
    if verbose:
        report.show_requests(moves)
    report.show_log(call)
    report.show_rounds(without)
    report.show_choice(without, server.pgpu)
    report.show_result(made, without, server.pgpu)


def _missing(hosts: Sequence[fleet.Host], server: population.Server,
             moves: report.Moves) -> Iterator[str]:
    """What the filter should have done, and did not."""
    right = {
        host.name: number for host in hosts if host is not server.source
        for number in [sum(pgpu.accepts(server.pgpu)
                           for pgpu in host.kind.pgpus)] if number}
    for name, (made, call) in moves.items():
        if len(made.rounds) != 1:
            yield f'{name}, it took {len(made.rounds)} rounds and not one'
        if not made.loads(server.pgpu):
            yield f'{name}, the server did not end on a right pGPU'
        wrong = sorted(host for host, _ in
                       call.after.items() ^ right.items())
        if wrong:
            yield f'{name}, wrongly kept or removed: ' \
                + ', '.join(dict.fromkeys(wrong))
    if len(moves['warm'][1].requests) >= len(moves['cold'][1].requests):
        yield 'the second move cost as many requests as the first'


def _missing_contrast(server: population.Server,
                      without: move.Move) -> Iterator[str]:
    """What Nova should have done without the filter, and did not."""
    if len(without.rounds) < 2:
        yield 'without the filter one round was enough'
    if without.loads(server.pgpu):
        yield 'without the filter the server ended on a right pGPU too'
