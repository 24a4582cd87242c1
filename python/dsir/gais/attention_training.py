"""Trains the two-layer graph attention network."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.gais.training_batches import TrainingBatch
from dsir.progress import Advance, ignore

Floats = npt.NDArray[np.float32]
# The accuracy on held-out rows is checked every so many steps, on so many batches at most.
_CHECK_STEPS = 5
_CHECK_BATCHES = 8
# An epoch has at most this many batches.
_EPOCH_BATCHES = 32
_BETA_1, _BETA_2, _TINY = np.float32(0.9), np.float32(0.999), np.float32(1e-8)


@dataclass(frozen=True, slots=True)
class Training:
    """How to train a network.

    Attributes:
        heads: attention heads in both layers.
        hidden: units of each head in the first layer.
        epochs: the most epochs; an epoch is a pass over the graph, or over 32 batches if there are
            more.
        learning_rate: learning rate of Adam (Kingma & Ba 2015).
        weight_decay: decoupled from the gradient (Loshchilov & Hutter 2019).
        edge_dropout: share of the edges that each step leaves out of a layer.
        hidden_dropout: share of the first layer's outputs that each step leaves out.
        held_out: share of each class that is not trained on; the accuracy on these rows decides
            when to stop.
        patience: training ends after this many checks of the accuracy without a gain. There is a
            check every five steps, or after each epoch if an epoch has more steps.
        seed: seed of the weights, the held-out rows and the dropout masks.
        threads: how many threads to use; the result does not depend on them.
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
    """A trained network, and its outputs for the nodes it was trained on.

    Attributes:
        weights: float32, in the order of cpp/gais/attention_network.hpp.
        embeddings: float32[nodes, heads * hidden].
        probabilities: float32[nodes, classes].
        attention: float32[edges], the mean over heads and layers of how much the row of an edge
            attends to its neighbour.
        history: one entry for each epoch: `epoch`, `loss`, and `held_out_accuracy` if it was
            checked.
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
    *,
    advance: Advance = ignore,
) -> TrainedNetwork:
    """Train on the labels, and return the best weights and their outputs for all nodes.

    Source: Velickovic et al. 2018, "Graph Attention Networks"; docs/algorithms.md, section 13.

    Args:
        graph: the graph, with an edge from every node to itself.
        features: [nodes, features], scaled.
        labels: [nodes], 0 to classes - 1.
        classes: how many classes there are.
        training: the settings.
        batches: the batches of the training steps; None to use all nodes in every step.
        advance: called with 1 after each epoch.
    """
    shape = {"heads": training.heads, "hidden": training.hidden, "classes": classes}
    if batches is None:
        everything = np.arange(len(labels), dtype=np.int64)
        batches = [TrainingBatch(everything, graph, features, labels)]
    best_weights, history = _best_weights(
        labels, features.shape[1], shape, training, batches, advance
    )
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


def _best_weights(
    labels: npt.NDArray[np.int32],
    features: int,
    shape: dict[str, int],
    training: Training,
    batches: list[TrainingBatch],
    advance: Advance,
) -> tuple[Floats, list[dict[str, float]]]:
    """Return the weights with the best accuracy on held-out rows, and the history of the epochs.

    If no class is large enough to hold rows out, these are the weights of the last epoch.
    """
    random = np.random.Generator(np.random.Philox(training.seed))
    weights = first_weights(features, random=random, **shape)
    held_out = _held_out(labels, training.held_out, random)
    steps = _Steps(batches, held_out, shape, training, random, weights)
    period = max(1, _CHECK_STEPS // len(batches))
    history: list[dict[str, float]] = []
    best, best_weights, waited = -np.inf, weights, 0
    for epoch in range(training.epochs):
        loss = steps.epoch()
        history.append({"epoch": float(epoch), "loss": loss})
        advance(1)
        if not held_out.any():
            best_weights = steps.weights
            continue
        if (epoch + 1) % period and epoch + 1 < training.epochs:
            continue
        accuracy = _held_out_accuracy(
            batches[:_CHECK_BATCHES], steps.weights, held_out, shape, training.threads
        )
        history[-1]["held_out_accuracy"] = accuracy
        if accuracy > best:
            best, best_weights, waited = accuracy, steps.weights, 0
        else:
            waited += 1
            if waited >= training.patience:
                break
    return best_weights, history


class _Steps:
    """Takes training steps on one batch after the other.

    Attributes:
        weights: the weights after the last step.
    """

    def __init__(
        self,
        batches: list[TrainingBatch],
        held_out: npt.NDArray[np.bool_],
        shape: dict[str, int],
        training: Training,
        random: np.random.Generator,
        weights: Floats,
    ) -> None:
        self.weights = weights
        self._batches = itertools.cycle(batches)
        self._steps_an_epoch = min(len(batches), _EPOCH_BATCHES)
        self._held_out = held_out
        self._shape = shape
        self._training = training
        self._random = random
        self._adam = _Adam(weights, training)
        self._memory = _core.NetworkMemory()

    def epoch(self) -> float:
        """Take the steps of one epoch, and return the mean loss."""
        batches = itertools.islice(self._batches, self._steps_an_epoch)
        return float(np.mean([self._step(batch) for batch in batches]))

    def _step(self, batch: TrainingBatch) -> float:
        held_out = self._held_out[batch.rows]
        loss, gradient = _core.network_gradient(
            batch.graph,
            batch.features,
            batch.labels,
            np.where(held_out, 0, 1 / max(1, int((~held_out).sum()))).astype(np.float32),
            self.weights,
            edge_dropout=self._training.edge_dropout,
            hidden_dropout=self._training.hidden_dropout,
            seed=int(self._random.integers(1 << 62)),
            threads=self._training.threads,
            memory=self._memory,
            **self._shape,
        )
        self.weights = self._adam.step(self.weights, gradient)
        return float(loss)


class _Adam:
    """Adam (Kingma & Ba 2015) with decoupled weight decay."""

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
    right, tested = 0, 0
    for batch in batches:
        test = np.flatnonzero(held_out[batch.rows]).astype(np.int32)
        logits = _core.node_logits(
            batch.graph, test, batch.features, weights, threads=threads, **shape
        )
        guesses = logits.reshape(-1, shape["classes"]).argmax(axis=1)
        right += int((guesses == batch.labels[test]).sum())
        tested += len(test)
    return right / max(1, tested)


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
    """Draw a share of each class, rounded down, so that a small class is trained on whole."""
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
