"""Planned runs with kernels and functions of the user: workers import what their calls name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from own_code import (
    ENVIRONMENT,
    LAB,
    OF_FUNCTIONS,
    OF_KERNELS,
    numba,
    options_of,
    run,
    select,
    write_inputs,
)

import dsir
from dsir.run.planned import PLAN_FILE
from dsir.run.planned_code import sealed_code
from dsir.settings.plan import Plan
from dsir.storage.sealed_json import read_sealed, write_sealed

PLANNED = ("raw.parquet", "-t", "t.parquet", "--n", "9", "--min-tokens", "1")
EACH = pytest.mark.parametrize(
    ("named", "source"),
    [pytest.param(OF_KERNELS, "kernels-of-mine.py", marks=numba), (OF_FUNCTIONS, LAB)],
    ids=["kernels", "functions"],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


def plan(folder: Path, *options: object) -> str:
    return run(folder, "plan", *PLANNED, "-o", "planned", "--workdir", "work", *options)


@EACH
def test_workers_make_the_selection_of_select(folder, named, source, contents):
    """From other folders, with the code at another path than that of the plan."""
    said = plan(folder, *options_of(named))
    there = folder / source
    assert f"dsir work work --kernels {there} (as often" in said
    assert f"dsir finish work --kernels {there}" in said
    before = (folder / "work" / PLAN_FILE).read_bytes()
    plan(folder, *options_of(named), "-q")  # The same call: nothing changes.
    assert (folder / "work" / PLAN_FILE).read_bytes() == before
    elsewhere = folder / "elsewhere"
    shutil.copytree(there.parent, elsewhere, ignore=lambda at, names: set(names) - OF_CODE)
    words = ["work", folder / "work", "--kernels", there.name, "-q"]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "dsir", *map(str, words)], cwd=elsewhere, env=ENVIRONMENT
        )
        for _ in range(2)
    ]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    run(folder, "finish", "work", "--kernels", source, "-q")
    select(folder, "alone", *options_of(named))
    assert contents(folder / "planned") == contents(folder / "alone")
    run(folder, "verify", "planned", "--kernels", source, says="verified")


OF_CODE = {"kernels-of-mine.py", "functions.py", "beside_it.py"}


@pytest.mark.parametrize(
    ("command", "named", "source"),
    [
        pytest.param("work", OF_KERNELS, "kernels-of-mine.py", marks=numba),
        ("finish", OF_FUNCTIONS, LAB),
        ("slurm", OF_FUNCTIONS, LAB),
    ],
)
def test_what_a_plan_needs_and_a_call_does_not_name(folder, command, named, source):
    plan(folder, *options_of(named), "-q")
    says = f"which a worker imports only if its call says so: --kernels {folder / source}"
    run(folder, command, "work", says=f"was planned with code of {folder / source}, {says}", code=2)
    for old, new in (("DASH = 45", "DASH = 46"), ('text, "-"', 'text, "s"')):
        (folder / source).write_text((folder / source).read_text().replace(old, new))
    says = "was planned with other code than this worker has: the features need the "
    run(folder, command, "work", "--kernels", source, says=says, code=1)
    assert not list((folder / "work").glob("counts/*.npy"))


def test_the_script_for_slurm_names_the_code(folder):
    """As Slurm gets it: nothing in a name is taken for something else by the shell."""
    (folder / LAB).rename(folder / "lab/a $HOME's.py")
    named = [one.replace("functions.py", "a $HOME's.py") for one in options_of(OF_FUNCTIONS)]
    work = ("--workdir", "work $HOME")
    run(folder, "plan", *PLANNED, "-o", "planned", *work, *named, "-q")
    script = run(folder, "slurm", "work $HOME", "--kernels", "lab/a $HOME's.py", "--cpus", 1)
    (folder / "bin").mkdir()
    (folder / "bin/sbatch").write_text(
        f"#!{sys.executable}\nimport sys\nopen('calls', 'a').write(sys.argv[-1] + '\\n')\n"
    )
    (folder / "bin/sbatch").chmod(0o755)
    path = {**ENVIRONMENT, "PATH": f"{folder / 'bin'}:{ENVIRONMENT['PATH']}"}
    subprocess.run(["bash"], input=script, text=True, cwd=folder, env=path, check=True)
    jobs = (folder / "calls").read_text().splitlines()
    assert len(jobs) == 2
    slurm = {"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "1"}
    for job in jobs:
        environment = {**ENVIRONMENT, **slurm}
        done = subprocess.run(["sh", "-c", job], cwd=folder / "lab", env=environment)
        assert done.returncode == 0
    assert (folder / "planned/_dsir/selection.json").exists()


def test_a_plan_that_somebody_has_changed_brings_no_code(folder):
    """Its author may have had the right to write to the folder, and not to run code as a worker."""
    plan(folder, *options_of(OF_FUNCTIONS), "-q")
    (folder / "evil.py").write_text("open('was-here', 'w').close()\n" + (folder / LAB).read_text())
    path = folder / "work" / PLAN_FILE
    changed = read_sealed(path)
    for one in changed["code"]:
        one["source"] = str(folder / "evil.py")
    write_sealed(path, {name: one for name, one in changed.items() if name != "checksum"})
    for command in ("work", "finish", "slurm", "status"):
        words = [sys.executable, "-m", "dsir", command, "work"]
        subprocess.run(words, cwd=folder, env=ENVIRONMENT, check=False)
    assert not (folder / "was-here").exists()


def test_a_model_of_a_measure_brings_its_code_to_the_plan(folder, contents):
    """As those of the features: named by the plan, and brought by the call."""
    (folder / "other.py").write_text(
        "def halves(text):\n    return text.replace('-', ' ').split()\n"
    )
    fit = ("fit", "raw.parquet", "-t", "t.parquet", "--tokenizer", "other.py:halves")
    run(folder, *fit, "-o", "m.dsir", "-q")
    combine = ("--combine", "dsir=1,model:m.dsir=0.5", "--kernels", "other.py")
    plan(folder, *combine, *options_of(OF_FUNCTIONS[:1]), "-q")
    says = f"--kernels {folder / LAB} --kernels {folder / 'other.py'}"
    run(folder, "work", "work", says=says, code=2)
    run(folder, "work", "work", "--kernels", LAB, says=says, code=2)
    kernels = ("--kernels", LAB, "--kernels", "other.py")
    run(folder, "work", "work", *kernels, "-q")
    run(folder, "finish", "work", *kernels, "-q")
    select(folder, "alone", *combine, *options_of(OF_FUNCTIONS[:1]))
    assert contents(folder / "planned") == contents(folder / "alone")


def test_a_vocabulary_and_a_kernel_are_both_needed(folder):
    """A plan with a vocabulary was taken for one that needs nothing else."""
    tokenizers = pytest.importorskip("tokenizers")
    pytest.importorskip("numba")
    model = tokenizers.models.WordLevel({"[UNK]": 0, "row1": 1, "of": 2}, unk_token="[UNK]")
    library = tokenizers.Tokenizer(model)
    library.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    library.save(str(folder / "tokenizer.json"))
    source = "kernels-of-mine.py"
    plan(folder, "--tokenizer", "tokenizer.json", "--extractor", f"{source}:with_first", "-q")
    run(folder, "work", "work", says=f"--kernels {folder / source}", code=2)
    run(folder, "work", "work", "--kernels", source, "-q")


def test_code_that_no_worker_could_import_is_refused():
    def cut(text: str) -> list[str]:
        return text.split()

    with pytest.warns(dsir.DsirWarning):
        given = Plan.of({"n": 9, "features": dsir.HashedNgrams(tokenizer=cut)}, ())
    with pytest.raises(
        dsir.SettingError,
        match=r"^tokenizer: <callable .*cut .*> is at the top of no module .* tokenizer=FILE\.py:",
    ):
        sealed_code(given)
    assert sealed_code(Plan.of({"n": 9}, ())) == {}
