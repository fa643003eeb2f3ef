"""A small pilot-job system, tick by tick, that knows why each of its workers is idle.

It is made of queues and workers, not of times: at each tick it looks into its own queues.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

from dnpcsql.analyses.idleness import (
    DEPENDENCIES,
    DFK,
    INTERCHANGE,
    NOTHING,
    OTHER,
    OWN,
    PENDING,
    STAGES,
    STARTING,
    Pools,
    Waiting,
    Work,
)

TICK = 1_000_000  # nanoseconds


@dataclass
class Task:
    """When it came where, in ticks."""

    number: int
    submitted: int
    lasts: int
    needs: list[int] = field(default_factory=list)
    ready: int | None = None
    launched: int | None = None
    sent: int | None = None
    manager: int = -1
    received: int | None = None
    worker: int = -1
    done: int | None = None


@dataclass
class System:
    """Managers with workers and prefetch; each stage passes on one task in so many ticks."""

    tasks: list[Task]
    managers: int = 2
    workers: int = 2  # of each manager
    prefetch: int = 1
    launch_every: int = 1
    send_every: int = 1
    registers: int = 5  # from 0, when blocks are asked for
    starts: int = 8
    until: int = 400
    truth: Counter[str] = field(default_factory=Counter)
    busy: int = 0

    def run(self) -> None:
        """Play it to the end, and count what each worker does at each tick."""
        dfk: deque[Task] = deque()
        interchange: deque[Task] = deque()
        queues: list[deque[Task]] = [deque() for _ in range(self.managers)]
        hold: dict[tuple[int, int], Task] = {}
        waiting: list[Task] = []
        done: set[int] = set()
        for now in range(self.until):
            for key, task in list(hold.items()):
                assert task.received is not None
                if now - task.received >= task.lasts:
                    task.done = now
                    done.add(task.number)
                    del hold[key]
            waiting += [task for task in self.tasks if task.submitted == now]
            for task in [task for task in waiting if done.issuperset(task.needs)]:
                waiting.remove(task)
                task.ready = now
                dfk.append(task)
            if dfk and now % self.launch_every == 0:
                dfk[0].launched = now
                interchange.append(dfk.popleft())
            there = now >= self.registers
            if interchange and there and now % self.send_every == 0:
                loads = [
                    len(queues[number]) + sum(key[0] == number for key in hold)
                    for number in range(self.managers)
                ]
                number = (now // self.send_every) % self.managers  # round robin, as it is not fair
                if loads[number] < self.workers + self.prefetch:
                    task = interchange.popleft()
                    task.sent, task.manager = now, number
                    queues[number].append(task)
            if now >= self.starts:
                for number, queue in enumerate(queues):
                    for worker in range(self.workers):
                        # A manager hands out one task at a tick.
                        if queue and (number, worker) not in hold and queue[0].sent != now:
                            task = queue.popleft()
                            task.received, task.worker = now, worker
                            hold[number, worker] = task
                            break
            self._count(now, hold, queues, interchange, dfk, waiting)

    def _count(self, now, hold, queues, interchange, dfk, waiting) -> None:  # type: ignore[no-untyped-def]
        every = self.managers * self.workers
        if now < self.starts:
            self.truth[PENDING if now < self.registers else STARTING] += every
            return
        left = {number: len(queue) for number, queue in enumerate(queues)}
        rest = {INTERCHANGE: len(interchange), DFK: len(dfk), DEPENDENCIES: len(waiting)}
        free = []
        for number in range(self.managers):
            for worker in range(self.workers):
                if (number, worker) in hold:
                    self.busy += 1
                elif left[number]:
                    left[number] -= 1
                    self.truth[OWN] += 1
                else:
                    free.append(number)
        for _ in free:
            spare = next((number for number, count in left.items() if count), None)
            if spare is not None:
                left[spare] -= 1
                self.truth[OTHER] += 1
                continue
            cause = next((name for name, count in rest.items() if count), NOTHING)
            if cause != NOTHING:
                rest[cause] -= 1
            self.truth[cause] += 1

    def records(self) -> tuple[Pools, Work, Waiting]:
        """What logs would tell of it: times only."""
        count = self.managers * self.workers
        edges = np.array([[0, self.registers, self.starts, self.until, self.until, self.until]])
        pools = Pools(
            np.ones(count, dtype=np.int64),
            np.repeat(np.arange(self.managers), self.workers),
            np.repeat(edges * TICK, count, axis=0),
            np.zeros(count, dtype=np.bool_),
        )
        ran = [task for task in self.tasks if task.received is not None]
        ends = [task.done if task.done is not None else self.until for task in ran]
        work = Work(
            np.array([task.manager * self.workers + task.worker for task in ran], dtype=np.int64),
            np.array([task.received for task in ran], dtype=np.int64) * TICK,
            np.array(ends, dtype=np.int64) * TICK,
            np.ones(len(ran), dtype=np.bool_),
        )
        rows = []
        for task in self.tasks:
            stays = (
                (DEPENDENCIES, -1, task.submitted, task.ready),
                (DFK, -1, task.ready, task.launched),
                (INTERCHANGE, -1, task.launched, task.sent),
                (OWN, task.manager, task.sent, task.received),
            )
            for stage, manager, begin, end in stays:
                if begin is not None:
                    over = self.until if end is None else end
                    rows.append((STAGES.index(stage), manager, begin * TICK, over * TICK))
        columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
        return pools, work, Waiting(*columns)


def chance(seed: int) -> System:
    """A system of any kind."""
    draw = random.Random(seed)
    tasks = []
    submitted = draw.randrange(20)
    for number in range(draw.randrange(1, 80)):
        submitted += draw.choice((0, 0, 0, 1, 5, 20))
        needs = draw.sample(range(number), min(number, draw.choice((0, 0, 1, 3))))
        tasks.append(Task(number, submitted, draw.choice((1, 3, 10, 40)), needs))
    return System(
        tasks,
        managers=draw.randrange(1, 4),
        workers=draw.randrange(1, 4),
        prefetch=draw.randrange(4),
        launch_every=draw.choice((1, 2, 7)),
        send_every=draw.choice((1, 2, 9)),
    )
