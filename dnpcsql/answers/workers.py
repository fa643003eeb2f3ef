"""Read what a run's files tell of its workers: when they were there, and what held them.

All times are by the submitting side's clock, as far as the other hosts' clocks are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dnpcsql.analyses.idleness import Pools, Work
from dnpcsql.analyses.times import MISSING, Times, from_seconds, nanoseconds, told
from dnpcsql.answers.clocks import Clocks
from dnpcsql.answers.executor_tasks import ExecutorTasks
from dnpcsql.identity import ENTITY, Names, trace_id_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

_MANAGERS = """
SELECT substr(uuid, 15) AS name, executor, block_id, manager_id, host, state, workers, registered,
  ended, last_heard
FROM manager_life WHERE run_id = :run ORDER BY executor, block_id, registered
"""
_WORKERS = """
SELECT uuid, substr(parent_uuid, 15), json_extract(attributes, '$."parsl.worker.id"'),
  start_unix_nano
FROM span
WHERE uuid > :part || '57' AND uuid < :part || '57g' AND type = 'parsl.executor.htex.worker'
"""
_WORK = """
SELECT worker_uuid, manager_id, executor, block_id, received, freed, finished, substr(uuid, 15)
FROM parsl_worker_task WHERE run_id = :run
"""

# When a block was asked for: as parsl.log says, else its submit script's name, else monitoring.db.
# (parsl_block says so too, and sums up besides what its workers did.)
_BLOCKS = """
SELECT substr(uuid, 15), coalesce(
    (SELECT min(time_unix_nano) FROM event WHERE span_uuid = uuid AND type = 'launched'),
    start_unix_nano
  ),
  end_unix_nano
FROM span
WHERE (uuid > :part || '15' AND uuid < :part || '15g')
  OR (uuid > :part || '25' AND uuid < :part || '25g')
  OR (uuid > :part || '75' AND uuid < :part || '75g')
ORDER BY CASE substr(uuid, 13, 1) WHEN '2' THEN 0 WHEN '7' THEN 1 ELSE 2 END
"""

# The interchange holds a manager, or drains it; or the manager itself was told to stop.
_TOLD_TO_STOP = """
SELECT substr(span_uuid, 15), min(time_unix_nano) FROM event
WHERE (span_uuid > :part || '36' AND span_uuid < :part || '36g'
    OR span_uuid > :part || '46' AND span_uuid < :part || '46g')
  AND type IN ('hold', 'draining', 'drain_requested', 'stop_received', 'exiting')
GROUP BY 1
"""


class Manager(NamedTuple):
    """A manager, and when it was there. Nanoseconds; MISSING where no file tells."""

    name: str  # the end of its uuid
    executor: str
    block: str
    uid: str
    host: str
    state: str
    workers: int  # how many it is told to have; 0 if nothing is told
    asked: int  # its block was asked for
    registered: int
    stopped: int  # told to take no more tasks, or to stop
    gone: int  # else the last that was heard of it
    block_gone: int


class Workers(NamedTuple):
    """The workers of one executor, what held them, and whose they are."""

    managers: list[Manager]
    pools: Pools  # `manager` is the place in `managers`
    work: Work
    names: list[str]  # of each pool: the worker's number, or "0-3" where no log tells them apart


def read_managers(store: Store, run: Run) -> list[Manager]:
    """The managers of a run, in order of executor and block."""
    part = trace_id_of(run.id)[-12:]
    stops: dict[str, int] = dict(store.query(_TOLD_TO_STOP, part=part))
    names = Names(run.id, ENTITY)
    asked: dict[str, int] = {}
    gone: dict[str, int] = {}
    for name, launched, ended in store.query(_BLOCKS, part=part):
        for times, time in ((asked, launched), (gone, ended)):
            if time is not None:
                times.setdefault(name, time)
    found = []
    for row in store.query(_MANAGERS, run=run.id):
        name, executor, block, uid, host, state, workers, registered, ended, heard = row
        label = "-" if executor is None else str(executor)
        block_name = names.block(label, str(block))[14:]
        up, down = from_seconds([registered, ended if ended is not None else heard]).tolist()
        found.append(
            Manager(
                name, label, str(block), str(uid), str(host), state, workers or 0,
                asked.get(block_name, MISSING), up, stops.get(name, MISSING), down,
                gone.get(block_name, MISSING),
            )
        )  # fmt: skip
    return found


def read_workers(
    store: Store, run: Run, managers: list[Manager], tasks: ExecutorTasks, known: Clocks
) -> dict[str, Workers]:
    """The workers of each executor."""
    part = trace_id_of(run.id)[-12:]
    logged = store.query(_WORKERS, part=part).all()
    held = store.query(_WORK, run=run.id).all()
    lost = dict(zip(tasks.names, told(tasks.times["worker_lost"]).tolist(), strict=True))
    found = {}
    for label in sorted({manager.executor for manager in managers}):
        mine = [manager for manager in managers if manager.executor == label]
        found[label] = _of_executor(mine, logged, held, lost, known)
    return found


def _of_executor(
    managers: list[Manager],
    logged: list[Any],
    held: list[Any],
    lost: dict[str, bool],
    known: Clocks,
) -> Workers:
    numbers = {manager.name: number for number, manager in enumerate(managers)}
    owner: list[int] = []
    names: list[str] = []
    begun: list[int | None] = []
    sizes: list[int] = []
    places: dict[Any, int] = {}
    for uuid, manager, worker, started in logged:
        if manager in numbers:
            places[uuid] = len(owner)
            owner.append(numbers[manager])
            names.append(str(worker))
            begun.append(started)
            sizes.append(1)
    silent = set(range(len(managers))) - set(owner)
    for number in sorted(silent):
        manager = managers[number]
        if manager.workers:
            places[manager.uid] = places[manager.executor, manager.block] = len(owner)
            owner.append(number)
            names.append(f"0-{manager.workers - 1}" if manager.workers > 1 else "0")
            begun.append(None)
            sizes.append(manager.workers)
    hosts = [managers[number].host for number in owner]
    pools = Pools(
        np.array(sizes, dtype=np.int64),
        np.array(owner, dtype=np.int64),
        _edges([managers[number] for number in owner], _aligned(nanoseconds(begun), hosts, known)),
        np.array([managers[number].state == "lost" for number in owner], dtype=np.bool_),
    )
    return Workers(managers, pools, _work(held, places, lost, hosts, known, pools), names)


def _edges(managers: list[Manager], started: Times) -> Times:
    """Each pool's edges. What is not told is as what is told beside it; none is before another."""
    columns = np.array(
        [[*manager[7:9], MISSING, *manager[9:]] for manager in managers], dtype=np.int64
    ).reshape(-1, 6)
    columns[:, 2] = started
    for place, beside in ((1, 2), (0, 1), (2, 1), (4, 5), (3, 4), (5, 4)):
        columns[:, place] = np.where(told(columns[:, place]), columns[:, place], columns[:, beside])
    return np.asarray(np.maximum.accumulate(columns, axis=1))


def _work(
    held: list[Any],
    places: dict[Any, int],
    lost: dict[str, bool],
    hosts: list[str],
    known: Clocks,
    pools: Pools,
) -> Work:
    """What held the workers. A worker that was not lost and whose last task was never finished is
    held by it until its manager is gone."""
    rows = []
    for uuid, uid, executor, block, received, freed, finished, name in held:
        place = places.get(uuid, places.get(uid, places.get((executor, block))))
        if place is not None:
            open_ = finished is None and not lost.get(name, False)
            rows.append((place, received, freed, open_))
    pool = np.array([row[0] for row in rows], dtype=np.int64)
    received, freed = (from_seconds([row[side] for row in rows]) for side in (1, 2))
    begins = _aligned(received, [hosts[place] for place in pool], known)
    ends = begins + (freed - received)  # how long it took is its own clock's to say
    order = np.lexsort((begins, pool))
    pool, begins, ends = pool[order], begins[order], ends[order]
    last = np.append(pool[1:] != pool[:-1], True)[: pool.size]
    never = (
        np.array([row[3] for row in rows], dtype=np.bool_)[order] & last & (pools.size[pool] == 1)
    )
    gone = pools.edges[pool[never], 4]
    return Work(
        np.concatenate([pool, pool[never]]),
        np.concatenate([begins, ends[never]]),
        np.concatenate([ends, np.maximum(gone, ends[never])]),
        np.append(np.ones(pool.shape, dtype=np.bool_), np.zeros(gone.shape, dtype=np.bool_)),
    )


def _aligned(times: Times, hosts: list[str], known: Clocks) -> Times:
    """Times of several hosts by the submitting side's clock."""
    found = times.copy()
    names = np.array(hosts, dtype=np.str_)
    for host in {host for host in hosts if known.knows(host)}:
        mine = (names == host) & told(times)
        found[mine] -= known.offset_ns(host, times[mine])
    return found
