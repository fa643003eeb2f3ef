"""Faults on demand in another process: faults.c says how."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

COUNT = int(os.environ.get("DNPCSQL_KILLS", "4"))
"""How many faults of a kind: a suite has time for a few."""

EIO, ENOSPC, ENOLCK = errno.EIO, errno.ENOSPC, errno.ENOLCK
KILL = 0

# Small caches and batches make the database file change early and often.
_IMPORT = """
import sys
from dnpcsql import database, writer
from dnpcsql.errors import DnpcsqlError
from dnpcsql.store import Store
database._CACHE_KIB = 64
writer.BATCH = 50
try:
    with Store(sys.argv[1]) as store:
        for text in store.import_(*sys.argv[2:]).failed:
            print(text)
except DnpcsqlError as error:
    sys.exit(str(error))
"""

Faulty: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls fail."""
    if sys.platform != "linux" or shutil.which("cc") is None:
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = Path(__file__).with_name("faults.c")
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return library


def environment(
    faults: Path, kind: str, path: str, at: int, number: int, times: int = 0
) -> dict[str, str]:
    """What makes calls of a process fail: from the `at`-th of a kind on paths that have `path`."""
    return {
        "LD_PRELOAD": str(faults),
        "FAULT_KIND": kind,
        "FAULT_PATH": path,
        "FAULT_AT": str(at),
        "FAULT_ERRNO": str(number),
        "FAULT_TIMES": str(times),
    }


@pytest.fixture
def faulty(faults: Path, tmp_path: Path) -> Faulty:
    """`faulty(database, trees, "write", at=5, number=EIO)`: an import with that fault."""

    def run(
        database: Path,
        trees: Sequence[Path],
        kind: str,
        *,
        path: str = "dnpc.sqlite3",
        at: int,
        number: int = KILL,
        times: int = 0,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", _IMPORT, str(database), *map(str, trees)],
            env={**os.environ, **environment(faults, kind, path, at, number, times)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def calls(
    faults: Path, kind: str, command: Sequence[str], at: Path, path: str = "dnpc.sqlite3"
) -> int:
    """How many calls of a kind an undisturbed process makes."""
    counted = at / "count"
    subprocess.run(
        command,
        env={
            **os.environ,
            **environment(faults, kind, path, 0, 0),
            "FAULT_COUNT": str(counted),
        },
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return int(counted.read_text())


def import_command(database: Path, trees: Sequence[Path]) -> list[str]:
    """The command that `faulty` runs."""
    return [sys.executable, "-c", _IMPORT, str(database), *map(str, trees)]
