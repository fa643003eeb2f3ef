"""Which stage of a run is its bottleneck: how fast tasks come, and how fast each stage could go."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.path import PLACE, Paths
from dnpcsql.analyses.queues import Flow, all_busy, flow, overlaps
from dnpcsql.analyses.times import MISSING, Mask, Times, exact_sum, told
from dnpcsql.answers.aligned import aligned
from dnpcsql.answers.clocks import Clocks, clocks
from dnpcsql.answers.finding import Finding
from dnpcsql.answers.paths import read_paths
from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

DFK, INTERCHANGE, MANAGERS, BETWEEN, WORKERS, RETURN = (
    "DFK", "interchange", "managers", "queue", "workers", "return",
)  # fmt: skip

ABOUT = {
    DFK: "ready tasks, until they are launched",
    INTERCHANGE: "launched tasks, until they are sent to a manager",
    MANAGERS: "sent tasks, until a worker takes them",
    BETWEEN: "launched tasks, until a worker takes them; the logs tell no more",
    WORKERS: "tasks that hold a worker",
    RETURN: "results, on their way back",
}

_SATURATED = 0.3  # of the time: what was full for less is not said to be a bottleneck
_LITTLE = 0.05


class Stage(NamedTuple):
    """A stage of one executor's tasks; the DFK's and the results' are of all together."""

    name: str
    executor: str  # "" for all
    flow: Flow
    workers: int  # how many could be served at once; 0: it is not known
    most_per_s: (
        float  # how many it could do; NaN: it was held up all the time, so that nobody knows
    )


class Bottleneck(NamedTuple):
    """The stages in the order of a task's life."""

    run: Run
    stages: list[Stage]
    first: Stage | None  # which saturates first when more tasks come; None: not known of any
    full_s: float  # how long that one was full: all workers busy, or something waiting
    waited_s: float  # by all tasks together, for its executor's workers that were all busy
    arrival_rate: float  # tasks that were ready to be launched, a second

    def words(self) -> str:
        """In a sentence."""
        one = self.first
        if one is None:
            return "how much any stage could do is not known"
        whose = f"{one.executor}'s {one.name}" if one.executor else f"the {one.name}"
        many = one.name in (WORKERS, MANAGERS)
        limit = f"at {one.most_per_s:.4g} tasks a second"
        if one.name == WORKERS:
            limit += f" ({one.workers} of them, {one.flow.mean_stay_s:.3f} s a task)"
        full = f"{self.full_s:.1f} s, {100 * self.full_share():.0f} % of the time it was in use"
        return (
            f"{whose} saturate{'' if many else 's'} first, {limit}: full for {full}; over the run "
            f"{self.arrival_rate:.4g} tasks a second were ready"
        )

    def full_share(self) -> float:
        """For how much of the time in which it had any task the first stage was full."""
        if self.first is None:
            return 0.0
        return self.full_s / max((self.first.flow.ends - self.first.flow.begins) / 1e9, 1e-9)


def bottleneck(store: Store, run: Run) -> Bottleneck:
    """The stages of a run and the first to saturate.

    Raises NotFoundError if no file tells of its tasks.
    """
    return bottleneck_of(run, read_paths(store, run), clocks(store, run))


def bottleneck_of(run: Run, paths: Paths, known: Clocks) -> Bottleneck:
    """The same from what was read before."""
    if not paths.tasks.size:
        raise NotFoundError(
            f"no file tells of tasks of run {run.id[:8]}: it takes monitoring.db or parsl.log"
        )
    times = aligned(paths, known)
    until = paths.last_heard

    def at(*moments: str) -> Times:
        found = np.full(times.shape[:1], MISSING, dtype=np.int64)
        for moment in moments:
            found = np.where(told(found), found, times[:, PLACE[moment]])
        return found

    ready, launched = at("ready", "pending"), at("submitted", "launched")
    begins = at("worker_received", "queue_running", "running")
    ends = at("worker_completed", "queue_waiting_retrieval", "running_ended", "returned")
    sent, returned = at("interchange_sent", "manager_got"), at("returned")
    stages = _stage(DFK, "", ready, launched, ~paths.answered, until)
    full: dict[str, float] = {}
    waited: dict[str, float] = {}
    for label in sorted(set(paths.executors) - {"-", "_parsl_internal"}):
        mine = np.array([name == label for name in paths.executors], dtype=np.bool_)
        ran = mine & told(begins)
        if not ran.any():
            continue
        held = np.where(told(ends), ends, until)
        work = flow(begins[ran], ends[ran], until)
        assert work is not None
        busy = all_busy(begins[ran], held[ran], work.most)
        full[label] = float((busy[:, 1] - busy[:, 0]).sum()) / 1e9
        came, took = (np.where(told(side), side, until)[mine] for side in (launched, begins))
        waited[label] = exact_sum(overlaps(came, np.maximum(came, took), busy)) / 1e9
        busy = _and_outside(busy, work)
        if told(sent[mine]).any():
            stages += _stage(INTERCHANGE, label, launched, sent, mine, until, busy)
            stages += _stage(MANAGERS, label, sent, begins, mine, until, busy)
        else:
            stages += _stage(BETWEEN, label, launched, begins, mine, until, busy)
        most = work.most / work.mean_stay_s if work.mean_stay_s > 0 else math.nan
        stages.append(Stage(WORKERS, label, work, work.most, most))
    stages += _stage(RETURN, "", np.where(told(begins), ends, MISSING), returned, told(ends), until)
    # Of several executors the one that worked most is the run's.
    main = max(
        (one for one in stages if one.name == WORKERS),
        key=lambda one: one.flow.mean_length * (one.flow.ends - one.flow.begins),
        default=None,
    )
    ours = {"", main.executor if main else ""}
    able = [one for one in stages if one.most_per_s > 0 and one.executor in ours]
    first = min(able, key=lambda one: one.most_per_s, default=None)
    full_s = 0.0 if first is None else full[first.executor] if first is main else first.flow.held_s
    rate = next((one.flow.arrival_rate for one in stages if one.name == DFK), math.nan)
    waited_s = waited.get(first.executor, 0.0) if first else 0.0
    return Bottleneck(run, stages, first, full_s, waited_s, rate)


def _and_outside(busy: Times, work: Flow) -> Times:
    """Before the first task began there were no workers, and after the last one none are needed."""
    end = np.iinfo(np.int64).max // 2
    outside = [[0, work.begins], [work.ends, end]]
    return np.concatenate([np.array(outside[:1]), busy, np.array(outside[1:])])


def _stage(
    name: str,
    executor: str,
    arrivals: Times,
    departures: Times,
    mine: Mask,
    until: int,
    blocked: Times | None = None,
) -> list[Stage]:
    found = flow(arrivals[mine], departures[mine], until, blocked)
    return [] if found is None else [Stage(name, executor, found, 0, found.service_rate)]


def findings(found: Bottleneck) -> list[Finding]:
    """The stage that is the bottleneck, where there is one."""
    one = found.first
    if one is None or found.full_share() < _SATURATED:
        return []
    waited = one.flow.mean_length * (one.flow.ends - one.flow.begins) / 1e9
    weight = found.waited_s if one.name == WORKERS else waited
    return [Finding(weight, found.words(), f"dnpcsql bottleneck {found.run.id[:8]}")]


def caveats(found: Bottleneck) -> list[str]:
    """What the answer rests on, and what it cannot know."""
    able = "what a stage could do: how many left it a second while it had any and not all workers"
    said = [f"{able} were busy; workers: as many as were busy at once, by a task's mean time"]
    for stage in found.stages:
        if abs(stage.flow.little_error) > _LITTLE:
            never = stage.flow.arrived - stage.flow.left
            why = f"{never} never left it" if never else "clocks or records contradict each other"
            said.append(
                f"{stage.name} {stage.executor}: L is not λ·W, by "
                f"{100 * stage.flow.little_error:+.1f} %: {why}"
            )
    return said
