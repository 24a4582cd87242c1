"""dsir plan, work, finish and slurm: the selection of `dsir select`, made by several processes."""

from __future__ import annotations

import json
import os
import subprocess

import pyarrow.parquet as pq
import pytest

import dsir
from dsir.cli.work import share_of
from dsir.run.shared_tasks import Share
from dsir.storage.sealed_json import read_sealed, write_sealed
from dsir.storage.workdir_lock import locked
from dsir.storage.workers import Worker

SETTINGS = ("--min-tokens", 20)
CALLS = {
    "n": ("--n", 40, "--length", "mean", "--temperature", "0.1"),
    "tokens, small parts": ("--tokens", 4000, "--shard-size", "8k"),
    "quotas and dedup": ("--fraction", "20%", "--max-per", "domain=0.5", "--dedup", "exact"),
    "coverage": ("--n", 40, "--method", "coverage"),
    "classifier": ("--n", 40, "--estimator", "classifier"),
    "windows": ("--n", 60, "--chunk-tokens", 30),
    "a small fit": ("--n", 40, "--fit-tokens", 3000),
}


@pytest.fixture
def planned(invoke_dsir, parquet, target, tmp_path):
    """A function: plans a selection into `out` with the work directory `work`."""

    def plan(*options, raw=parquet):
        call = [*raw, "-t", target, *SETTINGS, *options]
        done = invoke_dsir("plan", *call, "-o", "out", "--workdir", "work", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done

    return plan


@pytest.mark.parametrize("name", CALLS)
def test_workers_make_the_selection_that_select_makes(
    name, invoke_dsir, planned, parquet, target, tmp_path, contents
):
    options = CALLS[name]
    planned(*options)
    for part in ("1/2", "0/2"):
        done = invoke_dsir("work", "work", "--part", part, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "all done" in done.stdout
    done = invoke_dsir("finish", "work", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = invoke_dsir(
        "select", *parquet, "-t", target, *SETTINGS, *options, "-o", "alone", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


def test_several_targets_and_json_lines(invoke_dsir, jsonl, world, tmp_path, contents):
    for name in ("sea", "law"):
        lines = [json.dumps({"text": row["text"]}) for row in world.rows if row["domain"] == name]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines[:40]) + "\n")
    targets = ("-t", "sea=sea.jsonl", "-t", "law=law.jsonl", "--targets", "separate")
    call = (*jsonl, *targets, *SETTINGS, "--n", 40)
    assert invoke_dsir("plan", *call, "-o", "out", "--workdir", "w", cwd=tmp_path).returncode == 0
    assert invoke_dsir("work", "w", cwd=tmp_path).returncode == 0
    assert invoke_dsir("finish", "w", cwd=tmp_path).returncode == 0
    assert invoke_dsir("select", *call, "-o", "alone", cwd=tmp_path).returncode == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


@pytest.mark.parametrize("stage", ["fit", "score", "sample", "write"])
def test_work_stops_after_a_stage(stage, invoke_dsir, planned, tmp_path):
    planned("--n", 40)
    done = invoke_dsir("work", "work", "--until", stage, "--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    # A target and three files are counted, the files are scored, and something is written.
    assert told["units"] >= {"fit": 4, "score": 7, "sample": 7, "write": 8}[stage]
    assert told["complete"]
    assert told["left"] == []
    found = json.loads(invoke_dsir("status", "work", "--json", cwd=tmp_path).stdout)
    reached = [one["name"] for one in found["stages"] if one["done"]]
    stages = ["fit", "score", "sample", "write"]
    assert reached == stages[: stages.index(stage) + 1]
    assert found["planned"]
    assert not found["finished"]
    assert not (tmp_path / "out" / "_dsir" / "selection.json").exists()
    assert invoke_dsir("finish", "work", "-q", cwd=tmp_path).returncode == 0
    assert dsir.load(tmp_path / "out").rows.size == 40


def test_finish_alone_does_everything(invoke_dsir, planned, tmp_path):
    planned("--n", 40)
    assert invoke_dsir("finish", "work", "-q", cwd=tmp_path).returncode == 0
    assert dsir.verify(tmp_path / "out").stands
    assert "finished" in invoke_dsir("status", "work", cwd=tmp_path).stdout


def test_several_measures_are_left_to_finish(
    invoke_dsir, planned, parquet, target, tmp_path, contents
):
    options = ("--n", 20, "--combine", "dsir=1,lexrank=0.2,column:id=-0.1")
    planned(*options)
    done = invoke_dsir("work", "work", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "left: the choice by several measures" in done.stderr
    assert invoke_dsir("finish", "work", cwd=tmp_path).returncode == 0
    call = (*parquet, "-t", target, *SETTINGS, *options, "-o", "alone")
    assert invoke_dsir("select", *call, cwd=tmp_path).returncode == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


def test_a_bad_file_is_left_and_the_rest_is_done(invoke_dsir, world, target, tmp_path, contents):
    raw = world.write_parquet(tmp_path / "raw", parts=3)
    whole = raw[1].read_bytes()
    data = bytearray(whole)
    data[len(data) // 3 : len(data) // 3 + 400] = bytes(400)
    call = (*raw, "-t", target, *SETTINGS, "--n", 40, "--fit-tokens", "all")
    raw[1].write_bytes(data)
    planned = ("plan", *call, "-o", "out", "--workdir", "w")
    assert invoke_dsir(*planned, cwd=tmp_path).returncode == 0
    done = invoke_dsir("work", "w", cwd=tmp_path)
    assert done.returncode == 1
    assert "some are left" in done.stdout
    assert done.stderr.count("dsir: left:") == 1
    assert "part-1.parquet" in done.stderr
    markers = sorted(path.name for path in (tmp_path / "w" / "counts").glob("raw-*.json"))
    assert markers == ["raw-00000.json", "raw-00002.json"]
    done = invoke_dsir("finish", "w", cwd=tmp_path)
    assert done.returncode == 1
    assert "part-1.parquet" in done.stderr


def test_inputs_that_changed_are_refused(invoke_dsir, world, target, tmp_path):
    raw = world.write_parquet(tmp_path / "raw", parts=3)
    call = (*raw, "-t", target, *SETTINGS, "--n", 40, "-o", "out", "--workdir", "w")
    assert invoke_dsir("plan", *call, cwd=tmp_path).returncode == 0
    earlier = raw[2].stat().st_size
    pq.write_table(world.table().slice(0, 5), raw[2])
    said = f"{raw[2]} has changed since: its size is {raw[2].stat().st_size:,} bytes, "
    for command in ("work", "finish"):
        done = invoke_dsir(command, "w", cwd=tmp_path)
        assert done.returncode == 1
        assert f"belongs to another run: {said}was {earlier:,} bytes; " in done.stderr
    raw[2].touch()
    raw[1].touch()
    done = invoke_dsir("work", "w", cwd=tmp_path)
    assert f"{raw[1]} has been written to since, and has the same size; {said}" in done.stderr


@pytest.mark.parametrize("command", ["plan", "select"])
@pytest.mark.parametrize("workdir", ["out", "out/work", "link/work"])
def test_a_work_directory_in_the_output_folder_is_refused(
    command, workdir, invoke_dsir, world, target, tmp_path
):
    raw = world.write_parquet(tmp_path / "raw", parts=2)
    (tmp_path / "link").symlink_to("out")
    before = {path.name for path in tmp_path.iterdir()}
    if workdir.startswith("link"):
        (tmp_path / "out").mkdir()
    call = (*raw, "-t", target, *SETTINGS, "--n", 40, "-o", "out", "--workdir", workdir)
    done = invoke_dsir(command, *call, cwd=tmp_path)
    assert done.returncode == 2
    assert "is in the output folder, which is for the selection alone" in done.stderr
    assert not list((tmp_path / "out").glob("*"))
    assert {path.name for path in tmp_path.iterdir()} - {"out"} == before


def test_a_plan_that_is_refused_makes_no_work_directory(invoke_dsir, world, target, tmp_path):
    raw = world.write_parquet(tmp_path / "raw", parts=2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").touch()
    call = (*raw, "-t", target, *SETTINGS, "--n", 40, "-o", "out", "--workdir", "w")
    done = invoke_dsir("plan", *call, cwd=tmp_path)
    assert done.returncode == 1
    assert "out: is not empty" in done.stderr
    assert not (tmp_path / "w").exists()


def test_texts_to_compare_with_that_changed_are_refused(invoke_dsir, world, target, tmp_path):
    raw = world.write_parquet(tmp_path / "raw", parts=3)
    texts = tmp_path / "test.jsonl"
    texts.write_bytes(target.read_bytes())
    call = (*raw, "-t", target, *SETTINGS, "--n", 40, "--decontaminate", texts, "-o", "out")
    done = invoke_dsir("plan", *call, "--workdir", "w", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    texts.write_bytes(target.read_bytes().replace(b"ship", b"boat"))
    for command in ("work", "finish"):
        done = invoke_dsir(command, "w", cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith("dsir: error: w: does not hold any more: --decontaminate")
        assert done.stderr.endswith("give those again; or plan again\n")


def test_a_worker_of_another_version_is_refused_before_any_work(invoke_dsir, planned, tmp_path):
    planned("--n", 40)
    plan = read_sealed(tmp_path / "work" / "plan.json")
    plan["versions"]["pyarrow"] = "1.0.0"
    write_sealed(tmp_path / "work" / "plan.json", plan)
    done = invoke_dsir("work", "work", cwd=tmp_path)
    assert done.returncode == 1
    assert "was planned with pyarrow 1.0.0, and this worker has" in done.stderr
    assert not list((tmp_path / "work" / "counts").glob("raw-*"))


def test_a_plan_may_be_made_again_and_another_call_is_refused(
    invoke_dsir, planned, parquet, target, tmp_path
):
    planned("--n", 40)
    planned("--n", 40)
    call = (*parquet, "-t", target, *SETTINGS, "-o", "out", "--workdir", "work")
    done = invoke_dsir("plan", *call, "--n", 41, cwd=tmp_path)
    assert done.returncode == 1
    assert "another call is planned in it" in done.stderr


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"format": 1}'])
def test_folders_without_a_plan(content, invoke_dsir, planned, tmp_path):
    planned("--n", 40)
    path = tmp_path / "work" / "plan.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for command in ("work", "finish", "slurm"):
        done = invoke_dsir(command, "work", cwd=tmp_path)
        assert done.returncode == 1
        assert "plan" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_plan_is_checked_like_a_call(invoke_dsir, parquet, target, tmp_path):
    def plan(*options):
        return invoke_dsir(
            "plan", *parquet, "-t", target, "-o", "out", "--workdir", "w", *options, cwd=tmp_path
        )

    assert plan("--n", 40, "--temperature", -1).returncode == 2
    assert plan("--n", 4_000_000).returncode == 1  # More than there are.
    done = plan("--n", 40, "--workdir", "https://localhost/work")
    assert done.returncode == 1
    assert "https cannot hold a work directory" in done.stderr
    assert not (tmp_path / "w" / "plan.json").exists()


def test_select_leaves_a_folder_to_its_workers(invoke_dsir, planned, parquet, target, tmp_path):
    planned("--n", 40)
    call = (
        "select",
        *parquet,
        "-t",
        target,
        *SETTINGS,
        "--n",
        40,
        "-o",
        "out",
        "--workdir",
        "work",
    )
    worker = Worker(tmp_path / "work")
    with worker.at_work():
        done = invoke_dsir(*call, cwd=tmp_path)
        assert done.returncode == 1
        assert "1 worker of 'dsir work' at work in it" in done.stderr
        said = invoke_dsir("status", "work", cwd=tmp_path).stdout
        assert "at work: 1 worker" in said
        assert f"process {os.getpid()} on" in said
    assert invoke_dsir(*call, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("part", "environment", "share"),
    [
        ("0/1", {}, Share(0, 1)),
        ("3/64", {"SLURM_ARRAY_TASK_ID": "9"}, Share(3, 64)),
        ("auto", {"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_MIN": "0",
                  "SLURM_ARRAY_TASK_COUNT": "8"}, Share(0, 8)),
        ("auto", {"SLURM_ARRAY_TASK_ID": "8", "SLURM_ARRAY_TASK_MIN": "1",
                  "SLURM_ARRAY_TASK_COUNT": "8"}, Share(7, 8)),
        ("auto", {"SLURM_ARRAY_TASK_ID": "30", "SLURM_ARRAY_TASK_MIN": "10",
                  "SLURM_ARRAY_TASK_COUNT": "8"}, Share(4, 8)),
        ("auto", {"SLURM_PROCID": "2", "SLURM_NTASKS": "4"}, Share(2, 4)),
        ("auto", {"JOB_COMPLETION_INDEX": "5", "JOB_COMPLETIONS": "6"}, Share(5, 6)),
    ],
)  # fmt: skip
def test_the_share_of_a_worker(part, environment, share):
    assert share_of(part, environment) == share


@pytest.mark.parametrize(
    ("part", "environment"),
    [
        ("1", {}),
        ("2/2", {}),
        ("-1/2", {}),
        ("1/2/3", {}),
        ("a/b", {}),
        ("9" * 5000 + "/2", {}),
        ("auto", {}),
        ("auto", {"JOB_COMPLETION_INDEX": "5"}),
        ("auto", {"SLURM_ARRAY_TASK_ID": "x", "SLURM_ARRAY_TASK_COUNT": "8"}),
        ("auto", {"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "0"}),
    ],
)
def test_shares_that_make_no_sense(part, environment):
    with pytest.raises(dsir.SettingError, match="part="):
        share_of(part, environment)


SBATCH = """#!/bin/bash
# Runs what it is given at once, once for each number of the array, and prints a job number.
for word in "$@"; do
  case "$word" in --array=0-*) last=${word#--array=0-}; last=${last%%%*};; esac
done
script="${@: -1}"
for number in $(seq 0 "${last:-0}"); do
  SLURM_ARRAY_TASK_ID=$number SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=$((${last:-0} + 1)) \\
    sh -c "$script" >> "$LOG" 2>&1 || exit 1
done
echo "$@" >> "$CALLS"
echo 17
"""


def test_the_slurm_script_runs_as_printed(
    invoke_dsir, planned, parquet, target, tmp_path, contents
):
    """With a stand-in for sbatch that runs its jobs at once."""
    planned("--n", 40)
    printed = invoke_dsir(
        "slurm", "work", "--array", 3, "--at-once", 2, "--cpus", 1, "--partition", "cpu",
        cwd=tmp_path,
    )  # fmt: skip
    assert printed.returncode == 0, printed.stderr
    (tmp_path / "bin").mkdir()
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.write_text(SBATCH)
    sbatch.chmod(0o755)
    (tmp_path / "run.sh").write_text(printed.stdout)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "LOG": str(tmp_path / "log"),
        "CALLS": str(tmp_path / "calls"),
    }
    done = subprocess.run(
        ["bash", "run.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    log = (tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""
    assert done.returncode == 0, done.stderr + log
    workers, finisher = (tmp_path / "calls").read_text().splitlines()
    assert "--array=0-2%2" in workers
    assert "--partition=cpu" in workers
    assert "--dependency=afterany:17" in finisher
    call = (*parquet, "-t", target, *SETTINGS, "--n", 40, "-o", "alone")
    assert invoke_dsir("select", *call, cwd=tmp_path).returncode == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


def test_a_worker_that_starts_late_ends_well(invoke_dsir, planned, tmp_path):
    """Jobs of an array may start when the run is being finished, or is finished."""
    planned("--n", 40)
    assert invoke_dsir("work", "work", cwd=tmp_path).returncode == 0
    with locked(tmp_path / "work"):
        assert invoke_dsir("work", "work", cwd=tmp_path).returncode == 0
    assert invoke_dsir("finish", "work", cwd=tmp_path).returncode == 0
    done = invoke_dsir("work", "work", cwd=tmp_path)
    assert done.returncode == 0
    assert "0 units done by this worker; all done" in done.stdout
