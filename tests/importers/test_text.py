from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnpcsql.importers import text
from dnpcsql.importers.text import Lines, Unused, shape


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that short texts have many chunks, and lines that are too long."""
    monkeypatch.setattr(text, "_CHUNK", 7)
    monkeypatch.setattr(text, "LINE_LIMIT", 20)


def lines_of(tmp_path: Path, content: bytes) -> Lines:
    path = tmp_path / "log"
    path.write_bytes(content)
    return Lines(path)


_PIECES = st.lists(
    st.one_of(
        st.sampled_from([b"\n", b"\r\n", b"a", b"\xff", b"\0", "ä".encode(), "𝄞".encode(), b"\r"]),
        st.binary(max_size=3),
        st.integers(min_value=15, max_value=50).map(lambda n: b"x" * n),
    ),
    max_size=30,
).map(b"".join)


@given(content=_PIECES, chunk=st.integers(min_value=1, max_value=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_lines_do_not_depend_on_how_the_file_was_cut_into_chunks(
    tmp_path: Path, content: bytes, chunk: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "LINE_LIMIT", 20)
        patch.setattr(text, "_CHUNK", chunk)
        found = lines_of(tmp_path, content)
        read = list(found)
    *whole, rest = content.split(b"\n")
    ended = [line.removesuffix(b"\r") for line in whole]
    cut = [number for number, line in enumerate(ended, 1) if len(line) > 20]
    if len(rest.removesuffix(b"\r")) > 20:
        ended, cut, rest = [*ended, rest], [*cut, len(ended) + 1], b""
    assert read == [line[:20].decode("utf-8", "replace") for line in ended]
    assert found.cut == cut
    assert (found.torn is not None) == bool(rest)
    assert found.count == len(ended) + bool(rest)


def test_the_last_line_is_torn_if_it_has_no_end(tmp_path: Path) -> None:
    found = lines_of(tmp_path, b"one\ntwo\nthr")
    assert list(found) == ["one", "two"]
    assert (found.torn, found.count) == ("thr", 3)


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    found = lines_of(tmp_path, b"")
    assert (list(found), found.torn, found.count) == ([], None, 0)


def test_a_line_of_30_mb_is_cut_and_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.write(b"before\n")
        for _ in range(30):
            file.write(b"x" * (1 << 20))
        file.write(b"\nafter\n")
    found = Lines(path)
    tracemalloc.start()
    try:
        lengths = [len(line) for line in found]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lengths == [6, text.LINE_LIMIT, 5]
    assert found.cut == [2]
    assert peak < 12 << 20


@pytest.mark.usefixtures("small_chunks")
def test_what_is_no_utf8_is_kept_as_far_as_it_can_be(tmp_path: Path) -> None:
    assert list(lines_of(tmp_path, b"caf\xe9\n" + "café\n".encode())) == ["caf�", "café"]


def test_windows_line_ends_are_line_ends(tmp_path: Path) -> None:
    assert list(lines_of(tmp_path, b"one\r\ntwo\r\n")) == ["one", "two"]


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("Task 33 marked for retry", "Task N marked for retry"),
        ("Manager 91365d3eae4d left\nTraceback", "Manager N left"),
        ("<AppFuture at 0x7fe570bd5ed0 state=pending>", "<AppFuture at N state=pending>"),
        ("a deed of no digits", "a deed of no digits"),
    ],
)
def test_a_shape_is_a_message_without_its_numbers(message: str, masked: str) -> None:
    assert shape(message) == masked


def test_a_shape_is_short(tmp_path: Path) -> None:
    assert len(shape("x" * 10**6)) == 160


def test_unused_messages_are_counted_by_shape() -> None:
    unused = Unused(("Sending",))
    for task in range(3):
        unused.add("dflow:1", f"Sending task {task}")
        unused.add("dflow:2", f"Sending task {task}")
        unused.add("dflow:3", f"Task {task} dances")
    assert unused.messages() == {"Sending task N": (6, True), "Task N dances": (3, False)}
