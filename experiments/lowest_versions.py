"""The tests with the lowest supported versions: the bounds of setup.cfg, each taken at its word.

    python experiments/lowest_versions.py FOLDER                    # builds FOLDER/venv once, then runs all tests
    python experiments/lowest_versions.py FOLDER tests/test_x.py    # other words go to pytest
    python experiments/lowest_versions.py --list                    # the versions, as a constraints file

Every ``name>=version`` of install_requires and of the extra ``test`` becomes ``name==version``.  FOLDER lies outside of
the repository.  Needs the lowest Python of setup.cfg to say anything about it.
"""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKERS = ("ruff", "mypy")  # they judge the text, not what runs
# what the lowest versions themselves need, of about their age: a newer pyparsing warns about matplotlib 3.9
CONTEMPORARY = ("pyparsing<3.2",)


def lowest() -> list[str]:
    """``name==version`` for every bound."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options"]["install_requires"] + config["options.extras_require"]["test"]
    bounds = [line.strip() for line in lines.splitlines() if line.strip()]
    return [*(bound.replace(">=", "==") for bound in bounds if not bound.startswith(CHECKERS)), *CONTEMPORARY]


def build(folder: Path) -> Path:
    """The environment; its interpreter."""
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = folder / "installed.txt"
    wanted = "\n".join(lowest())
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        venv.create(folder / "venv", with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *lowest()], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-e", str(ROOT)], check=True)
        done.write_text(wanted, encoding="utf-8")
    return python


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    if arguments[0] == "--list":
        print("\n".join(lowest()))
        return 0
    folder = Path(arguments[0]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.run([build(folder), "-m", "pytest", "-q", *arguments[1:]], cwd=ROOT).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
