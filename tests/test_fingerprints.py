from __future__ import annotations

from pathlib import Path

from dnpcsql.fingerprints import of_content

MIB = 1 << 20


def test_a_small_file_is_known_by_all_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a" * MIB)
    first = of_content(path)
    assert first == of_content(path)
    assert len(first) == 32
    content = bytearray(b"a" * MIB)
    content[MIB // 2] = 98
    path.write_bytes(bytes(content))
    assert of_content(path) != first


def test_a_large_file_is_known_by_its_size_and_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "log"
    content = bytearray(b"a" * (6 * MIB))
    path.write_bytes(bytes(content))
    seen = {of_content(path)}
    for place in (0, len(content) - 1):
        changed = content.copy()
        changed[place] = 98
        path.write_bytes(bytes(changed))
        seen.add(of_content(path))
    path.write_bytes(bytes(content + b"a"))
    seen.add(of_content(path))
    assert len(seen) == 4


def test_an_empty_file_has_a_fingerprint_too(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    assert len(of_content(tmp_path / "log")) == 32
