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

"""The matrix as a picture; needs matplotlib, an optional extra."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import itertools
import pathlib
from typing import Any

from nova_mdev_compat.cmd import base
from nova_mdev_compat.fleet.kinds import Kind
from nova_mdev_compat.fleet import matrix
from nova_mdev_compat.fleet.matrix import Matrix

_SUFFIXES = ('.svg', '.png')
_DOTS_PER_INCH = 150

# Text longer than this many characters is cut; the number tells them apart.
_LONGEST = 44
# Inches.
_GAP = 0.25
_EDGE = 0.2
_NARROWEST = 2.5
_LEGEND_LINE = 0.26
_POINTS = 72
_INK = '#333333'
_GRID = '#d8d8d8'


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """How an answer is drawn: a colour of Okabe and Ito's palette, which
    people with any colour vision tell apart, and a shape besides.

    Source of the colours: https://jfly.uni-koeln.de/color/
    """

    words: str
    colour: str
    marker: str
    mark: str


LOOKS = {
    matrix.LIVE: Look('accepted', '#0072b2', 's', '#ffffff'),
    matrix.COLD: Look('accepted without its state', '#56b4e9', 'o',
                      '#ffffff'),
    matrix.OTHERWISE: Look('accepted by the document, not by Nova',
                           '#e69f00', '^', '#ffffff'),
    matrix.REFUSED: Look('refused', '#ffffff', '.', '#b0b0b0'),
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Size:
    """Lengths in inches, and text in points.

    :param label: length of the longest label, and of its gaps.
    :param group: the same, of the names of groups.
    """

    cell: float
    text: float
    label: float
    group: float

    @classmethod
    def of(cls, compared: Matrix) -> _Size:
        count = len(compared.kinds)
        # Few cells may be large; of many, all shall fit a screen.
        cell = max(0.2, min(0.6, 8 / max(count, 1)))
        text = max(7.0, min(11.0, cell * _POINTS * 0.42))
        return cls(cell, text, *(
            max((_length(one, text) for one in words), default=0) + _GAP
            for words in (
                [_row_label(number, kind)
                 for number, kind in enumerate(compared.kinds, 1)],
                [kind.name for kind in compared.kinds])))


def _length(words: str, size: float) -> float:
    """Inches that a text takes."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    path = TextPath((0, 0), words, size=size,
                    prop=FontProperties(weight='bold'))
    return float(path.get_extents().width) / _POINTS


def check(name: str) -> None:
    """Whether a picture of this name can be drawn.

    :raises base.BadInput: it cannot.
    """
    if pathlib.Path(name).suffix.lower() not in _SUFFIXES:
        raise base.BadInput(f'--picture {name}: the name must end in '
                            f'{" or ".join(_SUFFIXES)}')
    try:
        import matplotlib.figure  # noqa: F401 only whether it is there
    except ImportError as error:
        raise base.BadInput('--picture needs matplotlib: install '
                            'nova-mdev-compat[plot]') from error


def draw(compared: Matrix, name: str) -> None:
    """Draws the matrix into a file.

    :raises OSError: it cannot be written.
    """
    import matplotlib
    from matplotlib.figure import Figure
    size = _Size.of(compared)
    used = [answer for answer in LOOKS
            if any(answer in row for row in compared.rows)]
    side = len(compared.kinds) * size.cell
    # On the left and above; below there is the legend.
    margin = size.label + size.group + 2 * size.text / _POINTS + _EDGE
    legend = _LEGEND_LINE * len(used) + 2 * _EDGE
    width, height = margin + max(side, _NARROWEST) + _EDGE, \
        margin + side + legend
    # The same answers make the same file, byte by byte.
    with matplotlib.rc_context({'svg.hashsalt': 'nova-mdev-compat'}):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((margin / width, legend / height,
                                side / width, side / height))
        _draw_cells(axes, compared, size)
        _draw_labels(axes, compared, size)
        _draw_legend(figure, used, margin / width)
        figure.savefig(name, dpi=_DOTS_PER_INCH, metadata={'Date': None}
                       if pathlib.Path(name).suffix.lower() == '.svg'
                       else {'Software': None})


def _draw_cells(axes: Any, compared: Matrix, size: _Size) -> None:
    from matplotlib.colors import ListedColormap
    count = len(compared.kinds)
    answers = list(LOOKS)
    axes.pcolormesh(
        [[answers.index(answer) for answer in row] for row in compared.rows],
        cmap=ListedColormap([LOOKS[one].colour for one in answers]),
        vmin=-0.5, vmax=len(answers) - 0.5, edgecolors=_GRID, linewidth=0.6)
    for answer, look in LOOKS.items():
        places = [(column + 0.5, row + 0.5)
                  for row, said in enumerate(compared.rows)
                  for column, one in enumerate(said) if one == answer]
        if places:
            axes.scatter(*zip(*places), marker=look.marker, color=look.mark,
                         s=(size.cell * _POINTS * 0.34) ** 2, linewidths=0)
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)


def _draw_labels(axes: Any, compared: Matrix, size: _Size) -> None:
    numbered = list(enumerate(compared.kinds, 1))
    middles = [number - 0.5 for number, _ in numbered]
    axes.set_yticks(middles, [_row_label(*one) for one in numbered],
                    fontsize=size.text, color=_INK)
    axes.set_xticks(middles, [_column_label(*one) for one in numbered],
                    fontsize=size.text, color=_INK, rotation=90)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False,
                     labelbottom=False)
    for first, last, name in _groups(compared.kinds):
        _draw_group(axes, size, first, last, name, len(numbered))
    far = (size.label + size.group + size.text / _POINTS) / size.cell
    middle = len(numbered) / 2
    for x, y, words, turn in (
            (-far, middle, 'source', 90),
            (middle, -far, 'destination', 0)):
        axes.text(x, y, words, ha='center', va='center', rotation=turn,
                  fontsize=size.text + 2, color=_INK, fontweight='bold')


def _draw_group(axes: Any, size: _Size, first: int, last: int, name: str,
                count: int) -> None:
    """A name beside the rows and above the columns that share it."""
    near, far = (-size.label / size.cell,
                 -(size.label + size.group) / size.cell)
    style = {'color': _INK, 'linewidth': 1.0, 'clip_on': False}
    for place in {first, last}:
        axes.plot([far, count], [place, place], **style)
        axes.plot([place, place], [far, count], **style)
    middle = (first + last) / 2
    axes.text((near + far) / 2, middle, name, ha='center', va='center',
              fontsize=size.text, color=_INK, fontweight='bold')
    axes.text(middle, (near + far) / 2, name, ha='center', va='center',
              fontsize=size.text, color=_INK, fontweight='bold', rotation=90)


def _draw_legend(figure: Any, answers: Sequence[str], left: float) -> None:
    from matplotlib.lines import Line2D
    handles = []
    for answer in answers:
        look = LOOKS[answer]
        cell = Line2D([], [], linestyle='none', marker='s', markersize=14,
                      color=look.colour, markeredgecolor=_GRID)
        shape = Line2D([], [], linestyle='none', marker=look.marker,
                       markersize=6, color=look.mark, markeredgewidth=0)
        handles.append((cell, shape))
    figure.legend(
        handles, [LOOKS[answer].words for answer in answers],
        loc='lower left', bbox_to_anchor=(min(left, 0.1), 0), frameon=False,
        fontsize=10, labelcolor=_INK, labelspacing=0.8)


def _groups(kinds: Sequence[Kind]) -> Iterator[tuple[int, int, str]]:
    """First place, place after the last, and the name that they share."""
    first = 0
    for name, members in itertools.groupby(kinds, lambda kind: kind.name):
        last = first + len(list(members))
        yield first, last, name
        first = last


def _row_label(number: int, kind: Kind) -> str:
    return f'{_label(kind)}  {number}'


def _column_label(number: int, kind: Kind) -> str:
    return f'{number}  {_label(kind)}'


def _label(kind: Kind) -> str:
    text = ' '.join(filter(None, [kind.version, ', '.join(kind.details)]))
    return text if len(text) <= _LONGEST else text[:_LONGEST - 1] + '…'
