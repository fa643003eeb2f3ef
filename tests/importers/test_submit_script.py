from __future__ import annotations

import json
from pathlib import Path

import pytest

from dnpcsql.importers.context import Context
from dnpcsql.importers.submit_script import submit_script
from dnpcsql.records import Containment, Event, Problem, Record, Span, Tally

RUN = "71d4a751-6867-449f-b893-6b653903b644"
NAMED = "parsl.htex.block-0.1795331213.6386034.sh.ec"
UNNAMED = "parsl.localprovider.1795331659.478654.sh.ec"


def read(path: Path, text: str | bytes, context: Context | None = None) -> list[Record]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(submit_script(path, context or Context(run_id=RUN)))


def attributes(records: list[Record]) -> dict[str, object]:
    (span,) = [record for record in records if isinstance(record, Span)]
    known: dict[str, object] = json.loads(span.attributes or "{}")
    return known


@pytest.mark.parametrize(
    ("text", "code"), [("0\n", 0), ("137\n", 137), ("7", 7), ("-\n", None), ("-9\n", -9)]
)
def test_a_jobs_exit_status_is_kept_if_it_ended(
    text: str, code: int | None, tmp_path: Path
) -> None:
    records = read(tmp_path / NAMED, text)
    assert attributes(records).get("process.exit.code") == code
    (span,) = [record for record in records if isinstance(record, Span)]
    assert span.status_code == (2 if code else None)
    assert records[-1] == Tally(1, 1, 1, {})


def test_a_script_that_names_its_block_is_an_account_of_it(tmp_path: Path) -> None:
    span, within, event, _ = read(tmp_path / NAMED, "0\n")
    assert isinstance(span, Span)
    assert isinstance(event, Event)
    assert (span.uuid[12:14], span.uuid[-8:]) == ("75", "00000000")
    assert within == Containment("6b653903b6442100000000000000", span.uuid)
    assert event.time_unix_nano == span.start_unix_nano == 1795331213638603400


def test_an_older_script_does_not_say_which_block_it_was_for(tmp_path: Path) -> None:
    span = read(tmp_path / UNNAMED, "0\n")[0]
    assert isinstance(span, Span)
    assert span.uuid[12:14] == "70"
    assert span.start_unix_nano == 1795331659478654000


@pytest.mark.parametrize("text", ["", "what?\n", b"\xff\xfe\x00", "1" * 90, "--", "1-", "--5", "٣"])
def test_what_is_no_exit_status_is_a_problem(text: str | bytes, tmp_path: Path) -> None:
    records = read(tmp_path / NAMED, text)
    assert "process.exit.code" not in attributes(records)
    assert [record.kind for record in records if isinstance(record, Problem)] == [
        "exit status not understood"
    ]


@pytest.mark.parametrize("name", ["mine.sh.ec", "parsl.htex.block-0.99999999999.5.sh.ec"])
def test_a_name_that_tells_no_time_is_a_problem(name: str, tmp_path: Path) -> None:
    records = read(tmp_path / name, "0\n")
    assert records == [Problem(None, "name not understood", name), Tally(1, 1, 0, {})]


def test_a_script_alone_says_that_its_run_is_not_known(tmp_path: Path) -> None:
    records = read(tmp_path / NAMED, "0\n", Context())
    assert [record.kind for record in records if isinstance(record, Problem)] == ["run unknown"]
