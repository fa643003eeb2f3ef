"""The HighThroughputExecutor: interchange, managers and workers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .logs import Voice
from .plan import Plan, Task
from .run import Run
from .worker import Manager, Worker

if TYPE_CHECKING:
    from .kernel import Kernel

HEARTBEAT = 30_000_000


class Executor:
    """Takes tasks from the kernel, gives them to workers first come first served, returns them."""

    def __init__(self, run: Run, plan: Plan) -> None:
        """Start the interchange; managers come with their blocks."""
        self.run = run
        self.launches = 0
        self.active = 0  # tasks taken and not yet returned
        self.managers: list[Manager] = []
        self.voice = Voice(run.log("interchange", run.options.label, "interchange.log"))
        self.kernel: Kernel
        self._plan = plan
        self._full = run.options.noise == "full"
        self._pending: deque[Task] = deque()
        self._random = run.random
        self._put = run.words["ic_put"]

    def start(self, time: int) -> None:
        """Tell of the interchange's start."""
        self.voice.speak(self.run.words["ic_start"], time)

    def put(self, time: int, task: Task) -> None:
        """Take a task into the interchange's queue."""
        self.active += 1
        time = self.voice.speak(self._put, time, id=task.executor_id, count=task.executor_id)
        self._pending.append(task)
        self._dispatch(time + 20)

    def register(self, time: int, manager: Manager) -> None:
        """Let a manager that has just said hello have tasks."""
        words = manager.words
        time = self.voice.speak(words["ic_probe"], time)
        manager.heard = time
        time = self.voice.speak(words["ic_register"], time, **manager.state())
        self.run.monitoring.node(time + 20, manager)
        time = self.voice.speak(words["ic_registered"], time, **manager.state())
        self.managers.append(manager)
        self.run.at(time + HEARTBEAT, self._heartbeat, manager)
        self._dispatch(time + 100)

    def hold(self, time: int, manager: Manager) -> int:
        """Give a manager no more tasks, at the run's end."""
        manager.active = False
        time = self.voice.speak(manager.words["ic_hold"], time)
        self.run.monitoring.node(time + 20, manager)
        return self.voice.speak(manager.words["ic_held"], time, **manager.state())

    def list_managers(self, time: int) -> int:
        """Answer the kernel's question, which managers there are."""
        idle = (time - self.voice.free) / 1e6
        replies = [
            manager.words.text("ic_reply", idle=f"{idle:.6f}", active=manager.active)
            for manager in self.managers
        ]
        return self.voice.speak(self.run.words["ic_managers"], time, replies=", ".join(replies))

    def list_blocks(self, time: int) -> None:
        """Answer the kernel's question, which blocks are connected."""
        connected = sorted({manager.block for manager in self.managers})
        self.voice.speak(self.run.words["ic_poll"], time, connected=connected)

    def _dispatch(self, time: int) -> None:
        """Send what is pending to managers with free workers, each in its turn by chance."""
        while self._pending:
            ready = [manager for manager in self.managers if manager.idle]
            if not ready:
                return
            manager = ready[0] if len(ready) == 1 else self._random.choice(ready)
            number = min(len(manager.idle), len(self._pending))
            batch = [self._pending.popleft() for _ in range(number)]
            time = self._send(time, manager, batch, len(ready))

    def _send(self, time: int, manager: Manager, batch: list[Task], ready: int) -> int:
        """Send tasks to a manager, which hands them to its idle workers."""
        speak, words = self.voice.speak, manager.words
        capacity = len(manager.idle)
        free = capacity - len(batch)
        ids = [task.executor_id for task in batch]
        total = len(self.managers)
        time = speak(words["ic_send"], time, ids=ids, interesting=ready, total=total)
        sent = time
        manager.tasks.extend(ids)
        if free:
            time = speak(words["ic_free"], time, free=free, capacity=capacity)
        else:
            time = speak(words["ic_saturated"], time, capacity=capacity)
        if self.run.era.node_row_per_change:
            self.run.monitoring.node(time + 20, manager)
        interesting = ready if free else ready - 1
        state = manager.state() if self._full else {}
        time = speak(words["ic_sent"], time, interesting=interesting, **state)
        got = manager.got(sent + 300 + int(self._random.random() * 500), ids)
        for task in batch:
            self._work(got, manager, task)
        return time

    def _work(self, got: int, manager: Manager, task: Task) -> None:
        """Have an idle worker run a task."""
        worker = manager.idle.popleft()
        duration = self._plan.duration(task.app)
        received = got + 500 + int(self._random.random() * 1500)
        worker.work(received, task, duration)
        if self._full:
            for number, time in enumerate(worker.messages()):
                self.run.at(time, self._monitor, (manager, number))
        self.run.at(worker.finished + 100, self._finish, worker)

    def _monitor(self, time: int, message: tuple[Manager, int]) -> None:
        """Pass on one of a task's monitoring messages."""
        manager, number = message
        time = manager.speak("mgr_monitor", time, ready=len(manager.idle))
        time = self.voice.speak(manager.words["ic_monitor"], time + 150, tasks=manager.tasks)
        if number == 0:
            ready = sum(1 for each in self.managers if each.idle)
            total = len(self.managers)
            self.voice.speak(manager.words["ic_running"], time, interesting=ready, total=total)

    def _finish(self, time: int, worker: Worker) -> None:
        """Return a task to the kernel, and have the next one."""
        manager, task = worker.manager, worker.task
        manager.idle.append(worker)
        time = manager.speak("mgr_result", time, ready=len(manager.idle))
        time = self.voice.speak(manager.words["ic_result"], time + 150, id=task.executor_id)
        manager.tasks.remove(task.executor_id)
        self.active -= 1
        if self.run.era.node_row_per_change:
            self.run.monitoring.node(time + 20, manager)
        state = manager.state(time) if self._full else {}
        ready = time = self.voice.speak(manager.words["ic_removed"], time, **state)
        self.kernel.result(ready + 200, worker)
        self._dispatch(time + 20)

    def _heartbeat(self, time: int, manager: Manager) -> None:
        """Hear that a manager is alive."""
        manager.heard = self.voice.speak(manager.words["ic_heartbeat"], time + 400)
        manager.speak("mgr_heartbeat", time, ready=len(manager.idle))
        self.run.at(time + HEARTBEAT, self._heartbeat, manager)
