"""What the tests share: real runs, fresh stores, and what makes two databases the same."""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import signal
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import settings

from dnpcsql.store import Store

# No test may fail of a busy machine.
settings.register_profile("here", deadline=None)
settings.load_profile("here")

DATA = Path(__file__).parent / "data"
EXPECTED = Path(__file__).parent / "expected"
CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"

Row: TypeAlias = tuple[Any, ...]
Case: TypeAlias = Callable[[str], Path]

# What may differ between two imports of the same files.
_LEFT_OUT = {"source": {"id", "imported_at"}}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-expected", action="store_true", help="rewrite tests/expected/ with what is now"
    )


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A real run by its name: the folder that holds its runinfo/ and expected.json. To be read."""
    unpacked: dict[str, Path] = {}

    def find(name: str) -> Path:
        if name not in unpacked:
            unpacked[name] = tmp_path_factory.mktemp(name)
            with tarfile.open(DATA / f"{name}.tar.xz") as archive:
                archive.extractall(unpacked[name], filter="data")
        return unpacked[name]

    return find


@pytest.fixture
def copy(case: Case, tmp_path: Path) -> Case:
    """A copy of a real run's runinfo/, to be changed."""

    def make(name: str) -> Path:
        target = tmp_path / name / "runinfo"
        shutil.copytree(case(name) / "runinfo", target)
        return target

    return make


def corpus(name: str) -> Path:
    """A case of the shared corpus, which is not part of the checkout."""
    if not (CORPUS / name).is_dir():
        pytest.skip(f"no {CORPUS / name} here")
    return CORPUS / name


def facts(folder: Path) -> dict[str, Any]:
    """What the script of a run knew of it."""
    known: dict[str, Any] = json.loads((folder / "expected.json").read_text())
    return known


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "dnpc.sqlite3") as fresh:
        yield fresh


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with tests/expected/NAME.txt; `--update-expected` writes it instead."""

    def compare(name: str, text: str) -> None:
        file = EXPECTED / f"{name}.txt"
        if request.config.getoption("--update-expected"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")

    return compare


def dump(database: Path | Store, here: Path | None = None) -> dict[str, list[Row]]:
    """Every table, row for row, with source ids replaced by paths (below `here`, if it is given).

    Two databases with equal dumps are the same: all but import times is in it.
    """
    path = database.path if isinstance(database, Store) else database
    connection = sqlite3.connect(path)
    try:
        names = dict(connection.execute("SELECT id, path FROM source"))
        if here is not None:
            names = {number: name.replace(str(here), "…") for number, name in names.items()}
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {table: _rows(connection, table, names, here) for table in tables}
    finally:
        connection.close()


def _rows(
    connection: sqlite3.Connection, table: str, names: dict[int, str], here: Path | None
) -> list[Row]:
    columns = [
        row[1]
        for row in connection.execute(f'PRAGMA table_xinfo("{table}")')
        if row[1] not in _LEFT_OUT.get(table, ())
    ]

    def readable(column: str, value: Any) -> Any:
        if column == "source_id":
            return names.get(value, value)
        if column == "path" and here is not None:
            return value.replace(str(here), "…")
        return value

    quoted = ", ".join(f'"{column}"' for column in columns)
    rows = (
        tuple(readable(column, value) for column, value in zip(columns, row, strict=True))
        for row in connection.execute(f'SELECT {quoted} FROM "{table}"')
    )
    return sorted(rows, key=repr)


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: what a full disk is to whoever writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def as_text(columns: list[str], rows: list[Row]) -> str:
    """Rows as they are compared and read by people: tabs between, a line each."""
    lines = ["\t".join(columns), *("\t".join(map(str, row)) for row in rows)]
    return "\n".join(lines) + "\n"
