"""Failures that share a cause, together; what they cost."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.path import PLACE, Paths
from dnpcsql.analyses.times import Times, told

# File "/home/me/run.py", line 206, in boom
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
# bash_fail failed with unix exit code 3; the database has the exception's arguments: 'bash_fail', 3
_EXIT_CODE = re.compile(r"exit (?:code|status) (-?\d+)|^'[^']*', (-?\d+)$")
_PARSL = "/site-packages/parsl/"


class Failed(NamedTuple):
    """One thing that failed: a row of the view `failure`, with what else is known of it."""

    layer: str
    what: str
    exception: str | None
    message: str | None
    stacktrace: str | None
    app: str | None
    task: int | None
    try_id: int | None
    executor: str | None
    host: str | None
    block: str | None
    time: float | None
    line: str  # parsl.log:1145
    held_ns: int  # how long it held a worker
    retried: bool
    memory: float | None  # bytes resident, as last measured


class Cause(NamedTuple):
    """Failures of one layer, exception and place, and what they led to."""

    layer: str
    what: str
    exception: str | None
    message: str | None  # of one of them
    raised_at: str | None  # file:line in function, of the innermost frame
    app: str | None  # None: of several apps
    executor: str | None
    hosts: tuple[str, ...]
    blocks: tuple[str, ...]
    exit_code: int | None
    failures: int
    tasks: int
    retried: int  # tries that were followed by another
    gave_up: int  # tasks that failed for good
    stopped: int  # further tasks that could not run because of these
    held_ns: int  # worker time that went into what failed
    wall_ns: int  # time of the tasks that failed for good or could not run
    memory: float | None  # the most of all, bytes
    first: float | None
    last: float | None
    lines: tuple[str, ...]


def held_ns(paths: Paths) -> Times:
    """How long each try held a worker, or a thread: until it completed, or its end was told."""
    begins = _first(paths, ("worker_received", "queue_running", "running"))
    ends = _first(
        paths, ("worker_completed", "queue_waiting_retrieval", "running_ended", "returned")
    )
    both = told(begins) & told(ends)
    return np.where(both, np.maximum(np.where(both, ends, 0) - np.where(both, begins, 0), 0), 0)


def _first(paths: Paths, names: tuple[str, ...]) -> Times:
    """The first of these moments that is told."""
    found = paths.times[:, PLACE[names[0]]]
    for name in names[1:]:
        found = np.where(told(found), found, paths.times[:, PLACE[name]])
    return found


def causes(
    failed: Iterable[Failed], waits_for: dict[int, list[int]], walls_ns: dict[int, int]
) -> list[Cause]:
    """Grouped; what cost the most time first, then what failed most often.

    Of an app's own failures those of one app, exception and exit code share a cause; of others
    those of one executor and block. A task that failed because one that it waits for had failed
    is counted there: `waits_for` has the tasks that each one waits for,
    `walls_ns` each task's time from its call to its end.
    """
    failed = list(failed)
    # A log tells the exit code with a task's last failure, not with those before it.
    codes = {(one.task, one.exception): _exit_code(one) for one in failed if _exit_code(one)}
    groups: dict[tuple[object, ...], list[Failed]] = {}
    of_task: dict[int, tuple[object, ...]] = {}
    dependent: list[Failed] = []
    for one in failed:
        if one.layer == "dependency":
            dependent.append(one)
            continue
        place = (one.app,) if one.layer == "app" else (one.executor, one.block)
        code = codes.get((one.task, one.exception)) if one.what == "try" else _exit_code(one)
        key = (one.layer, one.what, one.exception, code, *place)
        groups.setdefault(key, []).append(one)
        if one.task is not None:
            of_task[one.task] = key
    stopped: dict[tuple[object, ...], set[int | None]] = defaultdict(set)
    for one in dependent:
        root = _root(one.task, of_task, waits_for)
        if root is None:
            groups.setdefault((one.layer, one.what, one.exception, None), []).append(one)
        else:
            stopped[root].add(one.task)
    found = [_cause(members, stopped[key], walls_ns) for key, members in groups.items()]
    return sorted(found, key=lambda cause: (-cost_ns(cause), -cause.failures, str(cause)))


def cost_ns(cause: Cause) -> int:
    """Time that led to nothing: of tasks that never had a result, and of the workers that tried."""
    return cause.wall_ns + cause.held_ns


def _root(
    task: int | None, of_task: dict[int, tuple[object, ...]], waits_for: dict[int, list[int]]
) -> tuple[object, ...] | None:
    """The cause of the nearest task before that failed by itself."""
    open_, seen = [task], {task}
    while open_:
        at = open_.pop(0)
        for earlier in waits_for.get(at, []) if at is not None else []:
            if earlier in of_task:
                return of_task[earlier]
            if earlier not in seen:
                seen.add(earlier)
                open_.append(earlier)
    return None


def _cause(members: list[Failed], stopped: set[int | None], walls_ns: dict[int, int]) -> Cause:
    one = members[0]
    apps = {member.app for member in members}
    times = [member.time for member in members if member.time is not None]
    memory = [member.memory for member in members if member.memory is not None]
    frames = (_raised_at(member.stacktrace) for member in members if member.stacktrace)
    tasks = {member.task for member in members if member.task is not None}
    finally_failed = {
        member.task for member in members if member.task is not None and not member.retried
    }
    return Cause(
        one.layer,
        one.what,
        one.exception,
        next((_shown(member.message) for member in members if member.message), None),
        next((frame for frame in frames if frame), None),
        one.app if len(apps) == 1 else None,
        one.executor,
        tuple(sorted({member.host for member in members if member.host})),
        tuple(sorted({member.block for member in members if member.block})),
        next((code for code in map(_exit_code, members) if code is not None), None),
        len(members),
        len(tasks),
        sum(member.retried for member in members),
        len(finally_failed),
        len(stopped),
        sum(member.held_ns for member in members),
        sum(walls_ns.get(task, 0) for task in finally_failed | stopped if task is not None),
        max(memory, default=None),
        min(times, default=None),
        max(times, default=None),
        tuple(member.line for member in members[:3]),
    )


def _exit_code(one: Failed) -> int | None:
    found = _EXIT_CODE.search(f"{one.exception} {one.message}") if one.what != "try" else None
    if one.exception == "BashExitFailure":
        found = _EXIT_CODE.search(one.message or "")
    return int(found[1] or found[2]) if found else None


def _raised_at(stacktrace: str | None) -> str | None:
    """The innermost frame of a traceback that is not Parsl's own."""
    frames = [frame for frame in _FRAME.findall(stacktrace or "") if _PARSL not in frame[0]]
    return "{}:{} in {}".format(*frames[-1]) if frames else None


def _shown(message: str | None) -> str | None:
    """A message on one line, not too long."""
    if not message:
        return None
    line = message.replace("\\n", " ").replace("\n", " ").strip()
    return line if len(line) <= 80 else line[:79] + "…"
