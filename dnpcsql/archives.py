"""Archives and compressed files, read as the trees and files that they hold.

They are unpacked to scratch, within limits, and what is read is named `run.tar.gz!/000/parsl.log`.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from dnpcsql.errors import UnreadableError

SIZE_LIMIT = 64 << 30  # bytes that one archive may unpack to
GZIP_SMALL, GZIP_RATIO = 1 << 30, 200  # beyond both, one compressed file is taken for a bomb
FILES_LIMIT = 1_000_000
_CHUNK = 1 << 20
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive or a compressed file."""
    return path.name.lower().endswith((*_TAR, ".zip", ".gz"))


def inner_name(path: Path) -> str:
    """What a compressed file is called once unpacked: `parsl.log.gz` → `parsl.log`."""
    return path.name[:-3] if path.name.endswith(".gz") else path.name


def unpack(path: Path, target: Path, size_limit: int = SIZE_LIMIT) -> Path:
    """Unpack into `target`, which is made; return the file or directory that is there then.

    Raises UnreadableError for a damaged archive, or one larger than the limit.
    """
    name = path.name.lower()
    target.mkdir(parents=True, exist_ok=True)
    try:
        if name.endswith(_TAR):
            _write_all(_tar_members(path), target, size_limit)
        elif name.endswith(".zip"):
            _write_all(_zip_members(path), target, size_limit)
        else:
            likely = max(GZIP_SMALL, GZIP_RATIO * path.stat().st_size)
            with gzip.open(path) as file:
                _write(file, target / inner_name(path), min(size_limit, likely))
            os.utime(target / inner_name(path), ns=_times(path))
            return target / inner_name(path)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableError(f"{path}: a damaged archive: {error}") from None
    return target


def _tar_members(path: Path) -> Iterator[tuple[str, float, IO[bytes]]]:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name, member.mtime, file


def _zip_members(path: Path) -> Iterator[tuple[str, float, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.is_dir() and not member.flag_bits & 1:
                with archive.open(member) as file:
                    yield member.filename, path.stat().st_mtime, file


def _write_all(
    members: Iterator[tuple[str, float, IO[bytes]]], target: Path, size_limit: int
) -> None:
    left = size_limit
    for count, (name, modified, file) in enumerate(members):
        inside = PurePosixPath(name)
        if count >= FILES_LIMIT:
            raise UnreadableError(f"{target.name}: more than {FILES_LIMIT} files")
        if inside.is_absolute() or ".." in inside.parts:
            continue
        place = target.joinpath(*inside.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        left -= _write(file, place, left)
        os.utime(place, (modified, modified))


def _write(source: IO[bytes] | gzip.GzipFile, place: Path, limit: int) -> int:
    size = 0
    with place.open("wb") as out:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise UnreadableError(
                    f"{place.name}: unpacks to more than {limit} bytes; unpack it by hand"
                )
            out.write(chunk)
    return size


def _times(path: Path) -> tuple[int, int]:
    modified = path.stat().st_mtime_ns
    return modified, modified
