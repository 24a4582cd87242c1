import pytest

from dsir.plural import counted


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1200, "1,200 rows")]
)
def test_one_is_singular(number, expected):
    assert counted(number, "row") == expected
