"""`dnpcsql export wfformat`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.exporters.test_wfformat import check


def test_the_command_writes_a_whole_file(killed: Run, tmp_path: Path) -> None:
    ran = killed("export", "wfformat", "last", "-o", tmp_path / "run.json")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err.startswith("23 tasks, ")
    assert "runtimes of " in ran.err
    check(json.loads((tmp_path / "run.json").read_text()))
    assert [path.name for path in tmp_path.glob("run.json*")] == ["run.json"]
    shown = killed("export", "wfformat")
    assert json.loads(shown.out) == json.loads((tmp_path / "run.json").read_text())


def test_the_command_overwrites_no_database_and_leaves_nothing_behind(
    killed: Run, tmp_path: Path
) -> None:
    ran = killed("export", "wfformat", "-o", tmp_path / "dnpc.sqlite3")
    assert ran.status == 1
    assert "is a database: it is not overwritten" in ran.err
    ran = killed("export", "wfformat", "-o", "/no/such/place/run.json")
    assert ran.status == 1
    assert "No such file or directory" in ran.err
    ran = killed("export", "wfformat", "nobody", "-o", tmp_path / "x.json")
    assert ran.status == 1
    assert list(tmp_path.glob("x.json*")) == []
