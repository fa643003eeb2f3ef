"""What can be asked of the generator, and what it says about the run it made."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

FILES = ("monitoring", "parsl", "htex")
NOISES = ("light", "full")

# Where and by whom the imagined runs were made: nothing of the machine that imagines them.
HOME = "/home/parsl/campaign"
USER = "parsl"
LOGIN_HOST = "login-1"
WORKFLOW_NAME = "synthetic campaign"
CORES = 32
MEMORY = 135089225728


@dataclass(frozen=True)
class Era:
    """What a version of Parsl does differently, beyond its wording."""

    wording: str  # the file in words/
    epoch_heads: bool  # HTEX logs start their lines as parsl.log does
    node_row_per_change: bool  # monitoring.db gets a node row at each change of a manager's load
    dep_fail_rows: int  # status rows of one dep_fail


ERAS = {
    "2026": Era("2026.txt", epoch_heads=True, node_row_per_change=True, dep_fail_rows=1),
    "2025": Era("2025.txt", epoch_heads=False, node_row_per_change=False, dep_fail_rows=2),
}


@dataclass(frozen=True)
class Options:
    """All that shapes a run; managers and workers are totals, dealt out evenly."""

    tasks: int
    noise: str = "light"
    seed: int = 1
    workers: int = 16
    managers: int = 2
    blocks: int = 2
    files: Collection[str] = FILES
    label: str = "htex"
    fail_share: float = 0.02
    run_number: str = "000"
    era: str = "2026"
    utc_offset: int = 0  # seconds east of UTC of every local time
    window: int | None = None  # tasks that may be outstanding; by default a tenth of them

    def __post_init__(self) -> None:
        """Refuse what no run could look like."""
        if self.tasks < 1 or not 1 <= self.blocks <= self.managers <= self.workers:
            raise ValueError("at least one task, and blocks <= managers <= workers")
        if self.noise not in NOISES or self.era not in ERAS or not set(self.files) <= set(FILES):
            raise ValueError(f"noise is one of {NOISES}, era of {tuple(ERAS)}, files of {FILES}")
        if self.label in {"", ".", ".."} or "/" in self.label:
            raise ValueError("the label names a directory")
        if len(self.run_number) != 3 or not self.run_number.isdecimal():
            raise ValueError("the run number has three digits")
        if self.outstanding < 1 or not 0 <= self.fail_share <= 0.5:
            raise ValueError("window is positive, fail_share between 0 and 0.5")

    @property
    def outstanding(self) -> int:
        """How many tasks may be outstanding before submission waits."""
        if self.window is not None:
            return self.window
        return min(max(self.tasks // 10, 4 * self.workers), 10_000)

    @property
    def rundir(self) -> str:
        """The run's directory as the imagined run itself knew it."""
        return f"{HOME}/runinfo/{self.run_number}"


@dataclass(frozen=True)
class Facts:
    """What is known to be true of a generated run."""

    run_id: str
    run_number: str
    rundir: str
    era: str
    noise: str
    label: str
    seed: int
    utc_offset: int
    began: float  # unix seconds, as workflow.time_began
    completed: float
    tasks: int
    tries: int  # rows of table try: a memo hit and a dep_fail have one too
    launches: int  # tries that reached the executor, which are its ids 1..launches
    retries: int  # tries after a task's first
    dependencies: int  # pairs of a task and one that it waited for
    states: dict[str, int]  # final ones
    apps: dict[str, int]
    rows: dict[str, int]  # of this run in each table of monitoring.db
    lines: dict[str, int]  # by kind of log
    managers: dict[str, str]  # uid: block
    workers: int

    def write(self, path: Path) -> None:
        """Keep them beside the run, as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
