"""The script of `dsir slurm`, as it is printed, on a Slurm cluster of one node."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from slurm_node import missing, slurm_node

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=f"slurm-wlm is not installed: {missing()}"),
    # Of the daemons, slurmd has to start jobs as their users.
    pytest.mark.skipif(os.geteuid() != 0, reason="slurmd needs root"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    try:
        with slurm_node(tmp_path_factory.mktemp("slurm")) as environment:
            yield environment
    except RuntimeError as error:
        pytest.skip(f"Slurm does not run here: {error}")


def test_the_printed_script_makes_the_selection(
    node, invoke_dsir, parquet, target, tmp_path, contents
):
    call = [*parquet, "-t", target, "--min-tokens", 20, "--n", 40]
    plan = ("plan", *call, "-o", tmp_path / "out", "--workdir", tmp_path / "work", "-q")
    assert invoke_dsir(*plan).returncode == 0
    options = ("--array", 3, "--at-once", 2, "--cpus", 1, "--mem", "500M", "--time", "00:10:00")
    script = invoke_dsir("slurm", tmp_path / "work", *options)
    assert script.returncode == 0, script.stderr
    submitted = subprocess.run(
        ["bash"], input=script.stdout, env=node, capture_output=True, text=True, cwd=tmp_path
    )
    assert submitted.returncode == 0, submitted.stderr
    logs = tmp_path / "work" / "logs"
    end = time.monotonic() + 240
    while time.monotonic() < end:
        jobs = subprocess.run(["squeue", "-h"], env=node, capture_output=True, text=True)
        if jobs.returncode == 0 and not jobs.stdout.strip():
            break
        time.sleep(0.5)
    told = {path.name: path.read_text(errors="replace") for path in sorted(logs.iterdir())}
    assert sorted(told) == ["finish.log", "work-0.log", "work-1.log", "work-2.log"], told
    done = invoke_dsir("select", *call, "-o", tmp_path / "alone", "-q")
    assert done.returncode == 0
    assert (tmp_path / "out").exists(), told
    assert contents(tmp_path / "out") == contents(tmp_path / "alone"), told
