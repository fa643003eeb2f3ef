"""A short run of what `python -m tests.fuzz` does for long; and that it would notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dnpcsql.importers import BUILT_IN, Importer
from dnpcsql.importers.context import Context
from dnpcsql.records import Event, Record, Span
from tests.fuzz.executing import FoundError, execute
from tests.fuzz.seeds import Seed, all_seeds

_EXECUTIONS = 25


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Seed]:
    return all_seeds(tmp_path_factory.mktemp("seeds"))


def test_every_importer_has_a_file_to_be_damaged(seeds: list[Seed]) -> None:
    assert {seed.importer.name for seed in seeds} == {importer.name for importer in BUILT_IN}


@pytest.mark.parametrize("name", [importer.name for importer in BUILT_IN])
def test_damaged_files_are_read_as_well_as_can_be(
    name: str, seeds: list[Seed], tmp_path: Path
) -> None:
    files = [seed for seed in seeds if seed.importer.name == name]
    for number in range(_EXECUTIONS):
        execute(files[number % len(files)], number, tmp_path, stored=number == 0)


def _a_seed(*records: Record) -> Seed:
    def read(path: Path, context: Context) -> Iterator[Record]:
        yield from records

    return Seed(Importer("wrong", lambda path, head: True, read), "x.log", b"0 1 2\n" * 30)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(Event("e" * 28, 1 << 63, "late", 1), id="a time beyond 64 bits"),
        pytest.param(Span("e" * 28, "t", "f" * 20, attributes='{"a": NaN}'), id="no JSON"),
        pytest.param(Span("e" * 8, "t", "f" * 20), id="half an id"),
        pytest.param(Event("e" * 28, 1, "x", 1, note=b"x"), id="bytes"),  # type: ignore[arg-type]
    ],
)
def test_what_the_store_would_refuse_is_noticed(record: Record, tmp_path: Path) -> None:
    with pytest.raises(FoundError):
        execute(_a_seed(record), 1, tmp_path)
