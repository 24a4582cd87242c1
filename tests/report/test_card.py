"""The dataset card: its metadata are what the hub reads, its text what a person does."""

from __future__ import annotations

import json

import pytest

import dsir
from dsir.report.card import text_of
from dsir.report.folder import input_names

yaml = pytest.importorskip("yaml")


def _parts(card: str) -> tuple[dict, str]:
    _, head, body = card.split("---\n", 2)
    return yaml.safe_load(head), body


@pytest.fixture
def card_of(select_to, tmp_path, world):
    def card_of(**columns):
        rows = [
            {
                "text": text,
                **{name: values[number % len(values)] for name, values in columns.items()},
            }
            for number, text in enumerate(world.texts)
        ]
        raw = tmp_path / "raw.jsonl"
        raw.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return dsir.load(select_to(tmp_path / "my set", raw=raw)).card().read_text("utf-8")

    return card_of


def test_its_metadata(card_of):
    found, body = _parts(card_of(language=["en", "de"], license=["CC0-1.0"]))
    assert found["pretty_name"] == "my set"
    assert found["size_categories"] == ["n<1K"]
    assert found["language"] == ["de", "en"]
    assert found["license"] == "cc0-1.0"
    [config] = found["configs"]
    assert config["data_files"] == [{"split": "train", "path": "data/*"}]
    assert "60 of 600 documents were selected" in body
    assert "| CC0\\-1.0 | 100.0" in body


def test_several_licences_and_none(card_of):
    found, body = _parts(card_of(license=["mit", "gpl-3.0"]))
    assert found["license"] == "other"
    assert "gpl" in body


def test_it_does_not_invent_a_licence(selected, tmp_path):
    card = dsir.load(selected).card(tmp_path / "README.md").read_text("utf-8")
    found, body = _parts(card)
    assert "license" not in found
    assert "No column of the rows names their licences" in body
    assert str(selected.parent) not in card  # It is made to be published.


def test_hostile_names_stay_text(card_of):
    card = card_of(
        source=["a|b`c", "<script>x</script>", "---\nlicense: x", "[l](http://x) \u202e"]
    )
    found, body = _parts(card)
    assert "license" not in found
    assert "<script>" not in body
    assert "\u202e" not in card
    assert "a\\|b\\`c" in body
    rows = [line for line in body.splitlines() if line.startswith("| ") and "script" in line]
    assert len(rows) == 1


def test_markdown_of_any_text_is_one_line():
    assert text_of("a\nb\t c  d") == "a b c d"
    assert text_of("x" * 500).endswith("…")
    assert text_of("**bold** & <i>") == "\\*\\*bold\\*\\* &amp; &lt;i&gt;"


def test_the_command_writes_it_beside_the_page(select_to, invoke_dsir, tmp_path):
    folder = select_to(tmp_path / "out")
    done = invoke_dsir("report", folder, "--quick", "--card")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        str(folder / "_dsir/report.html"),
        str(folder / "_dsir/card.md"),
    ]
    assert dsir.verify(folder, quick=True, progress=False).stands
    assert not dsir.verify(folder, quick=True, progress=False).notes
    select_to(folder, overwrite=True, n=9)
    assert not (folder / "_dsir/card.md").exists()


def test_inputs_in_different_folders_are_named_without_the_way_to_them(select_to, tmp_path, world):
    """The card is published, so it does not say where the data of its author are."""
    folders = [tmp_path / "corpus" / f"host={name}" for name in ("a.org", "b.org")]
    for folder, texts in zip(folders, (world.texts[:300], world.texts[300:]), strict=True):
        folder.mkdir(parents=True)
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        (folder / "part.jsonl").write_text(lines, encoding="utf-8")
    card = dsir.load(select_to(tmp_path / "out", raw=tmp_path / "corpus")).card()
    text = card.read_text("utf-8")
    assert "Selected from: host=a.org/part.jsonl, host=b.org/part.jsonl." in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/x/a.jsonl", "/y/b.jsonl"], ["a.jsonl", "b.jsonl"]),
        (["/x/l=1/a", "/x/l=2/a", "/x/l=2/b"], ["l=1/a", "l=2/a", "l=2/b"]),
        (["s3://one/a", "s3://two/a"], ["one/a", "two/a"]),
        (["/x/a", "/x/a"], ["a", "a"]),
        (["/a", "a"], ["/a", "a"]),
        ([], []),
    ],
)
def test_names_of_inputs_are_as_short_as_tells_them_apart(paths, names):
    entries = [{"path": path} for path in paths]
    assert input_names({"inputs": {"raw": entries}}) == names
