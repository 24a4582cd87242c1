import pytest

from dsir.arguments.declared import arguments_of
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
        # Values that are several values, as the command line writes them.
        ("combine={'dsir': 1.0}: expected", "--combine dsir=1: expected"),
        ("combine={'': 0.2, 'lexrank': 0.25}: expected", "--combine 0.2,lexrank=0.25: expected"),
        ("group_by='source', max_per={'source': '2%'}: 'source' is in both",
         "--group-by source, --max-per source=2%: 'source' is in both"),
        ("columns=['a', 'b c']: expected", "--columns a,b c: expected"),
        ("combine={'dsir': 1.0, 'lex...: expected", "--combine {'dsir': 1.0, 'lex...: expected"),
        # A choice of two values, and lists of arguments.
        ("give allow_fewer=True, or method='top-k' or 'random'",
         "give --allow-fewer, or --method top-k or --method random"),
        ('proportions: are for targets="separate" or "mixture"',
         "--proportions: are for --targets separate or --targets mixture"),
        ("give exactly one of n, fraction, tokens and bytes; found n=5, tokens=9",
         "give exactly one of --n, --fraction, --tokens and --bytes; found --n 5, --tokens 9"),
        ("target, model: neither is given", "--target, --model: neither is given"),
        ("target: no files in it", "target: no files in it"),
        ("the text and tokens and bytes of it", "the text and tokens and bytes of it"),
    ],
)  # fmt: skip
def test_arguments_become_options(message, expected):
    names = [*arguments_of(*SELECT_SETTINGS), "columns", "target", "model"]
    assert in_options(message, names) == expected


def test_nothing_changes_without_options():
    assert in_options("min_tokens=5", []) == "min_tokens=5"
    assert in_options("min_tokens=5", ["seed"]) == "min_tokens=5"
