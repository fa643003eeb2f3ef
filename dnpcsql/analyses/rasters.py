"""More marks than a picture has points: how much of each of its cells they cover."""

from __future__ import annotations

import numpy as np

from dnpcsql.analyses.times import Counts, Floats

_STEPS = 6


def coverage(
    lanes: Counts, begins: Floats, ends: Floats, shape: tuple[int, int], low: float, high: float
) -> Floats:
    """How many bars lie over each cell, on average over its width.

    A bar is in a lane (a row), from `begins` to `ends`; columns divide `low` to `high` evenly. The
    sum over a row, by the width of a cell, is the length of the row's bars, exactly.
    """
    rows, columns = shape
    flat = np.zeros(rows * (columns + 2))
    scale = columns / (high - low) if high > low else 0.0
    base = lanes * (columns + 2)
    for places, sign in ((begins, 1.0), (ends, -1.0)):
        where = np.clip((places - low) * scale, 0, columns)
        cell = where.astype(np.int64)
        share = where - cell
        flat += np.bincount(base + cell, sign * (1 - share), flat.size)
        flat += np.bincount(base + cell + 1, sign * share, flat.size)
    return np.maximum(np.cumsum(flat.reshape(rows, columns + 2), axis=1)[:, :columns], 0)


def points(x: Floats, y: Floats, x_edges: Floats, y_edges: Floats) -> Floats:
    """How many points lie in each cell between the edges; shape (rows of y, columns of x)."""
    columns, rows = x_edges.size - 1, y_edges.size - 1
    across = np.clip(np.searchsorted(x_edges, x, side="right") - 1, 0, columns - 1)
    down = np.clip(np.searchsorted(y_edges, y, side="right") - 1, 0, rows - 1)
    counts = np.bincount(down * columns + across, minlength=rows * columns)
    return counts.reshape(rows, columns).astype(np.float64)


def lines(stages: Floats, low: float, high: float, columns: int) -> Floats:
    """How many lines pass through each cell; each row of `stages` is a line, from stage to stage.

    `stages` is (lines, stages), x of each, NaN where a line has no such stage. Between two stages
    are six rows of cells; a line is met once in each, at its middle.
    """
    count = stages.shape[1]
    rows = max(1, (count - 1) * _STEPS)
    flat = np.zeros(rows * columns)
    scale = columns / (high - low) if high > low else 0.0
    told = np.isfinite(stages)
    for first in range(count - 1):
        waiting = told[:, first].copy()
        for second in range(first + 1, count):
            here = waiting & told[:, second]
            waiting &= ~told[:, second]
            begin, end = stages[here, first], stages[here, second]
            for step in range((second - first) * _STEPS):
                x = begin + (end - begin) * ((step + 0.5) / ((second - first) * _STEPS))
                cell = np.clip((x - low) * scale, 0, columns - 1).astype(np.int64)
                row = first * _STEPS + step
                flat[row * columns : (row + 1) * columns] += np.bincount(cell, minlength=columns)
    return flat.reshape(rows, columns)
