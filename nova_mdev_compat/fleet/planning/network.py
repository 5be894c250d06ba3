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

"""Flows of devices that are alike; needs networkx, an optional extra.

Devices on one provider are alike, so how many go from where to where is a
flow, and whole numbers in, whole numbers out. A flow can be done move by
move: where the way leads over a full provider, one of its own devices goes
on first.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import TypeAlias

#: Amounts by node, by node.
Flow: TypeAlias = dict[Any, dict[Any, int]]

_SOURCE, _SINK = ('source',), ('sink',)


class NoNetworkx(ImportError):
    """The library is not installed."""


def require() -> None:
    """Whether flows can be computed.

    :raises NoNetworkx: they cannot.
    """
    try:
        import networkx  # noqa: F401 only whether it is there
    except ImportError as error:
        raise NoNetworkx(str(error)) from error


def largest(supplies: Mapping[Any, int], rooms: Mapping[Any, int],
            edges: Iterable[tuple[Any, Any, int | None]]
            ) -> tuple[int, Flow]:
    """As much as can flow from where there is some to where there is room.

    :param edges: from, to, and how much at most; None: any amount.
    :returns: how much in all, and how much over each edge.
    """
    import networkx
    graph = networkx.DiGraph()
    graph.add_nodes_from([_SOURCE, _SINK])
    for node, amount in supplies.items():
        graph.add_edge(_SOURCE, node, capacity=amount)
    for node, amount in rooms.items():
        graph.add_edge(node, _SINK, capacity=amount)
    for one, other, most in edges:
        # Without a capacity an edge has no limit.
        graph.add_edge(one, other, **({} if most is None
                                      else {'capacity': most}))
    value, flow = networkx.maximum_flow(graph, _SOURCE, _SINK)
    return int(value), {
        one: {other: int(amount) for other, amount in onward.items()
              if amount and other != _SINK}
        for one, onward in flow.items() if one not in (_SOURCE, _SINK)}


def without_cycles(flow: Flow) -> Flow:
    """The same from end to end, without going around."""
    import networkx
    graph = networkx.DiGraph()
    for one, onward in flow.items():
        for other, amount in onward.items():
            if amount:
                graph.add_edge(one, other, amount=amount)
    while True:
        try:
            cycle = networkx.find_cycle(graph)
        except networkx.NetworkXNoCycle:
            break
        least = min(graph.edges[edge]['amount'] for edge in cycle)
        for edge in cycle:
            graph.edges[edge]['amount'] -= least
            if not graph.edges[edge]['amount']:
                graph.remove_edge(*edge)
    return {one: {other: graph.edges[one, other]['amount']
                  for other in graph.successors(one)} for one in graph}


def follow(flow: Flow, move: Callable[[Hashable, Hashable], bool]) -> bool:
    """Does a flow without cycles, one device at a time.

    :param move: moves a device, or says that it cannot now: there is none,
        or no room. Some edge can always be done, as long as every node on
        the way has room for one.
    :returns: whether all of it was done.
    """
    left = [[one, other, amount] for one, onward in flow.items()
            for other, amount in onward.items() if amount]
    while left:
        done = False
        for edge in left:
            while edge[2] and move(edge[0], edge[1]):
                edge[2] -= 1
                done = True
        left = [edge for edge in left if edge[2]]
        if not done:
            return not left
    return True
