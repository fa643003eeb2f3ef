"""A run's path by one clock: the submitting side's, as far as the others are known."""

from __future__ import annotations

from dnpcsql.analyses.path import PLACE, Paths
from dnpcsql.analyses.times import Times, told
from dnpcsql.answers.clocks import Clocks

BY_WORKERS = (
    "manager_got", "worker_received", "queue_running", "running", "running_ended",
    "worker_completed", "queue_waiting_retrieval", "worker_finished",
)  # fmt: skip
"""Moments that are told by the clock of the worker's host."""


def aligned(paths: Paths, known: Clocks) -> Times:
    """Paths.times, (tries, MOMENTS), with each host's offset taken off. `paths` stays as it is."""
    times = paths.times.copy()
    numbers: dict[str, list[int]] = {}
    for place, host in enumerate(paths.hosts):
        numbers.setdefault(host, []).append(place)
    for host, places in numbers.items():
        if not known.knows(host):
            continue
        for moment in BY_WORKERS:
            column = times[places, PLACE[moment]]
            some = told(column)
            column[some] -= known.offset_ns(host, column[some])
            times[places, PLACE[moment]] = column
    return times
