"""The example that instruments its apps, run by the Parsl that is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dnpcsql

pytest.importorskip("parsl", reason="the test extra brings Parsl")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HOW = {"monitored": "by the ids that it bears", "logs only": "inferred: by the worker and the time"}


@pytest.fixture(scope="module", params=sorted(HOW))
def run(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[str, Path]:
    """Whether it was monitored, and where it ran."""
    place = tmp_path_factory.mktemp("instrumented")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    options = [] if request.param == "monitored" else ["--without-monitoring"]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "instrumented.py"), *options],
        cwd=place,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return request.param, place


def test_each_task_has_the_spans_of_its_app(run: tuple[str, Path]) -> None:
    mode, place = run
    with dnpcsql.open(place / "dnpc.sqlite3") as store:
        store.import_(place / "runinfo", place / "traces")
        known = store.run("last").id
        outer = store.query("SELECT run_id, task_id, try_id, name, how FROM task_span").all()
        expected = [(known, task, 0, "simulate", HOW[mode]) for task in range(8)]
        if mode == "monitored":  # else nobody knows what a thread of the script ran
            expected.append((known, 8, 0, "total", HOW[mode]))
        assert sorted(outer) == expected
        # The very query of the example: each part, so often as the app made it.
        parts = store.query((EXAMPLES / "inside.sql").read_text()).all()
        assert {(task, part): times for task, _, _, part, times, _, _ in parts} == {
            **{(task, "read input"): 1 for task in range(8)},
            **{(task, "step"): task for task in range(1, 8)},
            **{(task, "write output"): 1 for task in range(8)},
        }
        # Within the try: a thread may begin before Parsl notes that it launched the task.
        outside = store.query(
            "SELECT count(*) FROM task_span JOIN parsl_try USING (run_id, task_id, try_id) "
            "WHERE started < pending OR started + duration_s > returned"
        )
        assert outside.value() == 0


def test_the_scripts_own_span_lies_in_the_run(run: tuple[str, Path]) -> None:
    with dnpcsql.open(run[1] / "scripts.sqlite3") as store:
        store.import_(run[1] / "runinfo", run[1] / "traces")
        rows = store.query(
            "SELECT DISTINCT substr(superspan_uuid, 14) FROM subspan "
            "JOIN span ON span.uuid = subspan_uuid WHERE key = 'parsl' AND name = 'the script'"
        )
        assert rows.all() == [("100000000000000",)]
