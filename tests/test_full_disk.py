"""A disk that is full: one line, exit status 2, nothing half-written, and the finished result on standard output."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import maxmargin as mm
from maxmargin import atomic, dataset
from maxmargin.cli import main

SHORT = ["--width", "10", "--steps", "20"]
LINES = {
    "margin": (["margin", "xor", "--json", "out"], "margin "),
    "margin --quiet": (["margin", "xor", "--quiet", "--json", "out"], "margin "),
    "train": (["train", "xor", *SHORT, "--json", "out"], "margin "),
    "film": (["film", "xor", *SHORT, "--out", "out.html"], "proved [0.17677"),
    "compare": (["compare", "xor", *SHORT, "--out", "folder"], "gamma_1"),
    "check": (["check", "../c.json", "xor", "--json", "out"], "the claim holds"),
    "verify": (["verify", "--only", "prop9-factor", "--json", "out"], "prop9-factor"),
    "datasets": (["datasets", "--json", "out"], "xor"),
}


@pytest.fixture
def full(tmp_path, monkeypatch):
    """Whatever is written to a temporary file does not fit any more."""
    mm.max_margin("xor").save(tmp_path / "c.json")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    write = Path.write_text, Path.write_bytes

    def refuse(path, *arguments, **options):
        with path.open("wb") as stream:
            stream.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    yield tmp_path / "work"
    Path.write_text, Path.write_bytes = write


@pytest.mark.parametrize("name", LINES)
def test_the_result_is_printed_and_the_exit_status_is_2(name, full, capsys):
    command, shown = LINES[name]
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert shown in out
    assert err.count("\n") == 1 and "No space left on device" in err and "make room" in err
    assert [path for path in full.rglob("*") if path.is_file()] == []


needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")


@needs_full
def test_devices_are_written_to_and_not_replaced(tmp_path):
    """A file is renamed into place; a device must stay one."""
    before = os.stat("/dev/full")
    with pytest.raises(mm.InputError, match="No space left on device"):
        atomic.write_text("/dev/full", "more than nothing")
    assert os.stat("/dev/full").st_ino == before.st_ino
    atomic.write_text("/dev/null", "anything")
    assert not Path("/dev/null").is_file()


@needs_full
@pytest.mark.parametrize("command", [["margin", "xor"], ["margin", "xor", "--json", "-"], ["datasets"]])
def test_standard_output_may_be_full_too(command):
    with open("/dev/full", "w") as full_device:
        done = subprocess.run(
            [sys.executable, "-m", "maxmargin", *command], stdout=full_device, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "No space left on device" in done.stderr


@needs_full
def test_arrays_and_data_sets_say_so_as_well(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", refuse)
    with pytest.raises(mm.InputError, match="No space left on device"):
        dataset.save(mm.load("xor"), tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []
