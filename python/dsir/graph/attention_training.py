"""Training of the two-layer graph attention network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core

Floats = npt.NDArray[np.float32]
_BETA_1, _BETA_2, _TINY = np.float32(0.9), np.float32(0.999), np.float32(1e-8)


@dataclass(frozen=True, slots=True)
class Training:
    """How a network is trained.

    Attributes:
        heads: of attention, in both layers.
        hidden: units of a head in the first layer.
        epochs: passes over the graph at most.
        learning_rate: of Adam (Kingma & Ba 2015).
        weight_decay: decoupled from the gradient (Loshchilov & Hutter 2019).
        edge_dropout: share of the edges left out of a layer in one epoch.
        hidden_dropout: share of the first layer's outputs left out.
        held_out: share of each class that is not trained on; its accuracy says when to stop.
        patience: looks (one every fifth epoch) without a gain before training ends.
        seed: of the weights, the held-out rows and the masks.
        threads: how many to use; the result does not depend on it.
    """

    heads: int = 4
    hidden: int = 8
    epochs: int = 100
    learning_rate: float = 0.01
    weight_decay: float = 5e-4
    edge_dropout: float = 0.2
    hidden_dropout: float = 0.2
    held_out: float = 0.1
    patience: int = 4
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """What a trained network says of the nodes it saw.

    Attributes:
        weights: float32, in the order of cpp/graph/attention_network.hpp.
        embeddings: float32[nodes, heads * hidden].
        probabilities: float32[nodes, classes].
        attention: float32[edges], the mean over heads and layers; an edge says how much its row
            attends to its neighbour.
        history: one row an epoch: `epoch`, `loss`, and `held_out_accuracy` where it was looked at.
    """

    weights: Floats
    embeddings: Floats
    probabilities: Floats
    attention: Floats
    history: list[dict[str, float]]


def train_network(
    graph: _core.AttentionGraph,
    features: Floats,
    labels: npt.NDArray[np.int32],
    classes: int,
    training: Training,
) -> TrainedNetwork:
    """Train on the labels, and run over all nodes with the best weights seen.

    Source: Velickovic et al. 2018, "Graph Attention Networks"; ALGORITHMS section 4.

    Args:
        graph: with an edge from every node to itself.
        features: [nodes, features], scaled.
        labels: [nodes], 0 to classes - 1.
        classes: how many there are.
        training: the settings.
    """
    shape = {"heads": training.heads, "hidden": training.hidden, "classes": classes}
    random = np.random.Generator(np.random.Philox(training.seed))
    weights = first_weights(features.shape[1], random=random, **shape)
    held_out = _held_out(labels, training.held_out, random)
    node_weights = np.where(held_out, 0, 1 / max(1, int((~held_out).sum()))).astype(np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    rate = np.float32(training.learning_rate)
    history: list[dict[str, float]] = []
    best, best_weights, waited = -np.inf, weights, 0
    for epoch in range(training.epochs):
        loss, gradient = _core.network_gradient(
            graph,
            features,
            labels,
            node_weights,
            weights,
            edge_dropout=training.edge_dropout,
            hidden_dropout=training.hidden_dropout,
            seed=int(random.integers(1 << 62)),
            threads=training.threads,
            **shape,
        )
        mean = _BETA_1 * mean + (1 - _BETA_1) * gradient
        square = _BETA_2 * square + (1 - _BETA_2) * gradient * gradient
        mean_bias = np.float32(1 - 0.9 ** (epoch + 1))
        square_bias = np.float32(1 - 0.999 ** (epoch + 1))
        step = (mean / mean_bias) / (np.sqrt(square / square_bias) + _TINY)
        weights = weights - rate * (step + np.float32(training.weight_decay) * weights)
        history.append({"epoch": float(epoch), "loss": float(loss)})
        if not held_out.any() or (epoch % 5 != 4 and epoch + 1 < training.epochs):
            best_weights = weights if not held_out.any() else best_weights
            continue
        logits = _core.run_network(graph, features, weights, threads=training.threads, **shape)[1]
        guesses = logits.reshape(-1, classes).argmax(axis=1)
        accuracy = float((guesses == labels)[held_out].mean())
        history[-1]["held_out_accuracy"] = accuracy
        if accuracy > best:
            best, best_weights, waited = accuracy, weights, 0
        else:
            waited += 1
            if waited >= training.patience:
                break
    embeddings, logits, first, second = _core.run_network(
        graph, features, best_weights, threads=training.threads, **shape
    )
    heads = training.heads
    attention = (first.reshape(-1, heads).sum(axis=1) + second.reshape(-1, heads).sum(axis=1)) / (
        np.float32(2 * heads)
    )
    return TrainedNetwork(
        best_weights,
        embeddings.reshape(len(labels), -1),
        _softmax(logits.reshape(-1, classes)),
        attention,
        history,
    )


def first_weights(
    features: int, *, heads: int, hidden: int, classes: int, random: np.random.Generator
) -> Floats:
    """Draw weights uniformly within the bounds of Glorot & Bengio 2010; biases are 0."""
    joined, wide = heads * hidden, heads * classes

    def drawn(size: int, fan_in: int, fan_out: int) -> Floats:
        bound = np.sqrt(6.0 / (fan_in + fan_out))
        return random.uniform(-bound, bound, size).astype(np.float32)

    return np.concatenate(
        [
            drawn(features * joined, features, joined),
            drawn(2 * joined, hidden, 1),
            np.zeros(joined, np.float32),
            drawn(joined * wide, joined, wide),
            drawn(2 * wide, classes, 1),
            np.zeros(classes, np.float32),
        ]
    )


def _held_out(
    labels: npt.NDArray[np.int32], share: float, random: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Draw the share of each class, rounded down: a class of few rows is trained on whole."""
    held_out = np.zeros(len(labels), bool)
    keys = random.random(len(labels))
    order = np.lexsort((keys, labels))
    starts = np.concatenate(([0], np.flatnonzero(np.diff(labels[order])) + 1, [len(labels)]))
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        held_out[order[begin : begin + int((end - begin) * share)]] = True
    return held_out


def _softmax(logits: Floats) -> Floats:
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    return np.asarray(shares, dtype=np.float32)
