"""A whole run: it begins, gets its blocks, and is cleaned up."""

from __future__ import annotations

from typing import Any

from .executor import Executor
from .kernel import Kernel
from .logs import SECOND, Voice
from .options import Facts
from .plan import Plan
from .run import Run
from .worker import Manager

STRATEGY_PERIOD = 5 * SECOND


class Campaign:
    """A workflow, and the provider that gives it blocks."""

    def __init__(self, run: Run) -> None:
        """Set the parts of a run up."""
        self.run = run
        self.plan = Plan(run.options)
        self.executor = Executor(run, self.plan)
        log = run.log("parsl", "parsl.log")
        self.kernel = Kernel(run, self.plan, self.executor, log)
        self._poller = Voice(log)
        self._jobs: dict[str, int] = {}  # of blocks
        self._running = False

    def play(self) -> Facts:
        """Let it run, from its beginning to its end."""
        run, main = self.run, self.kernel.main
        time = main.speak(run.words["start"], run.started)
        self.executor.start(time - 100_000)
        run.at(time + 20_000, self.kernel.submit)
        run.at(time + 400_000, self._scale_out)
        run.play(lambda: self.kernel.ended)
        last = max(main.free, self.kernel.results.free, self._poller.free)
        completed = self._clean_up(last + SECOND)
        run.close()
        return self._facts(completed)

    def _scale_out(self, time: int, _: Any) -> None:
        """Launch all blocks, at the first strategy tick."""
        speak, words = self._poller.speak, self.run.words
        next_tick = time + STRATEGY_PERIOD
        time = speak(words["tick"], time)
        time = speak(words["scale_out"], time)
        for number in range(self.run.options.blocks):
            time = self._launch_block(time, str(number))
        self._block_rows(time + 15, "PENDING", "block_status", self._poller)
        self._strategy(time + 50)
        self.run.at(next_tick, self._tick)

    def _launch_block(self, time: int, block: str) -> int:
        """Submit a block's job, in which managers start."""
        run, options = self.run, self.run.options
        name = f"parsl.{options.label}.block-{block}.{time / SECOND}"
        self._write_scripts(name, block)
        shell = next(run.pids)
        self._jobs[block] = job = next(run.pids)
        values = {"block": block, "script": f"{name}.sh", "shell": shell, "job": job}
        time = self._poller.speak(run.words["block"], time, **values)
        for number in range(int(block), options.managers, options.blocks):
            start = time + 2_500_000 + int(run.random.random() * 1_000_000)
            run.at(start, self._start_manager, (number, block))
        return time

    def _start_manager(self, time: int, which: tuple[int, str]) -> None:
        """Start a manager; it takes some seconds to know its node."""
        manager = Manager(self.run, *which, time)
        delay = 4_500_000 + int(self.run.random.random() * 1_500_000)
        self.run.at(time + delay, self._register, manager)

    def _register(self, time: int, manager: Manager) -> None:
        """Have a manager join the executor."""
        self.executor.register(manager.register(time), manager)

    def _tick(self, time: int, _: Any) -> None:
        """Look at blocks and tasks, as the poller does every few seconds."""
        speak, words = self._poller.speak, self.run.words
        next_tick = time + STRATEGY_PERIOD
        asked = time
        time = speak(words["poll"], time)
        self.executor.list_blocks(asked + 300)
        if not self._running:
            self._running = True
            self._block_rows(time + 15, "RUNNING", "block_status", self._poller)
        self._strategy(speak(words["tick"], time + 30))
        self.run.at(next_tick, self._tick)

    def _strategy(self, time: int) -> None:
        """Say why no block is added or taken away."""
        speak, words = self._poller.speak, self.run.words
        options, active = self.run.options, self.executor.active
        blocks = options.blocks
        time = speak(
            words["tick_slots"],
            time,
            active=active,
            slots=options.workers,
            running=blocks if self._running else 0,
            pending=0 if self._running else blocks,
            connected=sum(len(manager.workers) for manager in self.executor.managers),
        )
        load = "idle" if not active else "busy" if active > options.workers else "slack"
        time = speak(words[f"tick_{load}"], time)
        speak(words["tick_end"], time)

    def _block_rows(self, time: int, status: str, event: str, voice: Voice) -> None:
        """Tell the log and monitoring.db of all blocks' new status."""
        run, label, messages = self.run, self.run.options.label, []
        for block, job in self._jobs.items():
            run.monitoring.block(time, block, job, status)
            messages.append(
                f"{{'run_id': '{run.run_id}', 'status': '{status}', "
                f"'timestamp': {run.clock.repr(time)}, 'executor_label': '{label}', "
                f"'job_id': '{job}', 'block_id': '{block}'}}"
            )
            time += 2
        voice.speak(run.words[event], time, message=f"[{', '.join(messages)}]")

    def _write_scripts(self, name: str, block: str) -> None:
        """Write a block's submit script and what is left of its job."""
        if "htex" not in self.run.options.files:
            return
        script = self.run.words.text("script", name=name, block=block) + "\n"
        output = "Found cores : 32\nLaunching worker: 1\n"
        error = "DEBUG:parsl.process_loggers:Normal ending for monitor on thread MainThread\n"
        path = self.run.path / "submit_scripts"
        path.mkdir(exist_ok=True)
        for ending, text in (("", script), (".ec", "-\n"), (".out", output), (".err", error)):
            (path / f"{name}.sh{ending}").write_text(text, encoding="utf-8")

    def _clean_up(self, time: int) -> int:
        """End the workflow; when it was completed."""
        run, main, words = self.run, self.kernel.main, self.run.words
        states = {state: self.kernel.states[state] for state in ("exec_done", "failed")}
        others = {state: self.kernel.states[state] for state in ("dep_fail", "memo_done")}
        time = main.speak(words["cleanup"], time, **states, **others)
        for burst in (words["managers"], words["scale_in"], words["managers"]):
            if len(burst) > 1:
                self.executor.list_managers(time + 300)
            time = main.speak(burst, time)
        for manager in self.executor.managers:
            self.executor.hold(time + 300, manager)
            time = main.speak(words["hold"], time, uid=manager.uid)
        for job in self._jobs.values():
            time = main.speak(words["cancel"], time, job=job, shell=next(run.pids))
        for block in self._jobs:
            time = main.speak(words["scaled_in"], time, block=block)
        self._block_rows(time + 15, "SCALED_IN", "scaled_in_status", main)
        completed = main.speak(words["shutdown"], time) + 5
        moment = run.clock.repr(completed)
        main.speak(words["end"], completed, completed=moment, **states)
        run.monitoring.workflow(completed, states["exec_done"], states["failed"])
        return completed

    def _facts(self, completed: int) -> Facts:
        """What is now known of the run."""
        run, options, kernel = self.run, self.run.options, self.kernel
        never_launched = kernel.states["memo_done"] + kernel.states["dep_fail"]
        return Facts(
            run_id=run.run_id,
            run_number=options.run_number,
            rundir=options.rundir,
            era=options.era,
            noise=options.noise,
            label=options.label,
            seed=options.seed,
            utc_offset=options.utc_offset,
            began=run.began / SECOND,
            completed=completed / SECOND,
            tasks=options.tasks,
            tries=run.monitoring.tries,
            launches=self.executor.launches,
            retries=self.executor.launches - (options.tasks - never_launched),
            dependencies=self.plan.dependencies,
            states=dict(sorted(kernel.states.items())),
            apps=dict(sorted(self.plan.apps.items())),
            rows=run.database.rows,
            lines={kind: sum(log.lines for log in logs) for kind, logs in run.logs.items()},
            managers={manager.uid: manager.block for manager in self.executor.managers},
            workers=options.workers,
        )
