"""Each statement of `why`, checked against the logs: the example run, and one that was killed.

The table is STATEMENTS. Its sentences are written from what tests/answers/by_hand.py reads in the
files, and from the lines themselves; nothing in it comes from dnpcsql.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from dnpcsql.answers.finding import Finding
from dnpcsql.answers.why import ANSWERS, Why, why
from dnpcsql.errors import NotFoundError
from dnpcsql.store import Store
from tests.answers import by_hand
from tests.answers.by_hand import Piece, covered, total
from tests.conftest import corpus

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "runinfo.tar.xz"


class Logs:
    """A run's directory, read by hand."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tries = by_hand.read(directory, 0)
        self.pieces = by_hand.pieces(directory, 0)
        self.log = (directory / "parsl.log").read_text().split("\n")

    def line(self, name: str, number: int) -> str:
        """A line of the one file of that name."""
        (path,) = self.directory.rglob(name)
        return path.read_text().split("\n")[number - 1]

    def at(self, name: str, number: int) -> float:
        """When it was written."""
        return float(self.line(name, number).split(" ")[0])

    def matching(self, pattern: str) -> list[re.Match[str]]:
        """Where lines of parsl.log match."""
        return [found for found in map(re.compile(pattern).search, self.log) if found]

    def between(self, begin: str, end: str) -> list[float]:
        """Seconds of each hop that has both."""
        return [
            (moments[end] - moments[begin]) / 1e9
            for moments in self.tries.values()
            if begin in moments and end in moments
        ]

    def first_launch(self) -> float:
        """When a try was first launched on an executor that numbers them."""
        return min(one["launched"] for one in self.tries.values() if "submitted" in one) / 1e9


def share(logs: Logs, phase: str, about: str) -> str:
    """What is to be said of a phase."""
    mine = [piece for piece in logs.pieces if piece.phase == phase]
    seconds, wall = total(mine) / 1e9, covered(mine) / 1e9
    part = 100 * total(mine) / total(logs.pieces)
    return (
        f"{part:.1f} % of all tasks' time, {seconds:.1f} s, went by in {phase}: {about}; "
        f"during {wall:.1f} s at least one task was there"
    )


def started(logs: Logs, executor: str, block: int, manager: int, worker: int) -> str:
    """What is to be said of an executor's start, by three lines of its logs."""
    asked, came = logs.at("parsl.log", block), logs.at("interchange.log", manager)
    took = logs.at("worker_1.log", worker)
    queued = [
        Piece("", piece.begin, min(piece.end, round(took * 1e9)), piece.owner)
        for piece in logs.pieces
        if piece.phase == "queue" and "submitted" in logs.tries[piece.owner]
        and min(piece.end, round(took * 1e9)) > piece.begin
    ]  # fmt: skip
    return (
        f"executor {executor} had no worker at work for {took - logs.first_launch():.1f} s after "
        f"its first launch: its first manager came {came - asked:.1f} s after its block was asked "
        f"for, the first task was on a worker {took - came:.1f} s after that; "
        f"{len({piece.owner for piece in queued})} tries queued {total(queued) / 1e9:.1f} s "
        "meanwhile"
    )


def uneven(logs: Logs, what: str, begin: str, end: str, task: int) -> str:
    """What is to be said of a hop that takes long for some."""
    seconds = logs.between(begin, end)
    p50, p95 = np.quantile(seconds, [0.5, 0.95])
    (longest,) = [owner for owner, one in logs.tries.items() if end in one and begin in one
                  and (one[end] - one[begin]) / 1e9 == max(seconds)]  # fmt: skip
    assert longest[0] == task
    return (
        f"{what}, from {begin} to {end}, took at most {p50:.3f} s for half of {len(seconds)} "
        f"tries, but {p95:.3f} s or more for one in twenty, and {max(seconds):.3f} s "
        f"for task {task}"
    )


def failed(logs: Logs, app: str, exception: str, raised: str = "", stopped: str = "") -> str:
    """What is to be said of an app's failures."""
    tasks = {found[1] for found in logs.matching(rf"Task (\d+) submitted for App {app}, ")}
    tries = [
        (int(found[1]), int(found[2]))
        for found in logs.matching(rf"Task (\d+) try (\d+) failed with .* type {exception[:10]}")
        if found[1] in tasks
    ]
    again = [one for one in tries if (one[0], one[1] + 1) in logs.tries]
    held = [logs.tries[one] for one in tries]
    begins = "worker_received" if "worker_received" in held[0] else "running"
    ends = "worker_completed" if "worker_completed" in held[0] else "running_ended"
    cost = sum(one[ends] - one[begins] for one in held) / 1e9
    owners = len({task for task, _ in tries})
    lost = {task for task, attempt in tries if (task, attempt + 1) not in logs.tries}
    if stopped:
        lost |= {int(found[1]) for found in logs.matching(DEPENDENCY)}
    wall = total([piece for piece in logs.pieces if piece.owner[0] in lost]) / 1e9
    vain = f"; {wall:.1f} s of tasks led to nothing" if lost else ""
    return (
        f"{len(tries)} tries of {owners} task{'s'[: owners - 1]} of app {app} failed with "
        f"{exception}{raised}; {len(again)} were tried again{stopped}; "
        f"cost {cost:.1f} worker-seconds{vain}"
    )


class Statement(NamedTuple):
    """A sentence, and the lines that it rests on: (file, number, what stands there)."""

    sentence: Callable[[Logs], str]
    lines: tuple[tuple[str, int, str], ...] = ()


DEPENDENCY = r"Task (\d+) failed due to dependency failure"
QUEUE = "in executor, interchange, manager, until a worker has it"

STATEMENTS = {
    "example": (
        Statement(lambda logs: share(logs, "queue", QUEUE)),
        Statement(
            lambda logs: started(logs, "htex", 813, 115, 3),
            (
                ("parsl.log", 813, "[Scaling executor htex] Launched block 0 with job ID 16795"),
                ("interchange.log", 115, "Registration info for manager b'91365d3eae4d'"),
                ("worker_1.log", 3, "Received executor task 1"),
            ),
        ),
        Statement(
            lambda logs: uneven(
                logs, "queued in the interchange", "interchange_received", "interchange_sent", 40
            ),
            (
                ("interchange.log", 102, "Put task 30 onto pending_task_queue"),
                ("interchange.log", 824, "Sent tasks: [30] to manager b'91365d3eae4d'"),
            ),
        ),
        Statement(lambda logs: share(logs, "dependencies", "waiting for other tasks")),
        Statement(
            lambda logs: failed(
                logs, "boom", "ValueError",
                ", raised at {}:{} in boom, in block 0, on vm".format(
                    *logs.matching(r'File "(\S+)", line (\d+), in boom')[0].groups()
                ),
                f"; {len({found[1] for found in logs.matching(DEPENDENCY)})} tasks that waited "
                "could not run",
            ),
            (
                ("parsl.log", 1120, "Task 33 try 0 failed with exception of type ValueError"),
                ("parsl.log", 1136, "Task 34 try 0 failed with exception of type ValueError"),
                ("parsl.log", 1671, "Task 33 try 1 failed with exception of type ValueError"),
            ),
        ),
        Statement(
            lambda logs: uneven(
                logs, "queued in the manager", "manager_got", "worker_received", 1
            ),
            (
                ("manager.log", 39, "Got executor tasks: [1, 2], cumulative count of tasks: 2"),
                ("worker_1.log", 9, "Received executor task 2"),
            ),
        ),
        Statement(
            lambda logs: failed(
                logs, "bash_fail", "BashExitFailure (exit code 3)", ", in block 0, on vm"
            ),
            (
                ("parsl.log", 1745, "Task 46 try 0 failed with exception of type BashExitFailure"),
                ("parsl.log", 1931, "Task 46 try 1 failed with exception of type BashExitFailure"),
                ("parsl.log", 2105, "Task 46 try 2 failed with exception of type BashExitFailure"),
            ),
        ),
        Statement(
            lambda logs: failed(logs, "flaky", "RuntimeError", ", in block 0, on vm"),
            (
                ("parsl.log", 1145, "Task 38 try 0 failed with exception of type RuntimeError"),
                ("parsl.log", 1168, "Task 39 try 0 failed with exception of type RuntimeError"),
                ("parsl.log", 1720, "Task 39 try 1 failed with exception of type RuntimeError"),
            ),
        ),
        Statement(
            lambda logs: failed(
                logs, "tick_fail", "KeyError",
                ", raised at {}:{} in tick_fail, on vm".format(
                    *logs.matching(r'File "(\S+)", line (\d+), in tick_fail')[0].groups()
                ),
            ),
            (
                ("parsl.log", 1598, "Task 57 try 0 failed with exception of type KeyError"),
                ("parsl.log", 1616, "Task 57 try 1 failed with exception of type KeyError"),
                ("parsl.log", 1630, "Task 57 try 2 failed with exception of type KeyError"),
            ),
        ),
    ),
    "parsl-2026.10.26-killed": (
        Statement(lambda logs: share(logs, "queue", QUEUE)),
        Statement(
            lambda logs: started(logs, "htex_Local", 329, 58, 3),
            (
                ("parsl.log", 329, "[Scaling executor htex_Local] Launched block 0 with job ID"),
                ("interchange.log", 58, "Registration info for manager b'aafb1402bc0f'"),
                ("worker_1.log", 3, "Received executor task 1"),
            ),
        ),
        Statement(
            lambda logs: unfinished(logs, "8 queued in the interchange, 2 running, 2 waiting"),
        ),
        Statement(
            lambda logs: '1 manager ended with an error, "Failed to connect to interchange '
            '(tcp://127.0.0.1:54030", in block 0',
            (("manager.log", 32, "ERROR: Failed to connect to interchange (tcp://127.0.0.1:54030"),),
        ),
    ),
}  # fmt: skip


def unfinished(logs: Logs, stayed: str) -> str:
    """What is to be said of tasks that never returned, and how far they came."""
    open_ = {piece.owner[0] for piece in logs.pieces if piece.phase == "unfinished"}
    lost = total([piece for piece in logs.pieces if piece.owner[0] in open_]) / 1e9
    tries = [one for (task, _), one in logs.tries.items() if task in open_]
    running = sum("running" in one for one in tries)
    queued = sum("interchange_received" in one and "running" not in one for one in tries)
    waiting = sum("launched" not in one for one in tries)
    assert stayed == f"{queued} queued in the interchange, {running} running, {waiting} waiting"
    tasks = {task for task, _ in logs.tries}
    # Equal numbers stand in the order of the moments' names.
    told = f"{queued} queued in the interchange, {waiting} waiting, {running} running"
    return (
        f"{len(open_)} of {len(tasks)} tasks never returned ({told}); "
        f"their {lost:.1f} s led to nothing"
    )


@pytest.fixture(params=list(STATEMENTS))
def told(
    request: pytest.FixtureRequest, tmp_path: Path, store: Store
) -> tuple[Why, Logs, tuple[Statement, ...]]:
    """What is said of a run, its logs, and what ought to be said."""
    if request.param == "example":
        with tarfile.open(EXAMPLE) as archive:
            archive.extractall(tmp_path, filter="data")
        runinfo = tmp_path / "runinfo"
    else:
        runinfo = corpus(request.param) / "runinfo"
    store.import_(runinfo)
    return store.why(), Logs(runinfo / "000"), STATEMENTS[request.param]


# What these say is tested with the answers themselves, against a simulator and true clocks.
_ELSEWHERE = ("idle", "clocks", "critical", "bottleneck")


def _of_tasks(found: Why) -> list[Finding]:
    return [one for one in found.findings if one.command.split(" ")[1] not in _ELSEWHERE]


def test_each_statement_is_what_the_logs_say(
    told: tuple[Why, Logs, tuple[Statement, ...]],
) -> None:
    found, logs, statements = told
    assert [one.sentence for one in _of_tasks(found)] == [one.sentence(logs) for one in statements]
    weights = [one.weight for one in found.findings]
    assert weights == sorted(weights, reverse=True)


def test_the_lines_that_are_shown_say_it(told: tuple[Why, Logs, tuple[Statement, ...]]) -> None:
    found, logs, statements = told
    for finding, statement in zip(_of_tasks(found), statements, strict=True):
        for name, number, text in statement.lines:
            assert text in logs.line(name, number)
        if statement.lines:
            assert finding.evidence == tuple(f"{name}:{line}" for name, line, _ in statement.lines)


def test_each_command_that_is_shown_runs(
    told: tuple[Why, Logs, tuple[Statement, ...]], store: Store
) -> None:
    from click.testing import CliRunner

    from dnpcsql.cli import cli

    for command in {finding.command for finding in told[0].findings}:
        program, *words = command.split(" ")
        assert program == "dnpcsql"
        ran = CliRunner().invoke(cli, ["--db", str(store.path), *words])
        assert ran.exit_code == 0, ran.output


def test_a_run_of_which_no_file_tells_tasks_is_refused_with_what_to_do(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-htexalone") / "runinfo")
    with pytest.raises(NotFoundError, match=r"it takes monitoring.db or parsl.log"):
        store.why()


def test_the_slow_worker_is_named(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-longtail")
    store.import_(folder / "runinfo.tar.xz")
    (slow,) = [one for one in store.why().findings if "is slow" in one.sentence]
    # truth.json: worker 3 took 1.43 s a task, the others 0.07 to 0.08 s
    assert slow.sentence.startswith("worker 3 of manager 6456cb9d6a7c (block 0, login-1) is slow")
    excess = float(re.findall(r"([\d.]+) s more in all", slow.sentence)[0])
    assert excess == pytest.approx(31.4 - 22 * 0.07, rel=0.03)


def test_an_answer_of_another_kind_is_said_in_its_place(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(EXAMPLE) as archive:
        archive.extractall(tmp_path, filter="data")
    store.import_(tmp_path / "runinfo")
    said = Finding(500.0, "two hosts' clocks differ by 3 s", "dnpcsql clocks")
    monkeypatch.setattr("dnpcsql.answers.why.ANSWERS", (*ANSWERS, lambda asked: [said]))
    assert why(store, store.run()).findings[1] == said
