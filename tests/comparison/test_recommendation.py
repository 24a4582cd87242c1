"""Which method is recommended, and why."""

from __future__ import annotations

import numpy as np

from dsir.comparison.recommendation import Recommendation, Scores, recommend


def scores(perplexity: list, kl: list | None = None, seconds: list | None = None) -> Scores:
    """Of methods a, b, ... and random, which is last; [methods][budgets][seeds]."""
    found = np.array(perplexity, dtype=float)
    names = [*"abcd"[: len(found) - 1], "random"]
    return Scores(
        methods=names,
        budgets=[f"{number + 1}%" for number in range(found.shape[1])],
        random=len(names) - 1,
        perplexity=found,
        kl_reduction=-np.log(found) if kl is None else np.array(kl, dtype=float),
        seconds=np.array(seconds or [1.0] * len(names)),
    )


def said(found: Recommendation) -> str:
    return str(found).replace("\N{NO-BREAK SPACE}", " ")


def test_the_lowest_perplexity_beyond_the_spread():
    found = recommend(scores([[[60, 61, 62]], [[50, 51, 52]], [[100, 100, 100]]]))
    assert (found.method, found.level) == ("b", ())
    assert "0.51 of that of random selections, over 1 budget and 3 seeds" in said(found)
    assert "The perplexity of a is 19.6 % higher." in said(found)
    assert "the highest KL reduction too" in said(found)


def test_differences_within_the_spread_are_level():
    found = recommend(scores([[[50, 60, 55]], [[54, 57, 56]], [[100, 110, 105]]]))
    assert found.method == "a"
    assert found.level == ("b",)
    assert "b is level with a: its perplexity is 1.5 % higher, within the spread." in said(found)


def test_seeds_that_differ_alike_for_all_methods_hide_nothing():
    """The seeds differ by half, but b is 3 % above a in each."""
    found = recommend(scores([[[50, 75, 100]], [[51.5, 77.25, 103]], [[200, 200, 200]]]))
    assert (found.method, found.level) == ("a", ())


def test_a_tiny_difference_counts_for_nothing_however_sure():
    found = recommend(scores([[[50, 50, 50]], [[50.1, 50.1, 50.1]], [[90, 90, 90]]]))
    assert found.level == ("b",)


def test_a_level_method_that_is_faster_is_named():
    found = recommend(
        scores([[[50, 50, 50]], [[50.1, 50.1, 50.1]], [[90, 90, 90]]], seconds=[6.0, 2.0, 0.1])
    )
    assert "b takes less time: fit and draw took 2.0 s, where a took 6.0 s." in said(found)


def test_where_the_kl_reduction_disagrees_it_says_so():
    perplexity = [[[50, 51, 50]], [[60, 61, 60]], [[90, 91, 90]]]
    sure = recommend(scores(perplexity, [[[0.1, 0.1, 0.1]], [[0.2, 0.2, 0.2]], [[0, 0, 0]]]))
    assert "The KL reduction says otherwise: it is 0.100 nats higher with b." in said(sure)
    vague = recommend(scores(perplexity, [[[0.1, 0.3, 0.1]], [[0.2, 0.1, 0.3]], [[0, 0, 0]]]))
    assert "within the spread" in said(vague)


def test_a_budget_at_which_another_method_is_better_is_named():
    found = recommend(
        scores(
            [
                [[50, 51, 52], [80, 80, 80]],
                [[70, 71, 72], [70, 70, 70]],
                [[99, 99, 99], [99, 99, 99]],
            ]
        )
    )
    assert found.method == "a"
    assert "At 2% b is better: its perplexity is 12.5 % lower." in said(found)


def test_no_method_may_be_better_than_chance():
    found = recommend(scores([[[50, 51, 50]], [[45, 46, 45]]]))
    assert found.method == "random"
    assert "No method predicts the documents kept out better than a random selection" in said(found)


def test_one_seed_has_no_spread():
    found = recommend(scores([[[50]], [[50.5]], [[52]], [[90]]]))
    assert (found.method, found.level) == ("a", ("b",))
    assert "too little for one seed" in said(found)
    assert "One seed tells no spread" in said(found)


def test_ties_go_to_the_first():
    assert recommend(scores([[[50, 50]], [[50, 50]], [[50, 50]]])).method == "a"


def test_json_and_back():
    found = recommend(scores([[[50, 50, 51]], [[60, 61, 60]], [[90, 91, 90]]]))
    assert Recommendation.from_json(found.describe()) == found
