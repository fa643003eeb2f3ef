"""Files that may be compressed, as plain ones: gzip and zstd, within limits."""

from __future__ import annotations

import contextlib
import gzip
import tempfile
import zlib
from collections.abc import Iterator
from io import BufferedReader, FileIO
from pathlib import Path
from typing import IO, Any

from dnpcsql import scratch
from dnpcsql.errors import UnreadableError

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20
_HEAD = 1 << 16

# What a file may unpack to: traces shrink by 10 to 50, a bomb by 1,000.
SMALL = 1 << 30
RATIO = 200


def size_limit(packed: int) -> int:
    """Bytes that so many packed bytes may unpack to."""
    return max(SMALL, RATIO * packed)


def unpacked_head(head: bytes) -> bytes:
    """The beginning of what a file holds, as far as can be told from its own beginning."""
    if head.startswith(GZIP):
        with contextlib.suppress(zlib.error):
            return zlib.decompressobj(31).decompress(head, _HEAD)
    if head.startswith(ZSTD):
        zstandard = _zstandard()
        if zstandard is not None:
            with contextlib.suppress(zstandard.ZstdError):
                found: bytes = zstandard.ZstdDecompressor().decompressobj().decompress(head)
                return found[:_HEAD]
    return head


def is_zstd_unread(head: bytes) -> bool:
    """Whether this is zstd, and nothing here to unpack it."""
    return ZSTD in (head[:4], head[4:8]) and _zstandard() is None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file, or what it unpacks to, to be read at any place.

    Raises UnreadableError if it is damaged, unpacks to too much, or is zstd and nothing here can
    unpack that; NoRoomError.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        start = file.read(4)
        file.seek(0)
        if not start.startswith((GZIP, ZSTD)):
            yield file
            return
        out = stack.enter_context(tempfile.TemporaryFile(prefix="dnpcsql-", buffering=0))
        limit = size_limit(path.stat().st_size)
        try:
            with _reader(path, file, start) as reader:
                _copy(reader, out, limit, path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableError(f"{path}: damaged gzip: {error}") from None
        out.seek(0)
        yield BufferedReader(out)


def zstd_message(path: Path, packed: bytes) -> bytes:
    """What one zstd frame holds. Raises UnreadableError as `opened` does."""
    zstandard = needed_zstandard(path)
    limit = size_limit(len(packed))
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
            found: bytes = reader.read(limit + 1)
    except zstandard.ZstdError as error:
        raise UnreadableError(f"{path}: damaged zstd: {error}") from None
    if len(found) > limit:
        raise UnreadableError(f"{path}: unpacks to more than {limit} bytes")
    return found


def needed_zstandard(path: Path) -> Any:
    """The zstandard module. Raises UnreadableError without it."""
    zstandard = _zstandard()
    if zstandard is None:
        raise UnreadableError(
            f"{path}: compressed with zstd: pip install 'dnpcsql[zstd]', or `zstd -d` it"
        )
    return zstandard


def _reader(path: Path, file: IO[bytes], start: bytes) -> Any:
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=file)
    zstandard = needed_zstandard(path)
    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)


def _copy(reader: IO[bytes], out: FileIO, limit: int, path: Path) -> None:
    size = 0
    while chunk := _read(reader, path):
        size += len(chunk)
        if size > limit:
            raise UnreadableError(
                f"{path}: unpacks to more than {limit} bytes, {RATIO} times its size; "
                "unpack it by hand if it is to be read"
            )
        scratch.write(out, chunk, path)


def _read(reader: IO[bytes], path: Path) -> bytes:
    try:
        return reader.read(_CHUNK)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise
    except Exception as error:  # zstandard's own, which has no type without it
        if type(error).__name__ != "ZstdError":
            raise
        raise UnreadableError(f"{path}: damaged zstd: {error}") from None


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        return None
    return zstandard
