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


"""What the demo prints: plain text, at most 100 columns."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import itertools
import textwrap
from typing import Any

import prettytable

from demo import cloud
from demo import fleet
from demo import move
from demo import population
from demo import watch
from demo import words
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.verdict import Verdict

_WIDTH = 98
_EXAMPLES = 3

#: What the filter did, by the name of the move: 'cold' and 'warm'.
Moves = Mapping[str, tuple[move.Move, watch.Call]]


def title(text: str) -> None:
    print(f'\n{text}\n{"=" * len(text)}\n')


def paragraph(text: str, indent: str = '') -> None:
    print(textwrap.fill(' '.join(text.split()), _WIDTH,
                        initial_indent=indent, subsequent_indent=indent,
                        break_on_hyphens=False))


def table(head: Mapping[str, int | None],
          rows: Iterable[Sequence[Any]]) -> None:
    """Print a table.

    :param head: names of the columns, with their greatest width.
    """
    printed = prettytable.PrettyTable(list(head))
    printed.align = 'l'
    for name, width in head.items():
        if width is not None:
            printed.max_width[name] = width
    for row in rows:
        printed.add_row(list(row))
        for name, value in zip(head, row):
            if isinstance(value, int):
                printed.align[name] = 'r'
    print(printed)
    print()


def show_fleet(server: population.Server) -> None:
    """The kinds of host, and which of them are right for the server."""
    print()
    paragraph(words.PROBLEM)
    title('The fleet, and the server')
    table({'hosts': None, 'count': None, 'pGPUs': None, 'free GiB': None,
           'what they are': 30, 'loads the state': None},
          [(f'{kind.name}-NN', kind.hosts, len(kind.pgpus), kind.memory,
            kind.words, _right(kind, server.pgpu)) for kind in fleet.KINDS])
    paragraph(f'''"pGPUs" is the number on each host, "loads the state" what
        the documents say about the server's vGPU. The server has one vGPU of
        type {server.pgpu.mdev_type} (A40-2Q) on {server.source.name}, where
        the branch of the vGPU manager is 16 and ECC is on. It is to be moved
        while it runs (a live migration).''')


def _right(kind: fleet.Kind, server: fleet.PGpu) -> str:
    verdicts = [pgpu.verdict(server) for pgpu in kind.pgpus]
    if None in verdicts:
        return 'nothing says so'
    right = sum(map(bool, verdicts))
    if right in (0, len(verdicts)):
        return 'yes' if right else 'no'
    return f'{right} of {len(verdicts)} do'


def show_filtering(call: watch.Call) -> None:
    """What the filter removed and why, and what it left."""
    title('The move with the filter')
    print('nova.conf of nova-scheduler:\n')
    print(textwrap.indent(cloud.WITH_FILTER, '    '))
    gone = sorted(call.removed.items(),
                  key=lambda group: (-len(group[1]), group[0]))
    paragraph(f'''{len(call.before)} hosts with {sum(call.before.values())}
        allocation candidates came to the filter, one candidate for each pGPU.
        It removed {sum(len(hosts) for _, hosts in gone)} hosts; the reasons
        are in its own words:''')
    table({'hosts': None, 'removed because': 56, 'for example': 24}, [
        (len(hosts), reason, _examples(hosts)) for reason, hosts in gone])
    paragraph(words.CLOSEST)
    print(f'\nIt kept {len(call.after)} hosts with '
          f'{sum(call.after.values())} candidates:')
    _show_kept(call)


def _examples(hosts: Sequence[str]) -> str:
    more = [''] if len(hosts) <= _EXAMPLES else ['...']
    return '\n'.join([*sorted(hosts)[:_EXAMPLES], *more]).strip()


def _show_kept(call: watch.Call) -> None:
    why = {host: reason for reason, hosts in call.narrowed.items()
           for host in hosts}
    rows = []
    for kind, group in itertools.groupby(sorted(call.after), _kind):
        hosts = list(group)
        rows.append((f'{kind}-NN', len(hosts),
                     sum(call.before[host] for host in hosts),
                     sum(call.after[host] for host in hosts),
                     why.get(hosts[0], '')))
    table({'kept': None, 'hosts': None, 'candidates': None, 'kept of them':
           None, 'the other candidates went because': 40}, rows)


def show_choice(made: move.Move, server: fleet.PGpu) -> None:
    """Where the scheduler sends the server, and whether that is right."""
    if made.end is None:
        paragraph(f'''After {len(made.rounds)} round(s) no host was left:
            NoValidHost.''')
        return
    paragraph(f'''In round {len(made.rounds)} the scheduler chose
        {made.end.host} and claimed a vGPU of its pGPU {made.end.provider}.
        Nova's pre-check passed, so the copying of the guest begins. By the
        documents {_consequence(made.end.pgpu.verdict(server))}.''')
    print()


def _consequence(verdict: Verdict | None) -> str:
    if verdict is None:
        return 'nobody can tell whether this pGPU loads the state of the vGPU'
    if verdict:
        return 'this pGPU can load the state of the vGPU'
    reasons = ', '.join(reason.message for reason in verdict.reasons)
    return (f'this pGPU can NOT load the state of the vGPU ({reasons}): the '
            'migration fails while the guest is being copied, or after')


def show_costs(moves: Moves) -> None:
    """What the filter's decisions cost."""
    table({'move': None, 'rounds': None, 'requests to placement': None,
           'database queries': None, 'filter ms': None,
           'scheduler ms in all': None},
          [(name, len(made.rounds), len(call.requests), call.queries,
            round(call.seconds * 1000), round(made.seconds * 1000))
           for name, (made, call) in moves.items()])
    bodies = sum(traits.BODY_PREFIX in request
                 for request in moves['cold'][1].requests)
    paragraph(words.COSTS.format(bodies=bodies))
    print()


def show_requests(moves: Moves) -> None:
    for name, (_, call) in moves.items():
        print(f'The filter\'s requests, {name}:\n')
        for request in call.requests:
            print(f'    {request}')
        print()


def show_log(call: watch.Call) -> None:
    print('What the filter writes into nova-scheduler\'s log:\n')
    for line in call.said:
        paragraph(line, '    ')
        print()


def show_rounds(made: move.Move) -> None:
    """The rounds without the filter, those with one outcome together."""
    title('The same move without the filter')
    table({'round': None, 'chosen': 44, 'mdev type claimed': None,
           "Nova's pre-check": None}, _rounds(made))
    paragraph(f'''{len(made.rounds)} calls of the scheduler took
        {made.seconds:.1f} s in all. In a cloud each brings two calls to
        compute hosts with it. On a host whose first pGPU is the wrong one,
        the right ones are never looked at: the host is dropped.''')
    print()


def _rounds(made: move.Move) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for (_, mdev_type, outcome), group in itertools.groupby(
            enumerate(made.rounds, 1), lambda pair: _outcome(made, pair[1])):
        numbers, rounds = zip(*group)
        hosts = [one.claim.host for one in rounds if one.claim is not None]
        rows.append((_span(list(map(str, numbers))), _span(hosts), mdev_type,
                     outcome))
    return rows


def _outcome(made: move.Move, one: move.Round) -> tuple[str, str, str]:
    if one.claim is None:
        return '', '', 'NoValidHost'
    return (_kind(one.claim.host), one.claim.pgpu.mdev_type,
            'passed' if one.claim == made.end else 'refused')


def _span(names: Sequence[str]) -> str:
    return ' to '.join(dict.fromkeys([*names[:1], *names[-1:]]))


def show_result(made: move.Move, without: move.Move,
                server: fleet.PGpu) -> None:
    title('What is real here, and what stands in')
    for text in (words.REAL, words.STAND_IN, words.MADE_UP):
        paragraph(text)
        print()
    title('Result')
    table({'the move': None, 'rounds': None, 'ends on': None,
           'where the state can be loaded': None},
          [(name, len(one.rounds), one.end.host if one.end else 'no host',
            'yes' if one.loads(server) else 'no')
           for name, one in (('with the filter', made),
                             ('without it', without))])


def _kind(host: str) -> str:
    return host.rpartition('-')[0]
