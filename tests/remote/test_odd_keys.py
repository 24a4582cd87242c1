"""Keys of S3 with empty parts, and damage in stores: errors that name the URL and the way out."""

from __future__ import annotations

import json

import pytest

import dsir

LINES = "".join(json.dumps({"text": f"the sea {k} ship"}) + "\n" for k in range(40)).encode()
TARGET = ["sea ship"] * 20
CALL = {"n": 5, "min_tokens": 1, "progress": False}

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("given", ["a//raw.jsonl", "a", "a//*.jsonl", ""])
def test_an_input_with_an_empty_part_in_its_key(s3, given, on_error):
    s3.write("a//raw.jsonl", LINES)
    with pytest.raises(dsir.ShardError, match="one slash, or copy the object") as caught:
        dsir.select(f"{s3.url}/{given}", TARGET, on_error=on_error, **CALL)
    assert str(caught.value).startswith(f"{s3.url}/a//")


@pytest.mark.parametrize("given", ["o//p", "/r"])
def test_an_output_with_an_empty_part_in_its_key(s3, given):
    s3.write("raw.jsonl", LINES)
    with pytest.raises(dsir.OutputError, match="write one slash"):
        dsir.select(f"{s3.url}/raw.jsonl", TARGET, out=f"{s3.url}/{given}", **CALL)
    with pytest.raises(dsir.DsirError, match="write one slash"):
        dsir.load(f"{s3.url}/{given}")
    assert s3.keys() == ["raw.jsonl"]


@pytest.mark.parametrize("given", ["o//p", "/r", "o/../p", "./o", "o/.."])
def test_whatever_is_written_has_a_plain_key(s3, given, tmp_path, invoke_dsir):
    """Nothing is left in the store, and the message has the way out."""
    s3.write("raw.jsonl", LINES)
    raw, url = f"{s3.url}/raw.jsonl", f"{s3.url}/{given}"
    target = tmp_path / "target.jsonl"
    target.write_bytes(LINES)
    with pytest.raises(dsir.OutputError, match=r"cannot be read: .*write (one slash|the path)"):
        dsir.select(raw, TARGET, out=url, **CALL)
    with pytest.raises(dsir.WorkdirError, match=r"cannot be read: .*write (one slash|the path)"):
        dsir.select(raw, TARGET, workdir=url, **CALL)
    with pytest.raises(OSError, match=r"write (one slash|the path)"):
        dsir.fit(raw, TARGET, progress=False).save(f"{url}/m.dsir")
    with pytest.raises(dsir.OutputError, match=r"cannot be written: .*write (one slash|the path)"):
        dsir.select(raw, TARGET, **CALL).report(f"{url}/r.html")
    done = invoke_dsir("fit", raw, "-t", target, "-o", f"{url}/m.dsir", "-q")
    assert done.returncode == 1
    assert f"dsir: error: {url}/m.dsir: " in done.stderr
    assert s3.keys() == ["raw.jsonl"]


def test_a_whole_bucket_is_an_output(s3, tmp_path):
    raw = tmp_path / "raw.jsonl"
    raw.write_bytes(LINES)
    dsir.select(raw, TARGET, out=s3.url, **CALL)
    assert dsir.verify(s3.url, target=TARGET).stands
    with pytest.raises(dsir.OutputError, match=r"^s3://[\w-]+: is not empty; give an empty"):
        dsir.select(raw, TARGET, out=s3.url, **CALL)
    s3.write("raw.jsonl", LINES)
    with pytest.raises(dsir.OutputError, match=r"holds files that no selection has \(raw.jsonl\)"):
        dsir.select(raw, TARGET, out=s3.url, **CALL)


def test_slashes_at_the_end_are_none(s3):
    s3.write("raw.jsonl", LINES)
    dsir.select(f"{s3.url}/raw.jsonl", TARGET, out=f"{s3.url}/out//", **CALL)
    assert dsir.load(f"{s3.url}/out").metrics.rows.selected == 5


@pytest.mark.parametrize("stage", ["", "counts/", "scores/", "rows/", "outputs/"])
def test_a_damaged_manifest_is_named_by_its_url(s3, stage, invoke_dsir):
    s3.write("raw.jsonl", LINES)
    call = {**CALL, "out": f"{s3.url}/out", "workdir": f"{s3.url}/work"}
    dsir.select(f"{s3.url}/raw.jsonl", TARGET, **call)
    for damaged in (
        b"{",
        b"null",
        s3.read(f"work/{stage}manifest.json").replace(b"inputs", b"inp"),
    ):
        s3.write(f"work/{stage}manifest.json", damaged)
        with pytest.raises(dsir.WorkdirError, match="cannot be read") as caught:
            dsir.select(f"{s3.url}/raw.jsonl", TARGET, **call)
        folder = f"{s3.url}/work/{stage}".rstrip("/")
        assert str(caught.value).startswith(f"{folder}/manifest.json: ")
        assert str(caught.value).endswith(f"remove the folder {folder} to do its work again")
    if not stage:
        done = invoke_dsir("status", f"{s3.url}/work")
        assert f"{s3.url}/work/manifest.json: " in done.stderr
