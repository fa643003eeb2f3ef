"""The way of a task's tries through all layers: the moments on it, and what lies between two.

A *path* is what a run's files tell of all its tasks, as arrays. A *hop* goes from one told moment
of a task to the next one that is told; which hops there are is up to the files.
"""

from __future__ import annotations

from typing import NamedTuple

from dnpcsql.analyses.times import Counts, Mask, Times

MOMENTS = (
    "invoked",
    "pending",
    "ready",  # the last task that it waited for is done
    "launched",
    "submitted",  # the executor has given it its own number
    "interchange_received",
    "interchange_sent",
    "manager_got",
    "queue_waiting",  # Work Queue and TaskVine
    "worker_received",
    "queue_running",
    "running",
    "running_ended",
    "worker_completed",
    "queue_waiting_retrieval",
    "worker_finished",
    "interchange_result",
    "queue_retrieved",
    "queue_done",
    "joining",
    "returned",  # the try
    "done",  # the task
    "last_heard",  # the run, where a task never returned
)
"""All moments of a try, in their canonical order."""

PLACE = {name: place for place, name in enumerate(MOMENTS)}

PHASES = (
    "submit",
    "dependencies",
    "launch",
    "queue",
    "worker",
    "work",
    "return",
    "joined",
    "retry",
    "unfinished",
    "unattributed",
)
"""What a hop is part of, in the order of a task's life."""

ABOUT = {
    "submit": "from the call of the app until it is in the task table",
    "dependencies": "waiting for other tasks",
    "launch": "handing it to an executor, or answering it without one",
    "queue": "in executor, interchange, manager, until a worker has it",
    "worker": "a worker unpacks, wraps and packs",
    "work": "the app runs",
    "return": "the way of the result",
    "joined": "waiting for the tasks inside a join app",
    "retry": "between a failed try and the next",
    "unfinished": "since the last that is told of a task that never returned",
    "unattributed": "work and waiting that no file tells apart",
}

HOPS = {
    ("invoked", "pending"): "submitting",
    ("pending", "ready"): "waiting for other tasks",
    ("ready", "launched"): "being launched",
    ("launched", "submitted"): "handed to the executor",
    ("submitted", "interchange_received"): "to the interchange",
    ("interchange_received", "interchange_sent"): "queued in the interchange",
    ("submitted", "interchange_sent"): "queued in the interchange",
    ("interchange_sent", "manager_got"): "to the manager",
    ("manager_got", "worker_received"): "queued in the manager",
    ("interchange_sent", "worker_received"): "to the manager and queued there",
    ("submitted", "worker_received"): "queued until a worker has it",
    ("launched", "worker_received"): "queued until a worker has it",
    ("launched", "running"): "queued until it runs",
    ("worker_received", "running"): "unpacked and wrapped by the worker",
    ("running", "running_ended"): "the app runs, as Parsl's monitoring sees it",
    ("worker_received", "worker_completed"): "the app runs, as its worker sees it",
    ("running_ended", "worker_completed"): "result packed by the worker",
    ("worker_completed", "worker_finished"): "worker clears up",
    ("worker_finished", "interchange_result"): "result to the interchange",
    ("worker_completed", "interchange_result"): "result to the interchange",
    ("interchange_result", "returned"): "result from the interchange to the task",
    ("running_ended", "returned"): "result on its way back",
    ("worker_finished", "returned"): "result on its way back",
    ("joining", "returned"): "waiting for the tasks inside",
    ("returned", "pending"): "until the next try",
    ("returned", "done"): "until the task is done",
    ("queue_running", "running"): "sent to a worker, unpacked, started",
    ("queue_waiting", "queue_running"): "queued in Work Queue",
}
"""What happens in the hops that whole logs tell of."""

_STARTS = {"worker_received", "queue_running", "running"}
_ENDS = {"running_ended", "worker_completed", "queue_waiting_retrieval"}
_BEFORE = {
    "pending": "submit",
    "ready": "dependencies",
    "launched": "launch",
    "submitted": "launch",
}


class Paths(NamedTuple):
    """What is told of a run's tasks. Times in nanoseconds, MISSING where no file tells."""

    tasks: Counts  # their numbers, rising; shape (tasks,)
    apps: list[str]
    invoked: Times  # shape (tasks,)
    done: Times  # shape (tasks,)
    last_heard: int  # the run's end, else the last that is known of the submitting process
    owners: Counts  # of each try, its task's place in `tasks`, rising; shape (tries,)
    tries: Counts  # their numbers in their task, rising in each
    times: Times  # shape (tries, len(MOMENTS)); invoked, done and last_heard are not in it
    waits: Mask  # the try's task waits for others, and this is its first
    answered: Mask  # by memoization or a failed dependency: never launched, as the files say
    executors: list[str]  # of each try; "-" where none is told
    blocks: list[str]
    hosts: list[str]
    workers: list[str]


def phase(begin: str, end: str, *, answered: bool = False) -> str:
    """What a hop is part of.

    A hop that holds an app's running and other things besides, with nothing to tell them apart,
    is unattributed. One that misses moments in between, but not the running, is not.
    """
    if end == "last_heard":
        return "unfinished"
    if begin == "joining":
        return "joined"
    if begin == "returned":
        return "return" if end == "done" else "retry"
    if end == "pending" and begin != "invoked":  # of a try after one whose end no file tells
        return "retry" if PLACE[begin] > PLACE["running"] else "unattributed"
    if end in _BEFORE:
        return _BEFORE[end]
    if begin in _STARTS:
        return "worker" if end in _STARTS else "work" if end in _ENDS else "unattributed"
    if PLACE[begin] < PLACE["running"]:
        if PLACE[end] <= PLACE["running"]:
            return "queue"
        return "launch" if answered else "unattributed"
    return "worker" if begin in _ENDS and end in _ENDS else "return"


def words(begin: str, end: str) -> str:
    """What happens in a hop, for people."""
    if end == "last_heard":
        return "never heard of again"
    return HOPS.get((begin, end), "")
