"""Mistakes in a TOML file: each is told in one line, with the file and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnpcsql.errors import NotFoundError, UnreadableError
from dnpcsql.importers.own.declared import definition_of

RIGHT = """\
timezone = "Europe/Berlin"

[[span]]
line = "{time} job {job} {state}"
type = "batch.job"
key = "{job}"
event = "{state}"
"""


def told(tmp_path: Path, text: str) -> str:
    """What is said of a TOML file, without its directory."""
    path = tmp_path / "my.toml"
    path.write_text(text)
    with pytest.raises(UnreadableError) as error:
        definition_of(path)
    return str(error.value).replace(f"{tmp_path}/", "")


def test_what_is_right_is_read(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(RIGHT)
    definition = definition_of(path)
    (rule,) = definition.rules
    assert (definition.name, rule.place, rule.type) == ("my", 3, "batch.job")
    assert rule.time is not None
    assert rule.time.text == "{time}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"batch.job"', '"batch.job', "my.toml:5: no TOML: "),
        ("event =", "evnt =", "my.toml:7: no such key: 'evnt' (did you mean 'event'?)"),
        ("timezone", "time_zone", "my.toml:1: no such key: 'time_zone' (did you mean 'timezone'?)"),
        ("Europe/Berlin", "Berlin", "my.toml:1: no such time zone: 'Berlin'"),
        ('type = "batch.job"\n', "", "my.toml:3: type is missing: like type = \"batch.job\""),
        ('key = "{job}"', 'key = ""', "my.toml:6: key is missing"),
        ('key = "{job}"', "key = 7", "my.toml:6: key has to be a text in quotes, like key = '7'"),
        ('key = "{job}"', 'key = "{jb}"',
         "my.toml:3: such a line has no {jb}, which key of this [[span]] names; it has: job"),
        ("{job} {state}\"", "{job}{state}\"", "my.toml:4: line: nothing stands between two fields"),
        ('line = "{time} job {job} {state}"', "pattern = '(?P<job>\\d+'",
         "my.toml:4: no regular expression: missing ), unterminated subpattern at position 0"),
        ('line = "{time} job {job} {state}"\n', "", "my.toml:3: it needs `line`"),
        ("[[span]]", "[span]", "my.toml:3: write it with two brackets: [[span]]"),
        ("batch.job", "parsl.task", "my.toml:5: 'parsl.task' is a name of dnpcsql's own"),
        ('event = "{state}"', 'duration = "{state}"', "my.toml:7: duration needs start or end"),
        ('event = "{state}"', 'parent = "x"', "my.toml:7: parent has to be a table"),
        ('event = "{state}"', 'parent = { key = "x" }', "my.toml:7: parent needs type and key"),
        ('event = "{state}"', 'parsl = { try = "0" }', "my.toml:7: parsl has task"),
        ('event = "{state}"', "where = { a = [[1]] }", "my.toml:7: where has to be a table of"),
        ('event = "{state}"', "measure = [1]", "my.toml:7: measure has to be a list of texts"),
        ('event = "{state}"', 'attributes = { a = "{b" }', "my.toml:7: attributes: a brace"),
        ("timezone", 'format = "xml"\ntimezone', "my.toml:1: format has to be one of text, csv"),
        ("timezone", 'format = "csv"\ntimezone', 'my.toml:5: line is for format = "text"'),
        ("timezone", 'delimiter = ";;"\ntimezone', "my.toml:1: delimiter has to be one character"),
        ("timezone", 'time_format = "%H:%M"\ntimezone', "my.toml:1: it has no year; say it: "),
        ("timezone", 'time_format = "ISO"\ntimezone', "my.toml:1: no form of a time"),
        ("timezone", 'time_format = "%Y %!"\ntimezone', "my.toml:1: no form of a time: '!' is a"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in RIGHT
    said = told(tmp_path, RIGHT.replace(old, new))
    assert said.startswith(expected)
    assert "\n" not in said


def test_the_second_of_two_rules_is_meant(tmp_path: Path) -> None:
    wrong = RIGHT[RIGHT.index("[[span]]") :].replace("event =", "evnt =")
    assert told(tmp_path, RIGHT + "\n" + wrong).startswith("my.toml:13: no such key: 'evnt'")


def test_a_text_of_several_lines_hides_no_line(tmp_path: Path) -> None:
    text = "run = '''\ntype = 1\n[[span]]\n'''\n[[span]]\nline = \"a {b}\"\ntype = 1\n"
    assert told(tmp_path, text).startswith("my.toml:7: type has to be a text")


def test_nothing_said(tmp_path: Path) -> None:
    assert told(tmp_path, "").startswith("my.toml:1: it says of no span; write [[span]]")


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="No such file"):
        definition_of(tmp_path / "none.toml")
    (tmp_path / "my.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UnreadableError, match="not UTF-8 text"):
        definition_of(tmp_path / "my.toml")
