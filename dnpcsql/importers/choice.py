"""Which importer reads a file."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dnpcsql.errors import NotFoundError, UnreadableError
from dnpcsql.fingerprints import of_content
from dnpcsql.importers import BUILT_IN, Importer, offered
from dnpcsql.records import Record

_HEAD = 1 << 16
_NEVER_OPENED = frozenset({".pkl", ".key_secret"})


class Choice:
    """Picks by what is in a file, or takes the one that was asked for."""

    def __init__(self, asked: str | None = None) -> None:
        """`asked`: a built-in's name, or the path of a Python file that holds an importer, or of a
        TOML file that says how lines look."""
        self._only = None if asked is None else _asked(asked)
        self._own = asked is not None and asked.endswith(".toml")
        self._all = [*BUILT_IN, *offered()] if asked is None else []

    def of(self, path: Path) -> Importer | None:
        """The importer for a file; None if there is none. OSError if it cannot be read."""
        if self._only is not None and not self._own:
            return self._only
        if path.suffix in _NEVER_OPENED:
            return None
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if self._only is not None:
            return self._only if self._only.recognises(path, head) else None
        return next((known for known in self._all if known.recognises(path, head)), None)


def _asked(asked: str) -> Importer:
    known = {importer.name: importer for importer in (*BUILT_IN, *offered())}
    if asked in known:
        return known[asked]
    path = Path(asked)
    if path.suffix == ".py" and path.is_file():
        return _from_file(path)
    if path.suffix == ".toml":
        from dnpcsql.importers.own import from_toml

        return from_toml(path)
    listed = ", ".join(sorted(known))
    raise NotFoundError(
        f"--importer {asked}: no such file (.py or .toml); the built-in ones are: {listed}"
    )


def _from_file(path: Path) -> Importer:
    """The importer in a Python file: an Importer, or the one generator function `f(path, context)`
    that is defined there; if several are, the one named `importer`."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UnreadableError(f"{path}: {type(error).__name__}: {error}") from error
    ready = [value for value in vars(module).values() if isinstance(value, Importer)]
    if ready:
        return ready[0]
    found = {
        name: value
        for name, value in vars(module).items()
        if inspect.isgeneratorfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }
    read = found.get("importer") or (next(iter(found.values())) if len(found) == 1 else None)
    if read is None:
        raise UnreadableError(
            f"{path}: no importer there: write one generator function `def {path.stem}"
            "(path, context)`, or name it `importer` if there are several"
        )
    return Importer(
        path.stem,
        lambda _path, _head: True,
        _with_context(read),
        version=of_content(path),
        by_content=False,
    )


def _with_context(read: Callable[..., Iterator[Record]]) -> Callable[..., Iterator[Record]]:
    """An importer may leave the context out."""
    if len(inspect.signature(read).parameters) > 1:
        return read

    def alone(path: Path, _context: Any) -> Iterator[Record]:
        return read(path)

    return alone
