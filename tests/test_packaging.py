"""What is installed is the whole package: every file below maxmargin/ is code of a package or declared data."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "maxmargin"
FILES = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def patterns() -> list[str]:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup["options.package_data"]["maxmargin"].split()


def test_every_template_is_declared():
    declared = {path for pattern in patterns() for path in PACKAGE.glob(pattern)}
    assert {path for path in FILES if path.suffix != ".py"} == declared


def test_no_declaration_is_stale_or_doubled():
    assert len(set(patterns())) == len(patterns())
    assert all(any(PACKAGE.glob(pattern)) for pattern in patterns())


def test_every_folder_is_a_package():
    assert all((path.parent / "__init__.py").is_file() for path in FILES)
