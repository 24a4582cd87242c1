"""Training of the two-layer graph attention network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.gais.training_batches import TrainingBatch

Floats = npt.NDArray[np.float32]
# Steps between two looks at the rows held out, and batches that a look is at.
_LOOK_STEPS = 5
_LOOK_BATCHES = 8
# Batches that make up an epoch, where there are more.
_EPOCH_BATCHES = 32
_BETA_1, _BETA_2, _TINY = np.float32(0.9), np.float32(0.999), np.float32(1e-8)


@dataclass(frozen=True, slots=True)
class Training:
    """How a network is trained.

    Attributes:
        heads: of attention, in both layers.
        hidden: units of a head in the first layer.
        epochs: passes over the graph at most, or over 32 batches where there are more.
        learning_rate: of Adam (Kingma & Ba 2015).
        weight_decay: decoupled from the gradient (Loshchilov & Hutter 2019).
        edge_dropout: share of the edges left out of a layer in one epoch.
        hidden_dropout: share of the first layer's outputs left out.
        held_out: share of each class that is not trained on; its accuracy says when to stop.
        patience: looks without a gain before training ends; there is one every fifth step, or
            every epoch where that has more steps.
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
    batches: list[TrainingBatch] | None = None,
) -> TrainedNetwork:
    """Train on the labels, and run over all nodes with the best weights seen.

    Source: Velickovic et al. 2018, "Graph Attention Networks"; docs/algorithms.md, section 13.

    Args:
        graph: with an edge from every node to itself.
        features: [nodes, features], scaled.
        labels: [nodes], 0 to classes - 1.
        classes: how many there are.
        training: the settings.
        batches: what each step is made on; None for all nodes at every step.
    """
    shape = {"heads": training.heads, "hidden": training.hidden, "classes": classes}
    random = np.random.Generator(np.random.Philox(training.seed))
    weights = first_weights(features.shape[1], random=random, **shape)
    held_out = _held_out(labels, training.held_out, random)
    if batches is None:
        everything = np.arange(len(labels), dtype=np.int64)
        batches = [TrainingBatch(everything, graph, features, labels)]
    looked_at = batches[:_LOOK_BATCHES]
    period = max(1, _LOOK_STEPS // len(batches))
    adam = _Adam(weights, training)
    history: list[dict[str, float]] = []
    best, best_weights, waited, at = -np.inf, weights, 0, 0
    for epoch in range(training.epochs):
        losses = []
        for _ in range(min(len(batches), _EPOCH_BATCHES)):
            batch = batches[at % len(batches)]
            at += 1
            out = held_out[batch.rows]
            loss, gradient = _core.network_gradient(
                batch.graph,
                batch.features,
                batch.labels,
                np.where(out, 0, 1 / max(1, int((~out).sum()))).astype(np.float32),
                weights,
                edge_dropout=training.edge_dropout,
                hidden_dropout=training.hidden_dropout,
                seed=int(random.integers(1 << 62)),
                threads=training.threads,
                **shape,
            )
            weights = adam.step(weights, gradient)
            losses.append(float(loss))
        history.append({"epoch": float(epoch), "loss": float(np.mean(losses))})
        if not held_out.any():
            best_weights = weights
            continue
        if (epoch + 1) % period and epoch + 1 < training.epochs:
            continue
        accuracy = _held_out_accuracy(looked_at, weights, held_out, shape, training.threads)
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


class _Adam:
    """Adam (Kingma & Ba 2015), its weight decay decoupled."""

    def __init__(self, weights: Floats, training: Training) -> None:
        self.mean = np.zeros_like(weights)
        self.square = np.zeros_like(weights)
        self.rate = np.float32(training.learning_rate)
        self.decay = np.float32(training.weight_decay)
        self.steps = 0

    def step(self, weights: Floats, gradient: Floats) -> Floats:
        """Return the weights after one step."""
        self.steps += 1
        self.mean = _BETA_1 * self.mean + (1 - _BETA_1) * gradient
        self.square = _BETA_2 * self.square + (1 - _BETA_2) * gradient * gradient
        mean = self.mean / np.float32(1 - 0.9**self.steps)
        square = self.square / np.float32(1 - 0.999**self.steps)
        step = mean / (np.sqrt(square) + _TINY)
        return np.asarray(weights - self.rate * (step + self.decay * weights))


def _held_out_accuracy(
    batches: list[TrainingBatch],
    weights: Floats,
    held_out: npt.NDArray[np.bool_],
    shape: dict[str, int],
    threads: int,
) -> float:
    right, asked = 0, 0
    for batch in batches:
        out = held_out[batch.rows]
        logits = _core.run_network(batch.graph, batch.features, weights, threads=threads, **shape)[
            1
        ]
        guesses = logits.reshape(-1, shape["classes"]).argmax(axis=1)
        right += int((guesses == batch.labels)[out].sum())
        asked += int(out.sum())
    return right / max(1, asked)


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
