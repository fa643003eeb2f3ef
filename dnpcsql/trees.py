"""The files below what was named to be imported: links followed once, archives unpacked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dnpcsql.archives import inner_name, is_archive, unpack
from dnpcsql.errors import DnpcsqlError, NotFoundError

_NUMBER = re.compile(r"\d{3,}")


@dataclass(frozen=True)
class Found:
    """A file: where it is read, and how it is called to people."""

    path: Path
    shown: str


@dataclass
class Tree:
    """All files below some paths, in an order of their own."""

    files: list[Found] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def walk(paths: Iterable[Path], scratch: Path) -> Tree:
    """Find all files. Raises NotFoundError for a path that is not there."""
    tree = Tree()
    for number, path in enumerate(paths):
        if not path.exists():
            raise NotFoundError(f"no such file or directory: {path}")
        if is_archive(path) and path.is_file():
            _unpacked(tree, path, f"{path.resolve()}", scratch / f"{number}")
        elif path.is_file():
            tree.files.append(Found(path.resolve(), str(path.resolve())))
        else:
            _walk_directory(tree, path.resolve(), str(path.resolve()), scratch / f"{number}")
    unique = {found.shown: found for found in tree.files}
    tree.files = sorted(unique.values(), key=lambda found: found.shown)
    return tree


def _walk_directory(tree: Tree, root: Path, shown: str, scratch: Path) -> None:
    """Files below a directory. If any is compressed, a mirror of the tree holds what it unpacks
    to, for a log is understood by what lies around it."""
    files = list(_files(root, tree.unreadable))
    if not any(is_archive(file) for file in files):
        tree.files += [Found(file, shown + str(file)[len(str(root)) :]) for file in files]
        return
    for file in files:
        inside = file.relative_to(root)
        mirrored = scratch / root.name / inside
        label = f"{shown}/{inside}"
        if is_archive(file):
            _unpacked(tree, file, label, mirrored.parent / _folder(file))
        else:
            mirrored.parent.mkdir(parents=True, exist_ok=True)
            mirrored.symlink_to(file)
            tree.files.append(Found(mirrored, label))


def _folder(archive: Path) -> str:
    """A compressed log takes the place of the log; an archive becomes a folder."""
    return "" if archive.name.endswith(".gz") and ".tar" not in archive.name else archive.name


def _unpacked(tree: Tree, archive: Path, label: str, target: Path) -> None:
    try:
        place = unpack(archive, target)
    except (DnpcsqlError, OSError) as error:
        tree.unreadable.append(str(error))
        return
    if place.is_file():
        tree.files.append(Found(place, f"{label}!/{inner_name(archive)}"))
        return
    inside = list(_files(place, tree.unreadable))
    tree.files += [Found(file, f"{label}!{str(file)[len(str(place)) :]}") for file in inside]


def _files(root: Path, unreadable: list[str]) -> Iterator[Path]:
    """Every file once, though links may lead round in circles."""
    seen: set[tuple[int, int]] = set()

    def failed(error: OSError) -> None:
        unreadable.append(f"{error.filename}: {error.strerror}")

    for folder, folders, names in os.walk(root, followlinks=True, onerror=failed):
        here = os.stat(folder)
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file():
                yield path
            elif not path.exists():
                unreadable.append(f"{path}: a link that leads nowhere")


def of_run(files: Iterable[Found], number: str | None) -> list[Found]:
    """Files of the run in directory `number` (None: of the highest), and of no run's directory."""
    numbered = [(found, _run_number(found.path)) for found in files]
    numbers = {run for _, run in numbered if run is not None}
    if not numbers:
        raise NotFoundError("no run directory (000, 001, …) there to choose from")
    wanted = max(numbers, key=int) if number is None else number.zfill(3)
    if wanted not in numbers:
        listed = ", ".join(sorted(numbers))
        raise NotFoundError(f"no run directory {wanted} there; there are {listed}")
    return [found for found, run in numbered if run in (None, wanted)]


def _run_number(path: Path) -> str | None:
    return next((part.name for part in path.parents if _NUMBER.fullmatch(part.name)), None)
