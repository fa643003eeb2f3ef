"""Running commands as a user does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from dnpcsql.cli import main
from tests.conftest import Case


class Ran(NamedTuple):
    """What a command printed, said and ended with."""

    out: str
    err: str
    status: int


Run: TypeAlias = Callable[..., Ran]


@pytest.fixture
def dnpcsql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """`dnpcsql("tasks", "last")`, on a database of this test's own."""
    monkeypatch.setenv("DNPCSQL_DB", str(tmp_path / "dnpc.sqlite3"))

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["dnpcsql", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return Ran(printed.out, printed.err, status)

    return run


@pytest.fixture
def killed(dnpcsql: Run, case: Case) -> Run:
    """A run that was killed is imported."""
    assert dnpcsql("import", case("parsl-2026.10.26-killed") / "runinfo").status == 0
    return dnpcsql
