"""Files under temporary names: gone when a run ends, swept when it was killed; special files."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dsir
from dsir.storage import atomic
from dsir.storage.atomic import UnfinishedFile, atomic_file, remove_abandoned

WRITE = """
import sys, time
from pathlib import Path
from dsir.storage.atomic import UnfinishedFile
files = [UnfinishedFile(Path(name)) for name in sys.argv[1:]]
print("written", flush=True)
time.sleep(600)
"""


def left_by_a_killed_process(*paths: Path) -> list[Path]:
    """Begin to write files, be killed, and return what is left."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, *map(str, paths)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    left = [one for path in paths for one in path.parent.glob(f".{path.name}.tmp-*")]
    assert len(left) == len(paths)
    return left


def test_what_killed_commands_left_is_swept(parquet, target, tmp_path, invoke_dsir):
    """`fit`, `score` and `sample`: nothing of theirs has a lock."""
    at = {"cwd": tmp_path}
    left = left_by_a_killed_process(
        tmp_path / "m.dsir", tmp_path / "scores/00000.arrow", tmp_path / "rows/00001.json"
    )
    foreign = left_by_a_killed_process(tmp_path / "other.dsir")
    assert invoke_dsir("fit", *parquet, "-t", target, "-o", "m.dsir", "-q", **at).returncode == 0
    assert not left[0].exists()
    done = invoke_dsir("score", *parquet, "-m", "m.dsir", "-o", "scores", "-q", **at)
    assert done.returncode == 0, done.stderr
    assert not left[1].exists()
    sampled = invoke_dsir("sample", "scores", "--n", 9, "-o", "rows", "-q", **at)
    assert sampled.returncode == 0, sampled.stderr
    assert not left[2].exists()
    assert foreign[0].exists()  # Nobody has written other.dsir.


def test_what_a_killed_run_left_in_an_output_folder_is_swept(parquet, target, tmp_path):
    out = tmp_path / "out"
    call = {"n": 9, "min_tokens": 1, "out": out, "progress": False}
    dsir.select(parquet, target, **call)
    written = sorted(path for path in out.rglob("*") if path.is_file())
    assert out / ".huggingface.yaml" in written
    left = left_by_a_killed_process(*written, out / "_dsir/.claim.json")
    dsir.select(parquet, target, **call, overwrite=True)
    assert not [path for path in left if path.exists()]
    assert sorted(path for path in out.rglob("*") if path.is_file()) == written


def test_what_is_still_written_is_not_swept(tmp_path, monkeypatch):
    mine = UnfinishedFile(tmp_path / "00000.arrow")
    theirs = left_by_a_killed_process(tmp_path / "00001.arrow")[0]
    monkeypatch.setattr(atomic, "_host", lambda: "0" * 8)
    remove_abandoned(tmp_path)
    assert theirs.exists()  # Seen from another machine, whose processes this one does not know.
    a_day_ago = time.time() - 25 * 3600
    os.utime(theirs, (a_day_ago, a_day_ago))
    remove_abandoned(tmp_path)
    assert not theirs.exists()
    monkeypatch.undo()
    remove_abandoned(tmp_path)
    assert mine.commit().exists()


def test_names_that_look_like_unfinished_files(tmp_path):
    names = ["a.tmp-1-0123456701234567", ".tmp-1-0123456701234567", ".a.tmp-x-01234567", ".a"]
    for name in names:
        (tmp_path / name).touch()
    remove_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    remove_abandoned(tmp_path / "not there")


def test_an_interrupt_before_anyone_has_the_file(tmp_path, monkeypatch):
    """Between the opening of a file and the block that would remove it."""
    init = UnfinishedFile.__init__

    def interrupted(*arguments: object, **keywords: object) -> None:
        init(*arguments, **keywords)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(UnfinishedFile, "__init__", interrupted)
    with pytest.raises(KeyboardInterrupt), atomic_file(tmp_path / "a.json"):
        pass
    assert not list(tmp_path.iterdir())


def test_an_interrupt_while_the_file_is_removed(tmp_path, monkeypatch):
    unlink, interrupts = Path.unlink, iter([True, False])

    def interrupted(path: Path, missing_ok: bool = False) -> None:
        if next(interrupts):
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    def fail() -> None:
        with atomic_file(tmp_path / "a.json"):
            monkeypatch.setattr(Path, "unlink", interrupted)
            raise ValueError

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not list(tmp_path.iterdir())


@pytest.fixture(params=["device", "pipe", "socket", "folder", "link to a device"])
def special(request, tmp_path):
    """Something that is no regular file."""
    path = tmp_path / "special"
    if request.param == "device":
        try:
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")
    elif request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.relpath(path))
    elif request.param == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/null")
    return path


def test_no_special_file_is_replaced(special, parquet, target, tmp_path, invoke_dsir):
    before = special.lstat()
    for words in (
        ["fit", *parquet, "-t", target, "-o", special],
        *(
            [["select", *parquet, "-t", target, "-n", 9, "-o", special]]
            if not special.is_dir()
            else []
        ),
        *(
            [["lexrank", *parquet, "-o", special], ["score", *parquet, "-m", "m", "-o", special]]
            if not special.is_dir()
            else []
        ),
    ):
        done = invoke_dsir(*words, "-q")
        assert done.returncode in (1, 2)
        assert done.stderr.startswith("dsir: error: ")
        assert done.stderr.count("\n") == 1
    model = dsir.fit(parquet, target, progress=False)
    with pytest.raises(OSError, match=r"is a folder|is not a regular file"):
        model.save(special)
    after = special.lstat()
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert not list(tmp_path.glob(".*"))


def test_a_link_to_a_file_may_be_replaced(tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "link").symlink_to("old")
    with atomic_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").read_bytes() == b"new"
    assert (tmp_path / "old").read_text() == "old"
