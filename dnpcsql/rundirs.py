"""Which directories are a run's: `runinfo/003`, by what they hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

_NUMBER = re.compile(r"\d{3,}")
_LOGS = ("parsl.log", "parsl.jsonlog")
_SIGNS = (
    "submit_scripts", "database_manager.log", "database_manager.jsonlog", "*/interchange.log",
    "*/interchange.jsonlog", "*/transaction_log", "*/vine-logs", "*/*/vine-logs",
    "*/block-*",
)  # fmt: skip


def is_numbered(directory: Path) -> bool:
    """Whether a directory is called as Parsl calls a run's: 000, 001, …"""
    return _NUMBER.fullmatch(directory.name) is not None


def is_run(directory: Path) -> bool:
    """Whether a directory is a run's. A number alone does not make it one: so are called the
    folders of batch jobs and years, and Parsl's own `task_logs/0000`."""
    return any((directory / name).is_file() for name in _LOGS) or (
        is_numbered(directory) and any(any(directory.glob(sign)) for sign in _SIGNS)
    )


def finder() -> Callable[[Path], Path | None]:
    """A function from a file to the directory of the run that it belongs to.

    It looks at each directory once.
    """
    known = cache(is_run)

    def run_directory(path: Path) -> Path | None:
        return next((parent for parent in path.parents if known(parent)), None)

    return run_directory
