"""What a workflow submits: apps, dependencies, and which tasks shall fail."""

from __future__ import annotations

from collections import Counter, deque
from random import Random

from .options import Options

RETRIES = 2  # as configured in the run: a task that always fails is tried three times

# Apps and the median seconds that they run; the last is memoized, `reduce` joins several inputs.
APPS = {"simulate": 0.45, "analyse": 0.2, "prepare": 0.08, "reduce": 0.3, "reference": 0.25}
COMMON_APPS = ("simulate",) * 6 + ("analyse",) * 3 + ("prepare",)
# What a failing app raises: type, text, and repr.
_TEXT = "did not converge\n  after 100 iterations\n1234.5 is not a log line"
ERRORS = (
    ("ValueError", _TEXT, f"ValueError({_TEXT!r})"),
    ("RuntimeError", "no scratch space", "RuntimeError('no scratch space')"),
    ("KeyError", "'temperature'", "KeyError('temperature')"),
)


class Task:
    """A task between its submission and its end."""

    __slots__ = (
        "app",
        "begun",
        "dependents",
        "depends",
        "error",
        "executor_id",
        "failures",
        "failures_left",
        "hash",
        "id",
        "invoked",
        "launched",
        "try_id",
        "waiting",
    )

    def __init__(self, number: int, app: str, depends: tuple[int, ...]) -> None:
        """A task of an app, depending on earlier tasks."""
        self.id = number
        self.app = app
        self.depends = depends
        self.dependents: list[Task] = []
        self.waiting = 0  # dependencies that have not ended
        self.hash: str | None = None  # of its arguments, if it is memoized
        self.error = ERRORS[0]  # what it fails with, if it fails
        self.failures_left = 0  # tries that shall fail yet
        self.failures = 0
        self.try_id = 0
        self.executor_id = 0
        self.begun = False
        self.invoked = 0
        self.launched = 0


class Plan:
    """Draws one task after the other."""

    def __init__(self, options: Options) -> None:
        """Take the shares from the options; chance here is none of the clock's."""
        self.apps: Counter[str] = Counter()
        self.dependencies = 0
        self.submitted = 0
        self._random = Random(f"plan {options.seed} {options.run_number}")
        self._durations = Random(f"durations {options.seed} {options.run_number}")
        self._fails_once = options.fail_share
        self._fails = self._fails_once * 1.1
        self._dep_fails = self._fails_once * 1.2
        self._doomed: set[int] = set()
        self._recently_doomed: deque[int] = deque(maxlen=20)
        self._hashes: deque[str] = deque(maxlen=50)

    def next(self) -> Task:
        """The next task to be submitted."""
        draw = self._random.random()
        number, self.submitted = self.submitted, self.submitted + 1
        if draw < self._dep_fails:
            task = self._failing(number, draw)
        elif draw > 0.994:
            task = self._memoized(number)
        else:
            task = self._ordinary(number)
        self.apps[task.app] += 1
        self.dependencies += len(task.depends)
        return task

    def duration(self, app: str) -> int:
        """How many microseconds a try of an app runs."""
        return int(APPS[app] * 1e6 * self._durations.lognormvariate(0.0, 0.45)) + 1000

    def _ordinary(self, number: int) -> Task:
        """A task that succeeds; one in five depends on one to three earlier ones."""
        depends = self._earlier(number) if self._random.random() < 0.2 else ()
        app = "reduce" if len(depends) > 1 else self._random.choice(COMMON_APPS)
        return Task(number, app, depends)

    def _failing(self, number: int, draw: float) -> Task:
        """A task that fails: once, always, or because one that it depends on does."""
        if draw >= self._fails and self._recently_doomed:
            task = Task(number, "analyse", (self._random.choice(self._recently_doomed),))
            self._doom(number)
            return task
        task = self._ordinary(number)
        task.error = self._random.choice(ERRORS)
        task.failures_left = 1
        if self._fails_once <= draw < self._fails:
            task.failures_left = RETRIES + 1
            self._doom(number)
        return task

    def _memoized(self, number: int) -> Task:
        """A memoized task, with arguments like an earlier one's in half the cases."""
        task = Task(number, "reference", ())
        if self._hashes and self._random.random() < 0.5:
            task.hash = self._random.choice(self._hashes)
        else:
            task.hash = f"{self._random.getrandbits(128):032x}"
            self._hashes.append(task.hash)
        return task

    def _doom(self, number: int) -> None:
        """Remember that whoever depends on this task fails."""
        self._doomed.add(number)
        self._recently_doomed.append(number)

    def _earlier(self, number: int) -> tuple[int, ...]:
        """Some earlier tasks, mostly recent, none of which fails."""
        count = self._random.choices((1, 2, 3), (75, 20, 5))[0]
        far = 50 if self._random.random() < 0.9 else 5000
        drawn = {number - 1 - int(self._random.random() * far) for _ in range(count)}
        return tuple(sorted(task for task in drawn if task >= 0 and task not in self._doomed))
