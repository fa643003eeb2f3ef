"""A manager and its workers, on a node of their own."""

from __future__ import annotations

from collections import deque

from .logs import SECOND, Voice
from .plan import Task
from .run import Run


class Worker:
    """Runs one task at a time."""

    def __init__(self, run: Run, manager: Manager, number: int, time: int) -> None:
        """Start, and be ready soon."""
        self.manager = manager
        self.number = number
        self.pid = next(run.pids)
        self.task: Task
        self.received = self.running = self.ended = self.finished = 0
        self.cpu = 0.6  # seconds that its process has used
        self._run = run
        label = run.options.label
        below = (label, f"block-{manager.block}", manager.uid, f"worker_{number}.log")
        self._voice = Voice(run.log("worker", *below))
        self._words = run.scope(worker_id=number, worker_pid=self.pid, wtid=run.thread_id())
        self._voice.speak(self._words["worker_start"], time)

    def work(self, time: int, task: Task, duration: int) -> None:
        """Run a task: all times and lines of it."""
        speak, words = self._voice.speak, self._words
        self.task = task
        self.received = speak(words["worker_received"], time, id=task.executor_id)
        self.running = self.received + 250
        time = speak(words["worker_running"], self.received)
        self.ended = max(time, self.running) + 3000 + duration
        wrapper = next(self._run.pids) if self._words["worker_running"] else 0
        self.finished = speak(
            words["worker_completed"],
            self.ended + 400,
            id=task.executor_id,
            task=task.id,
            wrapper=wrapper,
        )
        self.cpu += duration * 0.9 / SECOND

    def messages(self) -> tuple[int, int, int, int]:
        """When a task's monitoring messages leave: its start, two samples, its end."""
        middle = (self.running + self.ended) // 2
        return self.running + 300, middle, self.ended - 500, self.ended + 300


class Manager:
    """Shares a node's workers out among tasks."""

    def __init__(self, run: Run, number: int, block: str, time: int) -> None:
        """Start on a node at a time; it says hello with `register`."""
        options = run.options
        self.uid = f"{run.random.getrandbits(48):012x}"
        self.block = block
        self.host = f"node-{number}"
        self.active = True
        self.heard = time
        self.start_time = time / SECOND
        self.workers: list[Worker] = []
        self.idle: deque[Worker] = deque()
        self.tasks: list[int] = []
        self._run = run
        self._count = 0
        self._workers = len(range(number, options.workers, options.managers))
        log = run.log("manager", options.label, f"block-{block}", self.uid, "manager.log")
        self._voice = Voice(log)
        self.words = run.scope(
            uid=self.uid,
            block=block,
            host=self.host,
            workers=self._workers,
            start_time=self.start_time,
            manager_pid=next(run.pids),
            **{f"mtid{n}": run.thread_id() for n in range(5)},
        )
        self._idle_since = time
        self.speak("mgr_start", time)

    def speak(self, event: str, time: int, **values: object) -> int:
        """Write to manager.log."""
        return self._voice.speak(self.words[event], time, **values)

    def register(self, time: int) -> int:
        """Start the workers, and say hello to the interchange."""
        time = self.speak("mgr_register", time)
        for number in range(self._workers):
            start = time + 500_000 + int(self._run.random.random() * 800_000)
            self.workers.append(Worker(self._run, self, number, start))
        self.idle.extend(self.workers)
        self.speak("mgr_registered", time + 4000)
        return time + 300

    def got(self, time: int, ids: list[int]) -> int:
        """Receive tasks from the interchange; when."""
        self._count += len(ids)
        ready = len(self.idle)
        return self.speak(
            "mgr_got", time, ids=ids, count=self._count, ready=ready, pending=len(ids)
        )

    def state(self, time: int | None = None) -> dict[str, object]:
        """What the interchange tells the monitoring hub of it."""
        if time is not None and not self.tasks:
            self._idle_since = time
        return {
            "tasks": self.tasks,
            "active": self.active,
            "heartbeat": self.heard / SECOND,
            "idle": None if self.tasks else self._idle_since / SECOND,
        }
