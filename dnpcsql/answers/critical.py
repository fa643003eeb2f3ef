"""The critical path of a run, and what would be if it ran otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.critical import (
    ABOUT,
    KINDS,
    WORK,
    Edges,
    Load,
    Stretch,
    Tasks,
    critical_path,
    heaviest_chain,
    observed_load,
    replay,
    slack,
)
from dnpcsql.analyses.path import PLACE, Paths
from dnpcsql.analyses.times import MISSING, Counts, Mask, Times, exact_sum, numbered, told
from dnpcsql.answers.aligned import aligned
from dnpcsql.answers.clocks import Clocks, clocks
from dnpcsql.answers.finding import Finding
from dnpcsql.answers.paths import read_paths
from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

_PAIRS = "SELECT task_id, depends_on FROM parsl_dependency WHERE run_id = :run"

_BEGINS = ("worker_received", "queue_running", "running")
_ENDS = ("worker_completed", "queue_waiting_retrieval", "running_ended")
_APPS = 3  # of how many apps it is asked what if they were twice as fast
_WORTH = 0.01
_DOUBTFUL = 0.05


class WhatIf(NamedTuple):
    """A replay under another condition."""

    name: str  # as it was; no overhead; infinite workers; APP twice as fast
    makespan_ns: int
    gain_ns: int  # less than the replay of what was observed; below 0: it would take longer


class Critical(NamedTuple):
    """What the time of a run hung on. Nanoseconds."""

    run: Run
    tasks: Counts  # their numbers; the other answers go by their places
    apps: list[str]
    begins: int  # the first call of an app
    makespan_ns: int  # from then until the last task was done
    path: list[Stretch]  # adds up to makespan_ns
    chain: list[int]  # places: the chain of dependencies with the most work, and
    chain_ns: int  # how much that is
    work_ns: int  # of all tasks together
    slack_ns: list[int]
    replays: list[WhatIf]  # the first is what was observed, replayed
    workers: dict[str, int]  # the most that were busy at once, by executor: what is replayed
    unfinished: int  # tasks that never returned: taken to last until the run was last heard of

    def kinds_ns(self) -> dict[str, int]:
        """The path by what it is."""
        found = dict.fromkeys(KINDS, 0)
        for stretch in self.path:
            found[stretch.kind] += stretch.ends - stretch.begins
        return found

    def apps_ns(self) -> dict[str, int]:
        """The path's work by app, the most first."""
        found: dict[str, int] = defaultdict(int)
        for stretch in self.path:
            if stretch.kind == WORK:
                found[self.apps[stretch.task]] += stretch.ends - stretch.begins
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def error(self) -> float:
        """By how much the replay of what was observed misses it, as a share."""
        return (self.replays[0].makespan_ns - self.makespan_ns) / max(self.makespan_ns, 1)


def critical(store: Store, run: Run, faster: Sequence[str] = ()) -> Critical:
    """The critical path of a run, each task's slack, and what would be.

    `faster`: apps of which it is asked what if they took half the time; else those with the most
    work. Raises NotFoundError if no file tells of its tasks, or if it has no such app.
    """
    return critical_of(store, run, read_paths(store, run), clocks(store, run), faster)


def critical_of(
    store: Store, run: Run, paths: Paths, known: Clocks, faster: Sequence[str] | None = ()
) -> Critical:
    """The same from what was read before; `faster`: None for no apps at all."""
    if not paths.tasks.size:
        raise NotFoundError(
            f"no file tells of tasks of run {run.id[:8]}: it takes monitoring.db or parsl.log"
        )
    if unknown := sorted(set(faster or ()) - set(paths.apps)):
        listed = ", ".join(sorted(set(paths.apps)))
        raise NotFoundError(f"no app {unknown[0]} in run {run.id[:8]}; there are: {listed}")
    tasks, last = _tasks(paths, known)
    edges = _edges(store, run, paths)
    lasts = (tasks.ends - tasks.begins).tolist()
    if not faster:
        faster = () if faster is None else _heaviest(paths.apps, lasts)
    heaviest, chain = heaviest_chain(lasts, edges)
    labels, pool = _pools(paths, last)
    sizes = [_peak(tasks, pool == number) for number in range(len(labels))]
    load, there = observed_load(tasks, edges, pool.tolist(), sizes)
    return Critical(
        run,
        paths.tasks,
        paths.apps,
        int(tasks.invoked.min()),
        int(tasks.done.max() - tasks.invoked.min()),
        critical_path(tasks, edges),
        chain,
        heaviest,
        exact_sum(tasks.ends - tasks.begins),
        slack(tasks, edges),
        _replays(load, there, paths.apps, faster),
        dict(zip(labels, sizes, strict=True)),
        int((~told(paths.done)).sum()),
    )


def _tasks(paths: Paths, known: Clocks) -> tuple[Tasks, Counts]:
    """What was observed of each task, of its last try; and which try that is (-1: none is told)."""
    last = np.full(paths.tasks.shape, -1, dtype=np.int64)
    last[paths.owners] = np.arange(paths.owners.size)
    times = aligned(paths, known)
    times = np.vstack([times, np.full((1, times.shape[1]), MISSING)])[last]
    done = np.where(told(paths.done), paths.done, paths.last_heard)
    invoked = _first(paths.invoked, times[:, PLACE["pending"]], done)
    done = np.maximum(done, invoked)
    launched = _first(times[:, PLACE["submitted"]], times[:, PLACE["launched"]], done)
    begins = _first(*(times[:, PLACE[moment]] for moment in _BEGINS), launched)
    # The body of a join app returns before the tasks inside are done, for which it waits.
    joins = told(times[:, PLACE["joining"]])
    returned = _first(times[:, PLACE["returned"]], done)
    ends = np.where(joins, returned, _first(*(times[:, PLACE[end]] for end in _ENDS), returned))
    column, found = invoked, []
    for later in (launched, begins, ends):
        column = np.minimum(np.maximum(column, later), done)
        found.append(column)
    return Tasks(invoked, found[0], found[1], found[2], done), last


def _first(*columns: Times) -> Times:
    found = columns[0]
    for column in columns[1:]:
        found = np.where(told(found), found, column)
    return found


def _edges(store: Store, run: Run, paths: Paths) -> Edges:
    pairs = store.query(_PAIRS, run=run.id).all()
    later, earlier = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    known = np.isin(later, paths.tasks) & np.isin(earlier, paths.tasks) & (later != earlier)
    places = [np.searchsorted(paths.tasks, side[known]) for side in (earlier, later)]
    return Edges(places[0], places[1])


def _pools(paths: Paths, last: Counts) -> tuple[list[str], Counts]:
    """The executors on whose workers tasks ran, and which one each task's is; -1: on none."""
    labels = [*paths.executors, "-"]
    ran = np.append(
        np.any([told(paths.times[:, PLACE[moment]]) for moment in _BEGINS], axis=0), False
    )
    names = [
        labels[place] if ran[place] and labels[place] != "_parsl_internal" else "-"
        for place in last.tolist()
    ]
    known = sorted(set(names) - {"-"})
    numbers = {name: number for number, name in enumerate(known)} | {"-": -1}
    return known, np.array([numbers[name] for name in names], dtype=np.int64)


def _peak(tasks: Tasks, mine: Mask) -> int:
    """The most that ran at once; never fewer than one."""
    times = np.concatenate([tasks.begins[mine], tasks.ends[mine]])
    change = np.repeat([1, -1], int(mine.sum()))
    order = np.lexsort((change, times))  # who leaves makes room for who comes at that moment
    return max(1, int(np.cumsum(change[order]).max(initial=0)))


def _heaviest(apps: list[str], lasts: list[int]) -> list[str]:
    names, places = numbered(apps)
    sums = [0] * len(names)
    for place, value in zip(places.tolist(), lasts, strict=True):
        sums[place] += value
    ranked = sorted(range(len(names)), key=lambda place: (-sums[place], names[place]))
    return [names[place] for place in ranked[:_APPS] if sums[place]]


def _replays(
    load: Load, workers: list[list[int]], apps: list[str], faster: Sequence[str]
) -> list[WhatIf]:
    nothing = [0] * len(load.lasts)
    counts = np.bincount(np.array(load.pool) + 1, minlength=len(workers) + 1)[1:]
    endless = [[there[0]] * max(1, int(n)) for there, n in zip(workers, counts, strict=True)]
    free = load._replace(before=nothing, after=nothing)
    scenarios = [
        ("as it was", load, workers),
        ("no overhead", free, workers),
        ("infinite workers", load, endless),
        ("no overhead and infinite workers", free, endless),
    ]
    for name in faster:
        halved = [
            lasts // 2 if app == name else lasts
            for lasts, app in zip(load.lasts, apps, strict=True)
        ]
        scenarios.append((f"{name} twice as fast", load._replace(lasts=halved), workers))
    spans = [max(replay(played, there)) - min(load.released) for _, played, there in scenarios]
    return [
        WhatIf(name, span, spans[0] - span)
        for (name, _, _), span in zip(scenarios, spans, strict=True)
    ]


def findings(found: Critical) -> list[Finding]:
    """What the run's length hung on, and what would have made it shorter."""
    command = f"dnpcsql critical {found.run.id[:8]}"
    said = []
    for kind, lasts in found.kinds_ns().items():
        if lasts / max(found.makespan_ns, 1) >= _WORTH and kind != WORK:
            share = 100 * lasts / found.makespan_ns
            said.append(
                Finding(
                    lasts / 1e9,
                    f"{share:.1f} % of the run's critical path, {lasts / 1e9:.1f} s, is "
                    f"{kind}: {ABOUT[kind]}",
                    command,
                )
            )
    for one in found.replays[1:]:
        if one.gain_ns / max(found.makespan_ns, 1) >= _WORTH:
            said.append(
                Finding(
                    one.gain_ns / 1e9,
                    f"with {one.name} the run would take {one.makespan_ns / 1e9:.1f} s, "
                    f"{one.gain_ns / 1e9:.1f} s less, if what was observed is replayed",
                    command,
                )
            )
    return said


def caveats(found: Critical) -> list[str]:
    """What the answer rests on, and what it cannot know."""
    there = ", ".join(f"{size} of {name}" for name, size in found.workers.items())
    said = [
        "replays have as many workers as were busy at once"
        + (f" ({there})" if there else "")
        + ", there from the first task on, first come, first served",
        "why the script called an app when it did is not known: that stays as it was",
    ]
    if abs(found.error()) > _DOUBTFUL:
        said.append(
            f"the replay of what was observed is off by {100 * found.error():+.1f} %: so are the "
            "others, at the least"
        )
    if found.unfinished:
        said.append(
            f"{found.unfinished} tasks never returned: they count until the run was last heard of"
        )
    return said
