"""dsir plan, work and finish over inputs and an output in a store."""

from __future__ import annotations


def test_workers_read_and_write_a_store(parquet, target, s3, tmp_path, invoke_dsir, contents):
    there = [s3.put(path, f"raw/{path.name}") for path in parquet]
    settings = ("--n", 40, "--min-tokens", 20, "--shard-size", "8kB")
    call = (*there, "-t", s3.put(target, "t.jsonl"), *settings)
    out = f"{s3.url}/out"
    for words in (
        ("plan", *call, "-o", out, "--workdir", "work"),
        ("work", "work", "--part", "1/2"),
        ("finish", "work"),
    ):
        done = invoke_dsir(*words, "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    done = invoke_dsir("select", *call, "-o", "alone", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert s3.files("out") == contents(tmp_path / "alone")
