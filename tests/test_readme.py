"""What README shows is what happens: its shell sessions are run, and what they print compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sessions() -> list[tuple[str, str]]:
    """Each command of README's console blocks, with what it is said to print."""
    found: list[tuple[str, str]] = []
    for block in _BLOCK.findall(README.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown.strip("\n")))
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the examples, in which the commands are run one after the other."""
    place = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", place / "examples")
    return place


@pytest.mark.parametrize(
    ("command", "shown"),
    [session for session in sessions() if "pytest" not in session[0]],
)
def test_readme_shows_what_happens(command: str, shown: str, place: Path) -> None:
    printed, said = _printed(command, place)
    lines = ["(?s:.*)" if line == "…" else re.escape(line) for line in shown.split("\n")]
    pattern = "\n".join(lines)
    pattern = pattern.replace(re.escape("<here>"), re.escape(str(place)))
    assert re.fullmatch(pattern, printed), f"{printed}\n{said}"


def _printed(command: str, place: Path) -> tuple[str, str]:
    """What a command prints, and what it says besides."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    environment.pop("DNPCSQL_DB", None)
    ran = subprocess.run(
        re.sub(r"^pip install -q \S+ && ", "", command),
        shell=True,
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return (ran.stdout + (ran.stderr if ran.returncode else "")).rstrip("\n"), ran.stderr


def test_every_command_is_in_the_readme() -> None:
    from dnpcsql.cli import COMMANDS

    text = README.read_text(encoding="utf-8")
    missing = [name for name in COMMANDS if f"dnpcsql {name}" not in text]
    assert missing == []


def main() -> None:
    """`python tests/test_readme.py`: write into README what its commands print now."""
    import tempfile

    text = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        shutil.copytree(ROOT / "examples", place / "examples")
        for block in _BLOCK.findall(text):
            if "pytest" in block:
                continue
            written = ""
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                printed = _printed(command, place)[0].replace(str(place), "<here>")
                kept = shown if "…" in shown.splitlines() else printed
                written += f"$ {command}\n{kept}".rstrip() + "\n"
            text = text.replace(block, written)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
