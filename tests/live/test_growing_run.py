"""A run imported while it goes on, again and again: the end is one import of the final files."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dnpcsql.errors import NotFoundError
from dnpcsql.store import Store
from tests.conftest import dump

pytest.importorskip("parsl", reason="the test extra brings Parsl")

WORKFLOW = Path(__file__).with_name("workflow.py")


def test_a_run_imported_while_it_goes_on_and_when_its_files_were_rotated(tmp_path: Path) -> None:
    place = tmp_path / "live"
    place.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    running = subprocess.Popen(
        [sys.executable, str(WORKFLOW), str(place)],
        env={**os.environ, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    runinfo = place / "runinfo"
    seen: list[int] = []
    with Store(tmp_path / "dnpc.sqlite3") as store:
        try:
            while running.poll() is None:
                seen += imported(store, runinfo)
                time.sleep(0.5)
        finally:
            running.kill()
        assert running.returncode == 0
        assert len(set(seen)) > 2, "it did not grow between imports"
        store.import_(runinfo)
        assert dump(store) == fresh(runinfo, tmp_path / "at_end.sqlite3")
        assert store.import_(runinfo).added == []
        # Later its log is rotated, and then cut.
        log = runinfo / "000" / "parsl.log"
        whole = log.read_bytes()
        log.rename(log.with_name("parsl.log.1"))
        log.write_bytes(whole.splitlines(keepends=True)[-1])
        store.import_(runinfo)
        assert dump(store) == fresh(runinfo, tmp_path / "rotated.sqlite3")
        log.with_name("parsl.log.1").unlink()
        log.write_bytes(whole[: len(whole) // 2])
        store.forget(str(log.with_name("parsl.log.1")))
        store.import_(runinfo)
        assert dump(store) == fresh(runinfo, tmp_path / "cut.sqlite3")


def imported(store: Store, runinfo: Path) -> list[int]:
    """How many events there are after one more import; none before there is anything to import."""
    try:
        store.import_(runinfo)
    except NotFoundError:
        return []
    return [store.query("SELECT count(*) FROM event").value()]


def fresh(runinfo: Path, path: Path) -> object:
    with Store(path) as store:
        store.import_(runinfo)
        return dump(store)
