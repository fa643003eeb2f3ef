"""Whether a disk knows locks. On some of a cluster's it does not, and SQLite waits for nobody."""

from __future__ import annotations

import errno
import sys
import tempfile
from pathlib import Path
from typing import IO

_NONE = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


def why_none(path: Path) -> str | None:
    """What the system says where there are none; None where there are.

    Asked of a file of its own beside `path`, for whoever closes a file loses all locks on it, also
    those of an SQLite in this process; of `path` itself where no other can be made.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        with _beside(path) as file:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 1 << 40)
    except OSError as error:
        return error.strerror if error.errno in _NONE else None
    return None


def _beside(path: Path) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(dir=path.parent)
    except OSError:
        return path.open("rb")
