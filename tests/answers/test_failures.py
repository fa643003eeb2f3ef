"""Failures, against what the workflows' own scripts knew."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from dnpcsql import Event, Link, Span
from dnpcsql.answers.failures import Failures
from dnpcsql.cli import cli
from dnpcsql.identity import PARSL_LOG, Names
from dnpcsql.store import Store
from tests.conftest import Case, corpus, facts

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "runinfo.tar.xz"


def by_exception(found: Failures) -> dict[tuple[str | None, str | None], tuple[int, int, int]]:
    return {
        (cause.app, cause.exception): (cause.failures, cause.gave_up, cause.stopped)
        for cause in found.causes
    }


@pytest.fixture(params=["both", "logs", "database"])
def full(request: pytest.FixtureRequest, case: Case, store: Store) -> Store:
    """A run with failures of every kind, told by its database, its log or both."""
    folder = case("parsl-2023.12.18-full") / "runinfo"
    paths = {
        "both": folder,
        "logs": folder / "000" / "parsl.log",
        "database": folder / "monitoring.db",
    }
    store.import_(paths[request.param])
    return store


def test_failures_that_share_a_cause_stand_together(full: Store, case: Case) -> None:
    (flow,) = facts(case("parsl-2023.12.18-full"))["workflows"]
    states = [task["final_state"] for task in flow["tasks"]]
    found = full.failures()
    assert sum(cause.gave_up for cause in found.causes) == states.count("failed")
    assert sum(cause.stopped for cause in found.causes) == states.count("dep_fail")
    told = by_exception(found)
    assert told["boom", "ValueError"] == (6, 2, 3)  # two tasks, two retries each
    assert told["bash_fail", "BashExitFailure"] == (3, 1, 0)
    (bash,) = [cause for cause in found.causes if cause.app == "bash_fail"]
    assert bash.exit_code == 3


def test_the_example_tells_where_it_was_raised_and_what_it_cost(
    tmp_path: Path, store: Store
) -> None:
    with tarfile.open(EXAMPLE) as archive:
        archive.extractall(tmp_path, filter="data")
    store.import_(tmp_path / "runinfo")
    boom = store.failures().causes[0]
    assert (boom.app, boom.exception, boom.layer) == ("boom", "ValueError", "app")
    assert boom.raised_at == "/tmp/run/scripts/gen_case.py:206 in boom"
    assert (boom.blocks, boom.hosts) == (("0",), ("vm",))
    log = (tmp_path / "runinfo" / "000" / "parsl.log").read_text().split("\n")
    for line in boom.lines:
        assert "failed with exception of type ValueError" in log[int(line.split(":")[1]) - 1]
    # The resident memory of its workers, as the resource table has it: 120 MB.
    assert boom.memory == pytest.approx(121e6, rel=0.05)
    held = sum(
        row["worker_completed"] - row["worker_received"]
        for row in store.query("SELECT * FROM parsl_try WHERE app = 'boom'").dicts()
    )
    assert boom.held_ns / 1e9 == pytest.approx(held, abs=1e-5)


def test_what_depends_on_what_depended_on_a_failure_is_of_the_same_cause(store: Store) -> None:
    names = Names("71d4a751-6867-449f-b893-6b653903b644", PARSL_LOG)

    def failing(task: int, state: str, exception: str) -> list[Span | Event]:
        uuid = names.attempt(task, 0)
        return [
            Span(names.task(task), "parsl.rundir.task", names.trace_high, name="work"),
            Event(names.task(task), 10, "invoked", task),
            Span(uuid, "parsl.rundir.try", names.trace_high, status_code=2),
            Event(uuid, 20, state, 100 + task),
            Event(uuid, 20, "exception", 100 + task,
                  attributes=f'{{"exception.type": "{exception}"}}'),
        ]  # fmt: skip

    store.add(
        [
            Span(names.workflow(), "parsl.rundir.workflow", names.trace_high, start_unix_nano=5),
            *failing(0, "failed", "OSError"),
            *(one for task in (1, 2) for one in failing(task, "dep_fail", "DependencyError")),
            Link(names.task(1), names.task(0), "depends_on", 0),
            Link(names.task(2), names.task(1), "depends_on", 0),
        ]
    )
    (cause,) = store.failures("71d4a751").causes
    assert (cause.exception, cause.gave_up, cause.stopped) == ("OSError", 1, 2)


def test_a_run_without_failures_says_so(store: Store) -> None:
    store.import_(corpus("parsl-2025.9.15-elastic") / "runinfo")
    ran = CliRunner().invoke(cli, ["--db", str(store.path), "failures"])
    assert ran.exit_code == 0
    assert ran.output.startswith("0 tries failed")


def test_the_command_prints_each_cause_with_its_lines(full: Store) -> None:
    ran = CliRunner().invoke(cli, ["--db", str(full.path), "failures"])
    assert ran.exit_code == 0
    assert "app: 6 tries of 2 tasks of app boom failed with ValueError" in ran.output
    assert "   see: " in ran.output
    rows = CliRunner().invoke(cli, ["--db", str(full.path), "failures", "--format", "csv"])
    assert rows.output.startswith("layer,what,exception,")
