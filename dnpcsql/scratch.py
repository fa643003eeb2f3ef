"""Writing what is unpacked to scratch, where there may be no room for it."""

from __future__ import annotations

import tempfile
from io import FileIO
from pathlib import Path

from dnpcsql.errors import NoRoomError


def write(out: FileIO, chunk: bytes, path: Path) -> None:
    """Write all of a chunk of what `path` unpacks to. Raises NoRoomError.

    To a file without a buffer, which would else be written when it is closed, and fail then.
    """
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[out.write(rest) :]
    except OSError as error:
        raise no_room(path, error) from None


def no_room(path: Path, error: OSError) -> NoRoomError:
    """What to say of an error in writing to scratch: it is not the fault of what is read."""
    where, why = tempfile.gettempdir(), error.strerror or error
    return NoRoomError(
        f"{path}: not read for want of room in {where} ({why}): "
        "make some there, or set TMPDIR to another place"
    )
