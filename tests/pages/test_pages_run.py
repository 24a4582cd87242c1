"""The code blocks of the pages run, one after the other, as a reader would type them.

A page says itself which blocks cannot run in a test, and why: `<!-- not run: needs S3 -->`. Amounts
that are those of large corpora are scaled to the small one that ships with the repository.
"""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from page_blocks import ROOT, PageRun, code_blocks

EXAMPLES = ROOT / "examples/corpus"
# Run elsewhere: plug-in.md by test_plug_in.py, CONTRIBUTING.md by test_recipes.py.
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "benchmarks/README.md"]
    if path.is_file() and path.name != "plug-in.md"
)
RUN = ("python", "py", "sh", "console")
WITH_BLOCKS = [
    page
    for page in PAGES
    if any(one.language in RUN for one in code_blocks((ROOT / page).read_text("utf-8")))
]

pytestmark = [
    pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the sources are not there"),
    pytest.mark.filterwarnings("ignore::dsir.DsirWarning"),
    # Readers' code need not close what it opens.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(900),
]


def lines_of(name):
    return [json.loads(line) for line in (EXAMPLES / name).read_text("utf-8").splitlines()]


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder with the corpora that pages speak of."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(EXAMPLES / "target-scripture.jsonl", tmp_path / "wanted.jsonl")
    shutil.copyfile(EXAMPLES / "target-scripture.jsonl", tmp_path / "target.jsonl")
    rows = [{"text": row["text"], "lang": row["domain"]} for row in lines_of("raw-00.jsonl")]
    for folder in ("corpus", "raw", "code"):
        (tmp_path / folder).mkdir()
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / folder / "part-0.parquet")
    for name in ("raw-00.jsonl", "raw-01.jsonl"):
        shutil.copyfile(EXAMPLES / name, tmp_path / name)
    return tmp_path


def bad_data(world):
    (world / "bad").mkdir()
    lines = (EXAMPLES / "raw-00.jsonl").read_bytes().splitlines(keepends=True)
    (world / "bad/raw-00.jsonl").write_bytes(b"".join(lines))
    (world / "bad/raw-01.jsonl").write_bytes(b"".join(lines[:20]) + b'{"text": "no en\n')


def reviews(world):
    (world / "reviews").mkdir()
    words = ["poor", "weak", "fine", "good", "great"]
    rows = [{"body": f"a {words[n % 5]} film {n} of note", "stars": n % 5} for n in range(300)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (world / "reviews/part-0.jsonl").write_text(text)


def fasttext_model(world):
    fasttext = pytest.importorskip("fasttext")
    rows = (
        ("hq" if row["domain"] == "scripture" else "cc", row) for row in lines_of("raw-00.jsonl")
    )
    text = "".join(f"__label__{label} {' '.join(row['text'].split())}\n" for label, row in rows)
    (world / "train.txt").write_text(text)
    model = fasttext.train_supervised(str(world / "train.txt"), epoch=1, thread=1, verbose=0)
    model.save_model(str(world / "quality.bin"))
    # The page chooses by a column of numbers as well.
    table = pq.read_table(world / "corpus/part-0.parquet")
    quality = [{"quality": len(text)} for text in table["text"].to_pylist()]
    pq.write_table(table.append_column("meta", [quality]), world / "corpus/part-0.parquet")


def tokenizer(world):
    tokenizers = pytest.importorskip("tokenizers")
    pytest.importorskip("numba")
    model = tokenizers.models.WordLevel({"[UNK]": 0, "the": 1, "lord": 2}, unk_token="[UNK]")
    one = tokenizers.Tokenizer(model)
    one.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    one.save(str(world / "tokenizer.json"))
    (world / "tokenized").mkdir()
    ids = [one.encode(row["text"]).ids for row in lines_of("raw-00.jsonl")]
    table = pa.table({"input_ids": pa.array(ids, pa.list_(pa.int32()))})
    pq.write_table(table, world / "tokenized/part-0.parquet")
    shutil.copyfile(ROOT / "examples/kernels.py", world / "kernels.py")


PREPARE = {
    "docs/how-to/bad-data.md": [bad_data],
    "docs/how-to/thin-a-labelled-table.md": [reviews],
    "docs/how-to/fasttext-models.md": [fasttext_model],
    "docs/how-to/own-tokenizers.md": [tokenizer],
}


@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_the_blocks_of_a_page_run(page, world, monkeypatch):
    for prepare in PREPARE.get(page, []):
        prepare(world)
    monkeypatch.syspath_prepend(str(world))
    run = PageRun(world)
    for block in code_blocks((ROOT / page).read_text("utf-8")):
        if block.why_not is None and (block.language in RUN or block.names_a_file):
            run.run(block)


def test_most_blocks_run():
    blocks = [
        one
        for page in WITH_BLOCKS
        for one in code_blocks((ROOT / page).read_text("utf-8"))
        if one.language in RUN
    ]
    left_out = [one for one in blocks if one.why_not is not None]
    assert len(left_out) < len(blocks) / 4


def test_a_block_that_fails_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = PageRun(tmp_path)
    page = (
        "```python\n# ten.py\nx = 10\n```\n```python\nfrom ten import x\n```\n"
        "<!-- not run: no -->\n```sh\nfalse\n```\n```sh\ntest -e ten.py\n```\n"
        "```sh\ndsir select nothing.parquet -t ten.py --n 1 -o out/\n```\n"
        "```text\nno code\n```\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    blocks = code_blocks(page)
    assert [block.why_not for block in blocks] == [None, None, "no", None, None, None]
    assert [block.names_a_file for block in blocks] == [True, *[False] * 5]
    for block in (blocks[0], blocks[1], blocks[3]):
        run.run(block)
    with pytest.raises(AssertionError, match=r"nothing\.parquet"):
        run.run(blocks[4])
