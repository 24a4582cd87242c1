"""--config: YAML 1.2, TOML, JSON and a finished selection.json, on every command."""

from __future__ import annotations

import json
import re
import sys

import pytest

import dsir
from dsir.cli.config_file import read_config
from dsir.cli.main import _COMMANDS

TEXTS = [f"words {i} " * (5 + i % 7) for i in range(60)]


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    return path


@pytest.fixture
def selected(raw, tmp_path, invoke_dsir):
    """Return a function that selects by a file, and returns the settings in selection.json."""

    def select(config, *options):
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        done = invoke_dsir("select", "--config", config, "-q", "-o", out, *options)
        assert done.returncode == 0, done.stderr
        return json.loads((out / "_dsir/selection.json").read_text()), out

    return select


@pytest.mark.parametrize(
    "name",
    ["no", "yes", "on", "off", "1.10", "0o17", "12:30:45", "1_000", "2024-01-01", "null", "true",
     "0x1F", "010", ".5", "~"],
)  # fmt: skip
def test_names_in_yaml_are_what_is_written(tmp_path, name):
    config = tmp_path / "run.yaml"
    config.write_text(f"target:\n  {name}: {name if name not in ('null', '~') else 'x'}\n")
    (found,) = read_config(config)[0]["target"].items()
    assert found == (name, name if name not in ("null", "~") else "x")


def test_targets_keep_their_names(raw, tmp_path, selected):
    config = tmp_path / "run.yaml"
    config.write_text(
        f"raw: {raw}\ntarget:\n  no: {raw}\n  1.10: [{raw}]\ntargets: separate\n"
        "proportions: {no: 50%, 1.10: 0.5}\nn: 1e1\nmin_tokens: 0\nmethod: top-k\n"
    )
    manifest, _ = selected(config)
    assert [one["name"] for one in manifest["inputs"]["target"]] == ["no", "1.10"]
    assert manifest["settings"]["n"] == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n: 5\nn: 6\n", "given twice"),
        ("n: !!python/object/apply:os.system ['true']\n", "not allowed"),
        ("a: &a [*a]\n", ""),
        ("n: [1, 2]\n", "n: expected one value"),
        ("n: {a: 1}\n", "n: expected one value"),
        ("raw: [{a: b}]\n", "raw: expected paths"),
    ],
)
def test_what_yaml_may_not_hold(tmp_path, invoke_dsir, text, message):
    config = tmp_path / "run.yaml"
    config.write_text(text)
    done = invoke_dsir("select", "raw.jsonl", "-t", "x", "-o", tmp_path / "o", "--config", config)
    assert done.returncode == 2
    assert message in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs tomllib")
def test_toml(raw, tmp_path, selected):
    config = tmp_path / "run.toml"
    config.write_text(
        f"raw = ['{raw}']\nn = '20%'\nmin-tokens = 0\nmethod = 'top-k'\nallow_fewer = true\n"
        f"[target]\nno = '{raw}'\n[filters]\nmin_words = 3\n"
    )
    settings = selected(config)[0]["settings"]
    assert (settings["n"], settings["min_tokens"], settings["allow_fewer"]) == ("20%", 0, True)
    assert settings["filters"] == {"min_words": 3}
    config.write_text("n = ")
    with pytest.raises(ValueError, match="Invalid value"):
        read_config(config)


@pytest.mark.filterwarnings("ignore:target.* is the same as raw:dsir.DsirWarning")
@pytest.mark.filterwarnings("ignore:LexRank:dsir.DsirWarning")
def test_a_finished_selection_is_a_configuration(raw, tmp_path, selected, contents):
    options = {
        "n": 12, "min_tokens": 2, "targets": "mixture", "proportions": {"law": 0.7, "no": 0.3},
        "features": dsir.HashedNgrams(n=3, buckets=500, hash="sha256"), "length": 0.5,
        "filters": {"min_words": 3}, "combine": {"dsir": 1, "lexrank": 0.3}, "candidates": 2.5,
        "smoothing": 0.1, "seed": 11, "method": "top-k",
    }  # fmt: skip
    target = {"law": [str(raw)], "no": [str(raw)]}
    first = tmp_path / "first"
    dsir.select(str(raw), target, out=first, progress=False, **options)
    same = [raw, "-t", f"law={raw}", "-t", f"no={raw}"]
    manifest, out = selected(first / "_dsir/selection.json", *same)
    before = json.loads((first / "_dsir/selection.json").read_text())
    assert manifest["settings"] == before["settings"]
    assert contents(out) == contents(first)
    # Another budget on the command line takes the place of the one in the file.
    settings = selected(first / "_dsir/selection.json", *same, "--tokens", "100")[0]["settings"]
    assert (settings["n"], settings["tokens"]) == (None, 100)


@pytest.mark.parametrize("command", sorted(_COMMANDS))
def test_every_command_takes_a_file(command, tmp_path, invoke_dsir):
    config = tmp_path / "run.json"
    config.write_text('{"flavour": "mild"}')
    done = invoke_dsir(command, "--config", config)
    assert done.returncode == 2
    assert "unknown option flavour" in done.stderr


def test_a_command_without_settings_takes_its_options_from_a_file(raw, tmp_path, invoke_dsir):
    model = tmp_path / "model.dsir"
    dsir.fit(TEXTS, TEXTS[:5], progress=False).save(model)
    config = tmp_path / "run.yaml"
    config.write_text(f"model: {model}\ntext: words 7 words\njson: true\n")
    done = invoke_dsir("explain", "--config", config)
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
