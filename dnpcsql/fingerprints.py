"""Whether a file is the one that was read before."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

_WHOLE = 4 << 20
_BLOCK = 64 << 10
_BLOCKS = 64

# What lies beside an SQLite database and is read with it: what was committed and not yet moved
# into the file, and what is to be undone. Without it the file tells of another time.
BESIDE = ("-wal", "-journal")


def of_content(path: Path) -> str:
    """A hash of a file's content: all of it up to 4 MiB; of larger ones the size, both ends and
    62 blocks between. Logs grow at the end, SQLite counts its changes at the beginning, or those
    that it keeps in a file beside, in that one."""
    digest = hashlib.blake2b(digest_size=16)
    _add(digest, path)
    for beside in _beside(path):
        with contextlib.suppress(FileNotFoundError):  # done with meanwhile
            _add(digest, beside)
    return digest.hexdigest()


def state(path: Path) -> tuple[int, int]:
    """(bytes, ns of the latest change) of a file and of what is read with it: if neither has
    changed, nor has the content."""
    found = path.stat()
    size, modified = found.st_size, found.st_mtime_ns
    for beside in _beside(path):
        with contextlib.suppress(FileNotFoundError):
            found = beside.stat()
            size, modified = size + found.st_size, max(modified, found.st_mtime_ns)
    return size, modified


def _beside(path: Path) -> Iterator[Path]:
    for suffix in BESIDE:
        beside = path.with_name(path.name + suffix)
        with contextlib.suppress(OSError):
            if beside.is_file() and beside.stat().st_size:
                yield beside


def _add(digest: hashlib.blake2b, path: Path) -> None:
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        if size <= _WHOLE:
            digest.update(file.read())
        else:
            for place in range(_BLOCKS):
                file.seek((size - _BLOCK) * place // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK))
