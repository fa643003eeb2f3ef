"""A decorator for apps."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def traced(
    directory: str | os.PathLike[str], name: str | None = None
) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """A decorator for the function of an app, below Parsl's own: its body becomes a span.

    The directory is one that the workers see; `name` is the function's, unless one is given. What
    the body's span contains is tied with it.
    """
    place = str(Path(directory).absolute())

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        called = name or function.__name__

        @functools.wraps(function)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            # Parsl sends this function, but not what it imports.
            from dnpcsql.tracing.process import set_up, span

            set_up(place)
            with span(called):
                return function(*args, **kwargs)

        # With the user's own module, the worker would be sent a copy of all that is in this one.
        run.__module__ = __name__
        return run

    return decorate
