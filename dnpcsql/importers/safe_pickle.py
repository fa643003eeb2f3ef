"""Pickles without unpickling: lists, tuples, dictionaries, texts and numbers, and nothing else.

A pickle is a program, and may name any function to be called. Here its instructions are looked at
one by one; one that names or calls anything is an error, and nothing was run.

Two long lists in a dictionary are given item by item, and forgotten: memory grows by what their
items share (each text and each inner tuple once), not by their length, and has a limit.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dnpcsql.errors import UnreadableError

VALUE_LIMIT = 1 << 20  # bytes of one text or number
KEPT_LIMIT = 20_000_000  # values that may have to be remembered at one time
TEXT_LIMIT = 512 << 20  # bytes of all texts

_MARK = object()

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = frozenset(
    (
        "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
        "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE",
        "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    )
)  # fmt: skip
_PUTS = frozenset(["PUT", "BINPUT", "LONG_BINPUT"])
_GETS = frozenset(["GET", "BINGET", "LONG_BINGET"])
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class TornError(ValueError):
    """A pickle that is cut off or damaged: what came before it was given."""


class Streamed(list[Any]):
    """A list whose items were given already."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def stream(path: Path, names: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """(name, item) of the lists that stand under some names in a pickled dictionary, and last
    ("", what was pickled, without these items).

    Raises TornError, or UnreadableError for a pickle that holds more than plain values.
    """
    with path.open("rb") as file:
        machine = _Machine(path, names)
        try:
            for operation, value, place in pickletools.genops(_Bounded(file)):  # type: ignore[arg-type]
                machine.step(operation.name, value, place or 0)
                yield from machine.given
                machine.given.clear()
        except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
            raise TornError(str(error) or type(error).__name__) from None
        yield "", machine.result


class _Bounded:
    """A file that is read in parts of ordinary size, whatever a pickle says of itself."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        if size > VALUE_LIMIT:
            raise ValueError(f"one value of {size} bytes")
        return self._file.read(size)

    def readline(self) -> bytes:
        return self._file.readline(VALUE_LIMIT)


class _Machine:
    """The stack and the memory of a pickle that only builds plain values."""

    def __init__(self, path: Path, names: frozenset[str]) -> None:
        self._path = path
        self._names = names
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._recent: list[tuple[int, Any]] = []  # tuples remembered since the last items
        self._memoized = 0
        self._texts = 0
        self.given: list[tuple[str, Any]] = []
        self.result: Any = None
        self._builders: dict[str, Callable[[], Any]] = {
            "EMPTY_LIST": lambda: self._list([]),
            "LIST": lambda: self._list(self._to_mark()),
            "EMPTY_TUPLE": lambda: (),
            "TUPLE": lambda: tuple(self._to_mark()),
            "EMPTY_DICT": dict,
            "DICT": lambda: self._paired({}, self._to_mark()),
            "EMPTY_SET": list,
            "FROZENSET": lambda: tuple(self._to_mark()),
        }

    def step(self, name: str, value: Any, place: int) -> None:
        """One instruction."""
        stack = self._stack
        if name in _LITERALS:
            if isinstance(value, str | bytes):
                self._texts += len(value)
            stack.append(value)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _GETS:
            stack.append(self._memo[int(value)])
        elif name in _PUTS or name == "MEMOIZE":
            self._remember(self._memoized if name == "MEMOIZE" else int(value))
        elif name == "MARK":
            stack.append(_MARK)
        elif name in _TUPLES:
            count = _TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name in self._builders:
            stack.append(self._builders[name]())
        elif not self._changed(name):
            raise UnreadableError(
                f"{self._path}: the pickle holds more than plain values ({self._told(name, value)} "
                f"at byte {place}): it is not read, and nothing that it names was run"
            )
        if len(stack) + len(self._memo) > KEPT_LIMIT or self._texts > TEXT_LIMIT:
            raise UnreadableError(f"{self._path}: the pickle is too large to be read")

    def _told(self, name: str, value: Any) -> str:
        """An instruction that is refused, with what it names."""
        if name == "STACK_GLOBAL":
            value = ".".join(part for part in self._stack[-2:] if isinstance(part, str))
        return name if value is None else f"{name} {str(value)[:80]}"

    def _changed(self, name: str) -> bool:
        """Instructions that change what lies on the stack."""
        stack = self._stack
        match name:
            case "PROTO" | "FRAME":
                pass
            case "APPEND":
                item = stack.pop()
                self._extend(stack[-1], [item])
            case "APPENDS" | "ADDITEMS":
                items = self._to_mark()
                self._extend(stack[-1], items)
            case "SETITEM":
                pair = stack[-2:]
                del stack[-2:]
                self._paired(stack[-1], pair)
            case "SETITEMS":
                items = self._to_mark()
                self._paired(stack[-1], items)
            case "POP":
                stack.pop()
            case "POP_MARK":
                self._to_mark()
            case "DUP":
                stack.append(stack[-1])
            case "STOP":
                self.result = stack.pop()
            case _:
                return False
        return True

    def _remember(self, index: int) -> None:
        value = self._stack[-1]
        self._memo[index] = value
        self._memoized += 1
        if type(value) is tuple:
            self._recent.append((index, value))

    def _list(self, items: list[Any]) -> list[Any]:
        """A list; if the name of one that is to be streamed lies below it, one that is."""
        name = self._stack[-1] if self._stack else None
        if isinstance(name, str) and name in self._names:
            streamed = Streamed(name)
            self._extend(streamed, items)
            return streamed
        return items

    def _extend(self, to: Any, items: list[Any]) -> None:
        if not isinstance(to, Streamed):
            if type(to) is not list:
                raise ValueError("items for what is no list")
            to.extend(items)
            return
        self.given += [(to.name, item) for item in items]
        # Nothing refers to an item again, but to what is in it.
        gone = {id(item) for item in items}
        for index, value in self._recent:
            if id(value) in gone and self._memo.get(index) is value:
                del self._memo[index]
        self._recent.clear()

    def _paired(self, to: Any, items: list[Any]) -> dict[Any, Any]:
        if type(to) is not dict or len(items) % 2:
            raise ValueError("values for what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int | float | bytes):
                raise ValueError("a dictionary by other keys than texts and numbers")
            to[key] = value
        return to

    def _to_mark(self) -> list[Any]:
        """What lies above the uppermost mark, which goes."""
        stack = self._stack
        for place in range(len(stack) - 1, -1, -1):
            if stack[place] is _MARK:
                items = stack[place + 1 :]
                del stack[place:]
                return items
        raise ValueError("no mark")
