"""The arguments of GAIS that name a way, and the checks of all arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from dsir.arguments.values import flag, number, one_of, shown, whole_number
from dsir.errors import SettingError
from dsir.gais.class_budgets import check_shares
from dsir.gais.judges import Metric
from dsir.gais.labelled_table import Distance, Scaling, check_missing
from dsir.gais.labels import MOST_BINS
from dsir.gais.seeds import check_seed
from dsir.gais.selector import rows_to_keep
from dsir.gais.unused import refuse_unused
from dsir.model.features import HashedNgrams

GraphName = Literal["minibatch", "lsh", "lsh-multilevel", "lsh-multiview", "exact"]
RankBy = Literal["attention", "attention-same-class", "confidence"]
Select = Literal["auto", "coverage", "column-coverage", "attention-coverage", "top", "sample"]
Network = Literal["auto"] | bool

# What chooses by what the network says.
BY_NETWORK = ("attention-coverage", "top", "sample")


def check_arguments(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Check the arguments of a `GAIS`.

    Args:
        given: the arguments, by name.
        defaults: their defaults.

    Raises:
        SettingError: an argument is out of range, or another one leaves it nothing to say.
    """
    check_missing(given["missing"])
    rows_to_keep(given["reduction"], 1, 1)
    check_shares(given["shares"], tried=True)
    check_seed(given["random_state"])
    one_of("graph", given["graph"], get_args(GraphName))
    one_of("rank_by", given["rank_by"], get_args(RankBy))
    one_of("select", given["select"], get_args(Select))
    if not (isinstance(given["network"], bool) or given["network"] == "auto"):
        raise SettingError(f"network={shown(given['network'])}: expected True, False or 'auto'")
    if given["network"] is False and given["select"] in BY_NETWORK:
        raise SettingError(
            f"select={shown(given['select'])}: chooses by the network, which network=False leaves "
            "out; give select='coverage', or leave network out"
        )
    one_of("scaling", given["scaling"], get_args(Scaling))
    one_of("distance", given["distance"], get_args(Distance))
    whole_number("heads", given["heads"], 1, 64)
    whole_number("hidden", given["hidden"], 1, 1024)
    whole_number("epochs", given["epochs"], 1)
    whole_number("batch_size", given["batch_size"], 2)
    whole_number("neighbours", given["neighbours"], 1, 1 << 16)
    number("threshold", given["threshold"], least=-1, most=1, expected="a number from -1 to 1")
    flag("trials", given["trials"])
    flag("weights", given["weights"])
    if given["metric"] in get_args(Distance):
        raise SettingError(
            f"metric={shown(given['metric'])}: metric is the measure of the trial classifiers; "
            f"give distance={shown(given['metric'])}"
        )
    one_of("metric", given["metric"], get_args(Metric))
    flag("progress", given["progress"])
    if given["bins"] is not None:
        whole_number("bins", given["bins"], 2, MOST_BINS)
    if given["n_jobs"] not in (None, -1):
        whole_number("n_jobs", given["n_jobs"], 1)
    for name, least, most in (("edge_dropout", 0.0, 1.0), ("passes", 0.0, 1e6)):
        value = given[name]
        if not isinstance(value, int | float) or not least <= value < most:
            raise SettingError(
                f"{name}={value!r}: expected a number from {least:g} to below {most:g}"
            )
    if given["features"] is not None and not isinstance(given["features"], HashedNgrams):
        raise SettingError(f"features={given['features']!r}: expected HashedNgrams(...)")
    refuse_unused(given, defaults)
