from __future__ import annotations

import json
import os
import sqlite3

from tests.cli.conftest import Run


def test_a_whole_database_is_told_in_a_line(killed: Run) -> None:
    done = killed("check")
    assert done.status == 0
    assert done.out.splitlines()[-1].endswith("dnpc.sqlite3: whole, and nothing odd (3 sources)")
    assert json.loads(killed("check", "--format", "json").out) == []


def test_what_is_odd_comes_with_a_place_and_a_command(killed: Run) -> None:
    connection = sqlite3.connect(os.environ["DNPCSQL_DB"])
    connection.execute(
        "UPDATE span SET end_unix_nano = start_unix_nano - 1500000000 "
        "WHERE type = 'parsl.rundir.workflow'"
    )
    connection.commit()
    connection.close()
    done = killed("check")
    assert done.status == 1
    assert "  spans that end before they start: 1\n" in done.out
    assert "parsl.log:1  parsl.rundir.workflow" in done.out
    assert " by 1.5 s\n" in done.out
    assert "    more: dnpcsql query \"SELECT path, line, type || ' ' || uuid" in done.out
    rows = json.loads(killed("check", "--format", "json").out)
    assert (rows[0]["level"], rows[0]["times"]) == ("odd", 1)


def test_what_is_no_database_of_ours_is_told_in_one_line(dnpcsql: Run) -> None:
    done = dnpcsql("check")
    assert (done.status, done.out) == (1, "")
    assert "no database" in done.err
