"""An export that is killed or fails leaves the database as it was, and no half of a file."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dnpcsql.receivers import Receiver
from dnpcsql.store import Store
from tests.conftest import Case, Row, dump
from tests.faults.conftest import COUNT, EIO, ENOSPC, KILL, calls, environment
from tests.faults.test_importing import sound
from tests.receivers.conftest import stored


@pytest.fixture(scope="module")
def database(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with Store(tmp_path_factory.mktemp("exported") / "dnpc.sqlite3") as store:
        store.import_(case("parsl-2026.10.26-killed"))
        return store.path


@pytest.fixture(scope="module")
def before(database: Path) -> dict[str, list[Row]]:
    return dump(database)


# Small batches: many messages, between which to fail.
_EXPORT = """
import functools, sys
from dnpcsql.exporters import otlp
otlp.batches = functools.partial(otlp.batches, aim=5_000)
from dnpcsql.errors import DnpcsqlError
from dnpcsql.store import Store
try:
    with Store(sys.argv[1]) as store:
        store.export_otlp(**dict(text.split("=", 1) for text in sys.argv[2:]))
except DnpcsqlError as error:
    sys.exit(str(error))
"""


def export_command(database: Path, **options: object) -> list[str]:
    given = [f"{name}={value}" for name, value in options.items()]
    return [sys.executable, "-c", _EXPORT, str(database), *given]


@pytest.fixture(scope="module")
def whole(database: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "run.jsonl"
    subprocess.run(export_command(database, output=path), check=True)
    return path.read_bytes()


@pytest.fixture(scope="module")
def changes(database: Path, faults: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How often an export into a file writes, syncs and renames; the last two are once each."""
    at = tmp_path_factory.mktemp("counted")
    return calls(faults, "change", export_command(database, output=at / "run.jsonl"), at, "run.j")


@pytest.mark.parametrize("number", [KILL, ENOSPC, EIO], ids=["killed", "disk full", "write error"])
@pytest.mark.parametrize("seed", range(COUNT))
def test_a_file_is_whole_or_as_it_was(
    seed: int,
    number: int,
    database: Path,
    before: dict[str, list[Row]],
    whole: bytes,
    changes: int,
    faults: Path,
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.jsonl"
    command = export_command(database, output=path)
    path.write_bytes(b"of yesterday")
    done = subprocess.run(
        command,
        env={
            **os.environ,
            **environment(
                faults,
                "change" if number == KILL else "write",
                "run.jsonl",
                random.Random(seed).randrange(1, changes - 1 + 2 * (number == KILL)),
                number,
            ),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert path.read_bytes() == b"of yesterday"
    if number == KILL:
        assert done.returncode == -signal.SIGKILL
    else:
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert f"{path} cannot be written: {os.strerror(number)}" in done.stderr
        assert sorted(file.name for file in tmp_path.iterdir()) == ["run.jsonl"]
    assert dump(database) == before
    sound(database)
    subprocess.run(command, check=True)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("seed", range(max(2, COUNT // 4)))
def test_what_was_sent_by_a_killed_export_is_not_doubled_by_the_next(
    seed: int, database: Path, before: dict[str, list[Row]], faults: Path, tmp_path: Path
) -> None:
    """The receiver knows what it has."""
    with Receiver(tmp_path / "whole.sqlite3", grpc=None, http="127.0.0.1:0") as to:
        endpoint = f"http://{to.http_address}"
        options = {"endpoint": endpoint, "protocol": "http/protobuf"}
        writes = calls(faults, "write", export_command(database, **options), tmp_path, "socket:")
    with Receiver(tmp_path / "received.sqlite3", grpc=None, http="127.0.0.1:0") as to:
        options["endpoint"] = f"http://{to.http_address}"
        at = random.Random(seed).randrange(1, writes + 1)
        done = subprocess.run(
            export_command(database, **options),
            env={**os.environ, **environment(faults, "write", "socket:", at, KILL)},
            check=False,
        )
        assert done.returncode == -signal.SIGKILL
        subprocess.run(export_command(database, **options), check=True)
    assert stored(tmp_path / "received.sqlite3") == stored(tmp_path / "whole.sqlite3")
    assert dump(database) == before
