"""A small neural language model that goes on with a selection, tried on documents kept out.

One layer of a gated recurrent unit over a vocabulary of byte-level BPE, with an adaptive softmax
(Grave et al. 2017): a proper distribution over all tokens, at a tenth of the price of a plain one.
A first model learns from random documents of raw. Each selection continues with a copy of it for
the same number of steps, so that all see the same number of tokens, however large a selection is:
a small one is gone over several times. No step is chosen by what it gives on documents kept out.
"""

from __future__ import annotations

import copy
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

VOCABULARY = 16_384
END = 0  # After each document.

Documents = Sequence[npt.NDArray[np.uint16]]
"""The tokens of each document, with its end."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a model is made and trained.

    Attributes:
        first_steps: optimizer steps of the first model.
        steps: optimizer steps with a selection.
        batch: streams of text that are read side by side.
        length: tokens of each stream in a step.
        embedding, hidden: sizes of the network.
        first_rate, rate: the greatest learning rates of AdamW, after a warm-up and before a cosine
            decay.
        tried: at most so many tokens of the documents kept out are predicted.
    """

    first_steps: int = 400
    steps: int = 48
    batch: int = 64
    length: int = 32
    embedding: int = 64
    hidden: int = 128
    first_rate: float = 8e-3
    rate: float = 4e-3
    tried: int = 25_000

    @property
    def digest(self) -> str:
        """Eight digits that tell first models apart."""
        settings = (self.first_steps, self.batch, self.length, self.embedding, self.hidden)
        return f"{zlib.crc32(repr((settings, self.first_rate)).encode()):08x}"

    def seen(self, steps: int) -> int:
        """Return how many tokens a model sees in so many steps."""
        return steps * self.batch * self.length


class Vocabulary:
    """A byte-level BPE whose tokens are numbered by how frequent they are, most frequent first.

    Args:
        tokenizer: of the library `tokenizers`.
        numbers: uint16[tokens of the tokenizer], the number of each.
    """

    def __init__(self, tokenizer: Any, numbers: npt.NDArray[np.uint16]) -> None:
        self._tokenizer = tokenizer
        self._numbers = numbers

    @classmethod
    def learned(cls, texts: Sequence[str], path: Path, size: int = VOCABULARY) -> Vocabulary:
        """Learn a vocabulary of texts and keep it in a file; or read that file, if there is one."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        numbers = path.with_suffix(".npy")
        if numbers.exists():
            return cls(Tokenizer.from_file(str(path)), np.load(numbers))
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=["<end>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        counts = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
        for encoding in tokenizer.encode_batch_fast(list(texts)):
            counts += np.bincount(encoding.ids, minlength=len(counts))
        counts[END] = len(texts) + 1
        order = np.argsort(-counts, kind="stable")
        order = np.concatenate([[END], order[order != END]])
        places = np.empty(len(order), dtype=np.uint16)
        places[order] = np.arange(len(order))
        tokenizer.save(str(path))
        np.save(numbers, places)
        return cls(tokenizer, places)

    @property
    def size(self) -> int:
        """Number of tokens."""
        return len(self._numbers)

    def documents(self, texts: Sequence[str]) -> list[npt.NDArray[np.uint16]]:
        """Return the tokens of each text, with the end."""
        found = []
        for first in range(0, len(texts), 1000):
            batch = [text or "" for text in texts[first : first + 1000]]
            for encoding in self._tokenizer.encode_batch_fast(batch):
                ids = np.array([*encoding.ids, END])
                found.append(self._numbers[ids])
        return found


def stream_of(documents: Documents, size: int, seed: int) -> npt.NDArray[np.int64]:
    """Return so many tokens: all documents in random order, again and again, each time another."""
    draw = np.random.default_rng(seed)
    parts: list[npt.NDArray[np.uint16]] = []
    held = 0
    while held < size:
        for place in draw.permutation(len(documents)):
            parts.append(documents[place])
            held += len(parts[-1])
            if held >= size:
                break
    return np.concatenate(parts)[:size].astype(np.int64)


def first_model(
    documents: Callable[[], Documents],
    vocabulary: int,
    seed: int,
    training: Training,
    path: Path,
) -> Any:
    """Return a model of random documents, kept in a file; or read that file, if there is one.

    Args:
        documents: gives the documents.
        vocabulary: number of tokens.
        seed: of the first weights, and of the order of the documents.
        training: how to train.
        path: the file.
    """
    import torch

    torch.manual_seed(seed)
    network = _network(vocabulary, training)
    if path.exists():
        network.load_state_dict(torch.load(path, weights_only=True))
        return network
    _train(network, documents(), seed, training, training.first_steps, training.first_rate)
    torch.save(network.state_dict(), path)
    return network


def continued(first: Any, documents: Documents, seed: int, training: Training) -> Any:
    """Return a copy of a model that has gone on with a selection.

    Args:
        first: the model; it stays as it is.
        documents: the selection.
        seed: of the order of the documents.
        training: how to train.
    """
    network = copy.deepcopy(first)
    _train(network, documents, seed, training, training.steps, training.rate)
    return network


def perplexity(network: Any, held_out: Documents, training: Training) -> float:
    """Return the perplexity per token of documents kept out, of at most `training.tried` tokens."""
    import torch

    size = min(training.tried, sum(map(len, held_out)))
    batch = min(training.batch, max(1, size // 200))
    total, count, state = 0.0, 0, None
    with torch.no_grad():
        for inputs, wanted in _steps(stream_of(held_out, size, 0), batch, training.length):
            loss, state = network(inputs, wanted, state)
            total += float(loss) * inputs.numel()
            count += inputs.numel()
    return math.exp(total / count)


def _train(
    network: Any, documents: Documents, seed: int, training: Training, steps: int, rate: float
) -> None:
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step, steps))
    stream = stream_of(documents, training.seen(steps) + 1, seed)
    state = None
    for inputs, wanted in _steps(stream, training.batch, training.length):
        optimizer.zero_grad()
        loss, state = network(inputs, wanted, state)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()


def _share(step: int, steps: int) -> float:
    """Return the share of the greatest learning rate in a step."""
    warm = max(1, steps // 10)
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.49 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _steps(stream: npt.NDArray[np.int64], batch: int, length: int) -> Iterator[tuple[Any, Any]]:
    """Give inputs and what follows them, [length, batch], of streams side by side."""
    import torch

    each = (len(stream) - 1) // batch
    sides = [stream[: each * batch], stream[1 : each * batch + 1]]
    inputs, wanted = (torch.from_numpy(side.reshape(batch, each).T.copy()) for side in sides)
    for first in range(0, each, length):
        yield inputs[first : first + length], wanted[first : first + length]


def _network(vocabulary: int, training: Training) -> Any:
    from torch import nn

    class Network(nn.Module):
        """Embedding, recurrent layer, adaptive softmax."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, training.embedding)
            self.layer = nn.GRU(training.embedding, training.hidden)
            cuts = [cut for cut in (500, 2000, 6000) if cut < vocabulary] or [vocabulary // 2]
            self.softmax = nn.AdaptiveLogSoftmaxWithLoss(training.hidden, vocabulary, cuts)
            nn.init.normal_(self.embedding.weight, std=0.1)

        def forward(self, inputs: Any, wanted: Any, state: Any) -> tuple[Any, Any]:
            """Return the mean loss, and the state after these tokens."""
            found, state = self.layer(self.embedding(inputs), state)
            loss = self.softmax(found.flatten(0, 1), wanted.flatten()).loss
            return loss, state.detach()

    return Network()
