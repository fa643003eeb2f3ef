"""`dnpcsql import LOGS --importer my.toml --dry-run`."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cli.conftest import Run

TOML = """\
[[span]]
line = "{time} job {job} {state} on {host}"
type = "batch.job"
key = "{job}"
event = "{state}"

[[span]]
line = "{time} job {job} vanished"
type = "batch.job"
key = "{job}"
event = "vanished"
"""

LOG = """\
2026-11-22T11:00:00Z job 7 started on n1
Warning: disk 91 % full
2026-11-22T11:00:05Z job 7 ended on n1
Warning: disk 93 % full
2026-11-22T25:00:05Z job 8 started on n1
"""


def test_a_dry_run_shows_which_lines_each_rule_is_for(dnpcsql: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(TOML)
    (tmp_path / "my.log").write_text(LOG)
    ran = dnpcsql("import", tmp_path / "my.log", "--importer", tmp_path / "my.toml", "--dry-run")
    assert ran.status == 0
    shown = ran.out.replace(f"{tmp_path}/", "").replace(" ([[span]] in line 1 of the TOML)", "…")
    expected = """\
1 file, 5 lines: 3 used

my.toml:1: [[span]] batch.job (event): 3 lines
  the first: my.log:1
    time   2026-11-22T11:00:00Z
    job    7
    state  started
    host   n1

my.toml:7: [[span]] batch.job (event): 0 lines

2 lines that nothing is for, by shape (N: a number):
  2  Warning: disk N % full

1 problem:
  my.log:5: time not understood: '2026-11-22T25:00:05Z': hour must be in 0..23…

an import would tell of 1 span, 2 events; nothing was kept
"""
    assert shown == expected
    assert not Path(os.environ["DNPCSQL_DB"]).exists()


def test_a_dry_run_needs_a_toml_file(dnpcsql: Run, tmp_path: Path) -> None:
    (tmp_path / "my.log").write_text(LOG)
    ran = dnpcsql("import", tmp_path / "my.log", "--dry-run")
    assert (ran.status, ran.err) == (
        1,
        "dnpcsql: --dry-run shows what a TOML file is for: --importer my.toml\n",
    )


def test_a_dry_run_of_files_that_are_not_meant(dnpcsql: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('files = "*.txt"\n' + TOML)
    (tmp_path / "my.log").write_text(LOG)
    ran = dnpcsql("import", tmp_path / "my.log", "--importer", tmp_path / "my.toml", "--dry-run")
    assert ran.status == 1
    assert "no file that" in ran.err


def test_a_mistake_in_the_toml_is_one_line(dnpcsql: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(TOML.replace("type =", "typ =", 1))
    (tmp_path / "my.log").write_text(LOG)
    ran = dnpcsql("import", tmp_path / "my.log", "--importer", tmp_path / "my.toml")
    assert (ran.status, ran.out) == (1, "")
    place = f"{tmp_path}/my.toml:3"
    assert ran.err == f"dnpcsql: {place}: no such key: 'typ' (did you mean 'type'?)\n"
