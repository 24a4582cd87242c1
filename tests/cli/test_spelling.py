import pytest

from dsir.arguments import arguments_of
from dsir.cli.spelling import in_options
from dsir.run.select import SELECT_SETTINGS


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("n=5 asks", "--n 5 asks"),
        ('on_error="skip" passes', "--on-error skip passes"),
        ("give allow_fewer=True to take all", "give --allow-fewer to take all"),
        ("(rows read, min_tokens=100); lower min_tokens", "(rows read, --min-tokens 100); lower "
         "--min-tokens"),
        ("method='best': expected", "--method best: expected"),
        ("weight_column=...", "--weight-column"),
        # Not options: file names, other words, the middle of a name.
        ("/data/n=5/text=a.parquet: the text is not UTF-8", "/data/n=5/text=a.parquet: the text is "
         "not UTF-8"),
        # Values of one argument that has names in it.
        ("such as min_words=40,min_tokens=2", "such as min_words=40,min_tokens=2"),
        ("n=3, seed=4", "--n 3, --seed 4"),
        ("seed-min_tokens.json", "seed-min_tokens.json"),
        ("the length of the text", "the length of the text"),
    ],
)  # fmt: skip
def test_arguments_become_options(message, expected):
    assert in_options(message, arguments_of(*SELECT_SETTINGS)) == expected


def test_nothing_changes_without_options():
    assert in_options("min_tokens=5", []) == "min_tokens=5"
    assert in_options("min_tokens=5", ["seed"]) == "min_tokens=5"
