"""The way of funcX's and Globus Compute's tasks, from the client to a worker and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.chains import Step, steps
from dnpcsql.analyses.times import from_seconds
from dnpcsql.answers.finding import Finding, worst_first
from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.store import Store

# What each process does within itself (a worker unpacks, executes, sends) is not a hop.
MOMENTS = (
    "submit", "submitted", "cloud_received", "cloud_dispatched", "endpoint_received",
    "interchange_received", "interchange_sent", "manager_received", "worker_received",
    "remote_start", "remote_end", "worker_completed", "interchange_result", "endpoint_forwarded",
    "cloud_result", "cloud_sent", "retrieved",
)  # fmt: skip

_TASKS = f"SELECT task_id, {', '.join(MOMENTS)} FROM funcx_task ORDER BY submit, task_id"
_WORTH = 0.05


class Chain(NamedTuple):
    """Of tasks whose client's log is there, or of all if none is: the hops of their way."""

    tasks: int
    without_client: int  # tasks that are left out, for nobody tells when they were submitted
    steps: list[Step]
    names: list[str]  # the tasks' ids, as Step.slowest counts them


def chain(store: Store) -> Chain:
    """The hops of funcX's tasks. Raises NotFoundError if there are none."""
    rows = store.query(_TASKS).all()
    if not rows:
        raise NotFoundError("no tasks of funcX or Globus Compute here: `dnpcsql import PATH`")
    mine = [row for row in rows if row[1] is not None] or rows
    times = np.array([from_seconds(row[1:]) for row in mine], dtype=np.int64)
    names = [str(row[0]) for row in mine]
    return Chain(len(mine), len(rows) - len(mine), steps(times, MOMENTS), names)


def findings(found: Chain) -> list[Finding]:
    """Which hops take the time, on the way there and on the way back."""
    said = []
    for way, mine in (
        ("there", [step for step in found.steps if not _is_back(step)]),
        ("back", [step for step in found.steps if _is_back(step)]),
    ):
        whole = sum(step.total_ns for step in mine)
        for step in mine:
            if whole <= 0 or step.total_ns / whole < _WORTH:
                continue
            said.append(
                Finding(
                    step.total_ns / 1e9,
                    f"on the way {way} from {step.begin} to {step.end} takes "
                    f"{100 * step.total_ns / whole:.1f} % of the time, {step.p50_s:.3f} s for half "
                    f"of {step.n} tasks and {step.max_s:.3f} s for {found.names[step.slowest]}",
                    "dnpcsql hops --funcx",
                )
            )
    return worst_first(said)


def _is_back(step: Step) -> bool:
    return MOMENTS.index(step.begin) >= MOMENTS.index("remote_end")
