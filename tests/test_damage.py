"""Damage costs no more than what it hit: never a traceback, never a half-read source."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests.conftest import Case


def damaged(content: bytes, draw: random.Random, hits: int) -> bytes:
    """Bytes flipped, pieces cut out, doubled, swapped, overwritten by zeros."""
    data = bytearray(content)
    for _ in range(hits):
        start = draw.randrange(len(data))
        piece = data[start : start + draw.randrange(1, 400)]
        match draw.randrange(5):
            case 0:
                data[start] ^= 1 << draw.randrange(8)
            case 1:
                del data[start : start + len(piece)]
            case 2:
                data[start:start] = piece
            case 3:
                data[start : start + len(piece)] = bytes(len(piece))
            case _:
                data[start : start + len(piece)] = bytes(draw.choices(range(256), k=len(piece)))
    return bytes(data)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["parsl-2023.12.18-full", "parsl-2026.10.26-killed"])
def test_a_damaged_log_is_read_as_well_as_can_be(
    name: str, seed: int, case: Case, store: Store, tmp_path: Path
) -> None:
    whole = (case(name) / "runinfo" / "000" / "parsl.log").read_bytes()
    (tmp_path / "parsl.log").write_bytes(damaged(whole, random.Random(seed), 40))
    done = store.import_(tmp_path / "parsl.log")
    assert done.failed == []
    assert store.query("SELECT count(*) FROM parsl_task").value() > 15
    for view in ("parsl_run", "parsl_try", "event_sequence", "sample_value"):
        store.query(view).all()


@pytest.mark.parametrize("seed", range(24))
def test_a_damaged_database_is_read_as_well_as_can_be_or_fails_by_name(
    seed: int, case: Case, store: Store, tmp_path: Path
) -> None:
    draw = random.Random(seed)
    whole = (case("parsl-2026.10.26-killed") / "runinfo" / "monitoring.db").read_bytes()
    data = bytearray(whole)
    for _ in range(1 + seed * 3):
        data[draw.randrange(100, len(data))] = draw.randrange(256)
    path = tmp_path / "monitoring.db"
    path.write_bytes(bytes(data))
    (tmp_path / "parsl.log").write_bytes(
        (case("parsl-2026.10.26-killed") / "runinfo" / "000" / "parsl.log").read_bytes()
    )
    done = store.import_(tmp_path)
    assert len(done.added) + len(done.failed) == 2
    assert [text for text in done.failed if not text.startswith(str(path))] == []
    for view in ("parsl_run", "parsl_task", "parsl_try", "sample_value"):
        store.query(view).all()
