"""Workers that take longer than others for the same apps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.path import PLACE, Paths
from dnpcsql.analyses.times import Counts, Floats, numbered, told


class SlowWorker(NamedTuple):
    """A worker whose tries took `ratio` times as long as the same apps' took elsewhere."""

    worker: str
    block: str
    host: str
    tries: int
    ratio: float  # the median over its tries, each against its app's median on other workers
    excess_s: float  # what they took beyond these medians, in all
    median_s: float  # of its tries
    others_s: float  # of the same apps' tries on other workers
    slowest: int  # place in Paths.owners of its longest try


def slow_workers(paths: Paths, least: float = 2.0, tries: int = 3) -> list[SlowWorker]:
    """Workers that are `least` times slower than others or more, in `tries` tries or more.

    The one that cost the most comes first. Where each app ran on one worker only, none can be told.
    """
    took, known = _durations(paths)
    names, worker = numbered(paths.workers)
    _, apps = numbered([paths.apps[place] for place in paths.owners.tolist()])
    known &= np.array([name != "-" for name in paths.workers], dtype=np.bool_)
    usual = _elsewhere(took, known, worker, apps)
    known &= np.isfinite(usual) & (usual > 0)
    found = []
    for number in np.unique(worker[known]).tolist():
        mine = np.flatnonzero(known & (worker == number))
        ratio = float(np.median(took[mine] / usual[mine]))
        if mine.size < tries or ratio < least:
            continue
        longest = int(mine[np.argmax(took[mine])])
        found.append(
            SlowWorker(
                names[number],
                paths.blocks[longest],
                paths.hosts[longest],
                int(mine.size),
                ratio,
                float((took[mine] - usual[mine]).sum()),
                float(np.median(took[mine])),
                float(np.median(usual[mine])),
                longest,
            )
        )
    return sorted(found, key=lambda one: -one.excess_s)


def _durations(paths: Paths) -> tuple[Floats, Counts]:
    """Seconds that the app ran: as monitoring sees it, or else the worker; and where it is told."""
    took = np.full(paths.owners.shape, np.nan)
    for begin, end in (("running", "running_ended"), ("worker_received", "worker_completed")):
        begins, ends = paths.times[:, PLACE[begin]], paths.times[:, PLACE[end]]
        both = told(begins) & told(ends) & np.isnan(took)
        took[both] = (ends[both] - begins[both]) / 1e9
    return took, np.isfinite(took)


def _elsewhere(took: Floats, known: Counts, worker: Counts, apps: Counts) -> Floats:
    """For each try, the median duration of its app on all other workers; NaN if there is none."""
    usual = np.full(took.shape, np.nan)
    for app in np.unique(apps[known]).tolist():
        of_app = np.flatnonzero(known & (apps == app))
        for number in np.unique(worker[of_app]).tolist():
            others = of_app[worker[of_app] != number]
            if others.size:
                usual[of_app[worker[of_app] == number]] = np.median(took[others])
    return usual
