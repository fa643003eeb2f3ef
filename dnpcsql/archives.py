"""Archives and compressed files, read as the trees and files that they hold.

They are unpacked to scratch, within limits, and what is read is named `run.tar.gz!/000/parsl.log`.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, Protocol, TypeAlias, cast

from dnpcsql import scratch
from dnpcsql.errors import UnreadableError

SIZE_LIMIT = 64 << 30  # bytes that one archive may unpack to
GZIP_SMALL, GZIP_RATIO = 1 << 30, 200  # beyond both, one compressed file is taken for a bomb
FILES_LIMIT = 1_000_000
_CHUNK = 1 << 20
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_COMPRESSED: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, NotImplementedError,
    gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
)  # fmt: skip


class _Content(Protocol):
    """`read1` gives what is good before the damage, where `read` gives all or nothing."""

    def read1(self, size: int, /) -> bytes: ...


# A file in an archive: its name, when it was changed, its content; why it is not read, if so.
_Member: TypeAlias = tuple[str, float, _Content | None, str]


class Unpacked(NamedTuple):
    """Where the file or folder is, and what of the archive is not there, with the reason.

    `cut`: the file in whose midst the archive ends, or is damaged; what came before is there.
    """

    place: Path
    missing: list[str]
    cut: Path | None = None


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive or a compressed file."""
    return path.name.lower().endswith((*_TAR, ".zip", ".gz"))


def inner_name(path: Path) -> str:
    """What a compressed file is called once unpacked: `parsl.log.gz` → `parsl.log`."""
    return path.name[:-3] if path.name.lower().endswith(".gz") else path.name


def unpack(path: Path, target: Path, size_limit: int | None = None) -> Unpacked:
    """Unpack into `target`, which is made; a damaged archive as far as it goes.

    Raises UnreadableError for one of which nothing can be read, or larger than the limits, and
    NoRoomError.
    """
    target.mkdir(parents=True, exist_ok=True)
    name = path.name.lower()
    out = _Unpacking(path, target, SIZE_LIMIT if size_limit is None else size_limit)
    try:
        if name.endswith(_TAR):
            out.write_all(_tar_members(path))
        elif name.endswith(".zip"):
            out.write_all(_zip_members(path))
        else:
            target = target / inner_name(path)
            out.limit = min(out.limit, max(GZIP_SMALL, GZIP_RATIO * path.stat().st_size))
            with gzip.open(path) as file:
                out.write(file, target, path.stat().st_mtime)
    except _DAMAGE as error:
        if not out.size:
            raise UnreadableError(f"{path}: a damaged archive: {error}") from None
        out.missing.append(f"{path}: a damaged archive: {error}; read as far as it goes")
    return Unpacked(target, out.missing, out.cut)


class _Stream:
    """What a tar lies in, unpacked: a read gives what is good before the damage."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            head = file.read(6)
        openers = (opener for magic, opener in _COMPRESSED.items() if head.startswith(magic))
        self._file = next(openers, Path.open)(path, "rb")
        self.seek, self.tell, self.close = self._file.seek, self._file.tell, self._file.close

    def read(self, size: int) -> bytes:
        """Fewer bytes only before the end, or before damage, which the next read raises."""
        found: list[bytes] = []
        while size > 0:
            try:
                chunk: bytes = self._file.read1(size)
            except _DAMAGE:
                if not found:
                    raise
                break
            if not chunk:
                break
            found.append(chunk)
            size -= len(chunk)
        return b"".join(found)


class _Inside:
    """A member's bytes, as many of them as there are: tarfile gives a whole piece or none of it."""

    def __init__(self, stream: _Stream, member: tarfile.TarInfo) -> None:
        self._stream = stream
        self._place, self._left = member.offset_data, member.size

    def read1(self, size: int, /) -> bytes:
        size = min(size, self._left)
        if not size:
            return b""
        if self._stream.tell() != self._place:
            self._stream.seek(self._place)
        chunk = self._stream.read(size)
        if not chunk:
            raise EOFError("it ends in the midst of a file")
        self._place += len(chunk)
        self._left -= len(chunk)
        return chunk


def _tar_members(path: Path) -> Iterator[_Member]:
    with (
        contextlib.closing(_Stream(path)) as stream,
        tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as archive,
    ):
        for member in archive:
            if member.isreg() and not member.issparse():
                yield member.name, member.mtime, _Inside(stream, member), ""
            elif member.isfile() or member.islnk():
                yield _linked(archive, member)


def _linked(archive: tarfile.TarFile, member: tarfile.TarInfo) -> _Member:
    """A second name of a file, or a file with holes."""
    try:
        content = cast("_Content | None", archive.extractfile(member))
        return member.name, member.mtime, content, ""
    except KeyError:
        return member.name, 0, None, f"a link to {member.linkname}, which is not there"


def _zip_members(path: Path) -> Iterator[_Member]:
    modified = path.stat().st_mtime
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.flag_bits & 1:
                yield member.filename, modified, None, "locked by a password"
            elif not member.is_dir():
                with archive.open(member) as file:
                    yield member.filename, modified, cast("_Content", file), ""


class _Unpacking:
    """What was written so far of one archive."""

    def __init__(self, archive: Path, target: Path, limit: int) -> None:
        self._archive = archive
        self._target = target
        self.limit = limit
        self.size = 0
        self.missing: list[str] = []
        self.cut: Path | None = None

    def write_all(self, members: Iterator[_Member]) -> None:
        """Write every file that lies within the archive's own folder."""
        for count, (name, modified, file, why) in enumerate(members):
            if count >= FILES_LIMIT:
                raise UnreadableError(f"{self._archive}: more than {FILES_LIMIT} files")
            inside = PurePosixPath(name)
            if inside.is_absolute() or ".." in inside.parts:
                self._miss(name, "leads outside of the archive")
            elif file is None:
                self._miss(name, why)
            elif inside.parts:
                self.write(file, self._target.joinpath(*inside.parts), modified)

    def _miss(self, name: str, why: str) -> None:
        self.missing.append(f"{self._archive}!/{name}: {why}")

    def write(self, file: _Content, place: Path, modified: float) -> None:
        """Write one file."""
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)  # it may be a link, or an older file of the same name
            out = place.open("xb", buffering=0)
        except OSError as error:
            self._miss(place.name, error.strerror or str(error))
            return
        try:
            with out:
                while chunk := self._read(file, place):
                    self.size += len(chunk)
                    if self.size > self.limit:
                        raise UnreadableError(
                            f"{self._archive}: unpacks to more than {self.limit} bytes; "
                            "unpack it by hand"
                        )
                    scratch.write(out, chunk, self._archive)
        finally:
            with contextlib.suppress(OSError, OverflowError, ValueError):
                os.utime(place, (modified, modified))

    def _read(self, file: _Content, place: Path) -> bytes:
        try:
            return file.read1(_CHUNK)
        except _DAMAGE:
            if place.stat().st_size:
                self.cut = place
            raise
