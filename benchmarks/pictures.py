"""What each picture of 1,000,000 rows costs, from arrays to a PNG file.

    python benchmarks/pictures.py [ROWS] [DIRECTORY FOR THE PICTURES]

CPU seconds of this process, and how many artists are drawn. The data are made up: log-normal
durations in a queue, 2 % of which never end, on 1,000 workers.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dnpcsql import plots
from dnpcsql.analyses.concurrency import concurrency, occupancy
from dnpcsql.analyses.durations import statistics
from dnpcsql.analyses.rates import rate, throughput
from dnpcsql.analyses.resources import level
from dnpcsql.analyses.times import MISSING, Times
from dnpcsql.analyses.timestamps import Ranges
from dnpcsql.analyses.utilization import utilization
from dnpcsql.pictures import Picture

STATES = ("pending", "launched", "running", "running_ended")
_EPOCH = 1_795_331_212_865_472_000


class Made:
    """A run of so many tasks."""

    def __init__(self, rows: int) -> None:
        draw = np.random.default_rng(6)
        gaps = (draw.exponential(1e9, (rows, 4)) * (0.01, 50, 1, 0.01)).astype(np.int64)
        pending = _EPOCH + np.sort(draw.integers(0, 3600 * 10**9, rows))
        reached = pending[:, None] + np.cumsum(gaps, axis=1)
        self.begins: Times = np.column_stack([pending, reached[:, :3]])
        self.ends: Times = np.where(draw.random(rows) < 0.02, MISSING, reached[:, 3])
        self.apps = [f"app{number}" for number in draw.integers(0, 20, rows).tolist()]
        self.workers = [f"manager/{number}" for number in draw.integers(0, 1000, rows).tolist()]
        self.ranges = Ranges(self.begins[:, 0], self.ends)
        self.edges = [(task, task + 1 + task % 7) for task in range(rows - 8)]


def drawings(run: Made) -> dict[str, Callable[[], Axes]]:
    """Each picture, counting included."""
    took, rows = run.ranges.durations_s, len(run.apps)
    running, ended = run.begins[:, 2], run.begins[:, 3]
    return {
        "latency": lambda: plots.latency(run.ranges, groups=run.apps),
        "histogram": lambda: plots.histogram(took),
        "kde": lambda: plots.kde(took),
        "kde by app": lambda: plots.kde(took, groups=run.apps),
        "ecdf": lambda: plots.ecdf(took),
        "boxes": lambda: plots.boxes(run.begins, STATES),
        "states": lambda: plots.states(occupancy(STATES, run.begins, run.ends)),
        "concurrency": lambda: plots.concurrency(
            {"tasks": concurrency(*run.ranges), "running": concurrency(running, ended)}
        ),
        "rate": lambda: plots.rate({"returned": rate(run.ends)}),
        "tasks": lambda: plots.tasks(STATES, run.begins, run.ends),
        "workers": lambda: plots.workers(run.workers, running, ended, groups=run.apps),
        "utilization": lambda: plots.utilization(utilization(run.workers, running, ended)),
        "resources": lambda: plots.resources(
            {"all": level(np.arange(rows), running, np.ones(rows), ended)}
        ),
        "lifelines": lambda: plots.lifelines(run.begins, STATES, groups=run.apps),
        "dependencies": lambda: plots.dependencies(dict(enumerate(run.apps)), run.edges),
        "comparison": lambda: plots.comparison(took[::2], took[1::2]),
    }


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    run = Made(rows)
    began = time.process_time()
    statistics(run.ranges.durations_s)
    print(f"{'statistics':<16}{time.process_time() - began:8.2f} s CPU")
    began = time.process_time()
    throughput(*run.ranges)
    print(f"{'throughput':<16}{time.process_time() - began:8.2f} s CPU")
    for name, draw in drawings(run).items():
        began = time.process_time()
        written = io.BytesIO()
        ax = draw()
        Picture(name, ax).figure.savefig(written, format="png")
        used = time.process_time() - began
        if len(sys.argv) > 2:
            Path(sys.argv[2], f"{name}.png").write_bytes(written.getvalue())
        artists = len(ax.findobj())
        size = len(written.getvalue()) / 1000
        print(f"{name:<16}{used:8.2f} s CPU  {artists:6,} artists  {size:7.0f} kB", flush=True)


if __name__ == "__main__":
    main()
