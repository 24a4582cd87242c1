import numpy as np
import pytest

from dsir import _core
from dsir.gais import training_batches as batches_module
from dsir.gais.attention_training import Training, first_weights, train_network
from dsir.gais.parts import Parts, split_rows
from dsir.gais.training_batches import training_batches
from dsir.graph import neighbours

HEADS, HIDDEN = 2, 4


def case(seed=0, nodes=30, features=5, classes=3, hidden=HIDDEN):
    random = np.random.default_rng(seed)
    x = random.normal(size=(nodes, features))
    labels = random.integers(0, classes, nodes).astype(np.int32)
    offsets, ends = neighbours(x, k=4).undirected()
    weights = first_weights(features, heads=HEADS, hidden=hidden, classes=classes, random=random)
    weights = weights.astype(float) + random.normal(size=weights.shape) * 0.1
    return x, labels, offsets, ends, weights, random.random(nodes)


def dense_network(x, offsets, ends, weights, hidden, classes):
    """The network by whole matrices: (embeddings, logits)."""
    nodes, features = x.shape
    joined, wide = HEADS * hidden, HEADS * classes
    sizes = [features * joined, joined, joined, joined, joined * wide, wide, wide, classes]
    w1, s1, t1, b1, w2, s2, t2, b2 = np.split(weights, np.cumsum(sizes)[:-1])
    mask = np.zeros((nodes, nodes), bool)
    mask[np.repeat(np.arange(nodes), np.diff(offsets)), ends] = True

    def layer(inputs, matrix, source, target, width):
        z = (inputs @ matrix.reshape(inputs.shape[1], -1)).reshape(nodes, HEADS, width)
        heads = []
        for h in range(HEADS):
            part = slice(h * width, (h + 1) * width)
            logits = (z[:, h] @ target[part])[:, None] + (z[:, h] @ source[part])[None]
            logits = np.where(logits > 0, logits, 0.2 * logits)
            logits = np.where(mask, logits, -np.inf)
            shares = np.exp(logits - logits.max(axis=1, keepdims=True))
            heads.append(shares / shares.sum(axis=1, keepdims=True) @ z[:, h])
        return np.stack(heads, axis=1)

    first = layer(x, w1, s1, t1, hidden).reshape(nodes, joined) + b1
    first = np.where(first > 0, first, np.expm1(first))
    return first, layer(first, w2, s2, t2, classes).mean(axis=1) + b2


@pytest.mark.parametrize(("classes", "hidden"), [(2, 8), (3, 4), (5, 3), (11, 16)])
def test_the_network_is_that_of_whole_matrices(classes, hidden):
    x, _, offsets, ends, weights, _ = case(classes=classes, hidden=hidden)
    graph = _core.AttentionGraph(offsets, ends)
    shape = {"heads": HEADS, "hidden": hidden, "classes": classes}
    embeddings, logits, first, second = _core.run_network(graph, x, weights, **shape)
    wanted = dense_network(x, offsets, ends, weights, hidden, classes)
    np.testing.assert_allclose(embeddings.reshape(len(x), -1), wanted[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(logits.reshape(len(x), -1), wanted[1], rtol=0, atol=1e-12)
    for attention in (first, second):
        sums = np.add.reduceat(attention.reshape(-1, HEADS), offsets[:-1])
        np.testing.assert_allclose(sums, 1, atol=1e-12)
    narrow = _core.run_network(graph, x.astype("f4"), weights.astype("f4"), **shape)
    np.testing.assert_allclose(narrow[1], logits, rtol=0, atol=2e-4)


def test_the_logits_of_some_nodes_are_those_of_all():
    x, _, offsets, ends, weights, _ = case(classes=3)
    graph = _core.AttentionGraph(offsets, ends)
    shape = {"heads": HEADS, "hidden": HIDDEN, "classes": 3}
    logits = _core.run_network(graph, x, weights, **shape)[1].reshape(-1, 3)
    for nodes in ([4, 0, len(x) - 1], range(len(x)), [], [2, 2]):
        asked = np.array(nodes, np.int32)
        found = _core.node_logits(graph, asked, x, weights, threads=2, **shape)
        np.testing.assert_array_equal(found.reshape(-1, 3), logits[asked])
    for wrong in (-1, len(x)):
        with pytest.raises(ValueError, match="a node is out of range"):
            _core.node_logits(graph, np.array([wrong], np.int32), x, weights, **shape)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("classes", [2, 5])
def test_gradients_are_finite_differences(dropout, classes):
    x, labels, offsets, ends, weights, node_weights = case(1, classes=classes)
    node_weights[3] = 0
    graph = _core.AttentionGraph(offsets, ends)

    def loss(at):
        return _core.network_gradient(
            graph,
            x,
            labels,
            node_weights,
            at,
            heads=HEADS,
            hidden=HIDDEN,
            classes=classes,
            edge_dropout=dropout,
            hidden_dropout=dropout,
            seed=7,
        )

    _, gradient = loss(weights)
    step = 1e-6
    numeric = np.zeros_like(weights)
    for at in range(len(weights)):
        moved = np.zeros_like(weights)
        moved[at] = step
        numeric[at] = (loss(weights + moved)[0] - loss(weights - moved)[0]) / (2 * step)
    assert np.abs(gradient).max() > 0.1
    np.testing.assert_allclose(gradient, numeric, rtol=0, atol=1e-6)


def test_the_loss_is_the_cross_entropy():
    x, labels, offsets, ends, weights, node_weights = case(2)
    graph = _core.AttentionGraph(offsets, ends)
    shape = {"heads": HEADS, "hidden": HIDDEN, "classes": 3}
    loss, _ = _core.network_gradient(graph, x, labels, node_weights, weights, **shape)
    logits = dense_network(x, offsets, ends, weights, HIDDEN, 3)[1]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -(node_weights * np.log(shares[np.arange(len(x)), labels])).sum()
    assert loss == pytest.approx(expected, rel=1e-12)


def test_memory_that_is_kept_changes_no_gradient():
    memory = _core.NetworkMemory()
    for seed, nodes, classes, hidden in [
        (1, 60, 3, 4),
        (2, 25, 2, 8),
        (3, 90, 5, 3),
        (1, 60, 3, 4),
    ]:
        x, labels, offsets, ends, weights, node_weights = case(
            seed, nodes=nodes, classes=classes, hidden=hidden
        )
        graph = _core.AttentionGraph(offsets, ends)
        for kind, dropout in [("f4", 0.3), ("f4", 0.0), ("f8", 0.3)]:
            given = [one.astype(kind) for one in (x, node_weights, weights)]
            losses, gradients = zip(
                *(
                    _core.network_gradient(
                        graph,
                        given[0],
                        labels,
                        *given[1:],
                        heads=HEADS,
                        hidden=hidden,
                        classes=classes,
                        edge_dropout=dropout,
                        hidden_dropout=dropout,
                        threads=threads,
                        memory=held,
                    )
                    for held, threads in [(None, 1), (memory, 1), (memory, 3)]
                ),
                strict=True,
            )
            assert len(set(losses)) == 1
            assert len({one.tobytes() for one in gradients}) == 1


def test_any_number_of_threads_gives_the_same_bits():
    x, labels, offsets, ends, _, _ = case(3, nodes=3000)
    graph = _core.AttentionGraph(offsets, ends)
    found = []
    for threads in (1, 2, 5):
        training = Training(heads=2, hidden=4, epochs=6, threads=threads)
        network = train_network(graph, x.astype("f4"), labels, 3, training)
        found.append((network.weights.tobytes(), network.attention.tobytes(), str(network.history)))
    assert found[0] == found[1] == found[2]


def test_training_learns_what_can_be_learned():
    random = np.random.default_rng(0)
    x = random.normal(size=(600, 4)).astype("f4")
    labels = (np.abs(x[:, 0]) + np.abs(x[:, 1]) > 1.5).astype(np.int32)
    offsets, ends = neighbours(x, k=5).undirected()
    network = train_network(_core.AttentionGraph(offsets, ends), x, labels, 2, Training())
    assert (network.probabilities.argmax(axis=1) == labels).mean() > 0.8
    assert network.history[-1]["loss"] < network.history[0]["loss"]
    assert any("held_out_accuracy" in epoch for epoch in network.history)
    np.testing.assert_allclose(network.probabilities.sum(axis=1), 1, atol=1e-6)


def torch_layers(conv, torch, weights):
    """The two layers in torch_geometric with these weights, and their parameters in our order."""
    joined, wide = HEADS * HIDDEN, HEADS * 3
    sizes = [5 * joined, joined, joined, joined, joined * wide, wide, wide, 3]
    w1, s1, t1, b1, w2, s2, t2, b2 = np.split(weights, np.cumsum(sizes)[:-1])
    layers = (
        conv(5, HIDDEN, heads=HEADS, add_self_loops=False).double(),
        conv(joined, 3, heads=HEADS, concat=False, add_self_loops=False).double(),
    )
    values = ((w1, s1, t1, b1, 5), (w2, s2, t2, b2, joined))
    for layer, (matrix, source, target, bias, width) in zip(layers, values, strict=True):
        with torch.no_grad():
            layer.lin.weight.copy_(torch.tensor(matrix.reshape(width, -1).T))
            layer.att_src.copy_(torch.tensor(source.reshape(1, HEADS, -1)))
            layer.att_dst.copy_(torch.tensor(target.reshape(1, HEADS, -1)))
            layer.bias.copy_(torch.tensor(bias))
    return layers


def test_against_torch_geometric():
    torch = pytest.importorskip("torch")
    conv = pytest.importorskip("torch_geometric.nn").GATConv
    x, labels, offsets, ends, weights, node_weights = case(4)
    edges = torch.tensor(np.stack([ends, np.repeat(np.arange(len(x)), np.diff(offsets))])).long()
    layers = torch_layers(conv, torch, weights)
    hidden = torch.nn.functional.elu(layers[0](torch.tensor(x), edges))
    logits = layers[1](hidden, edges)
    graph = _core.AttentionGraph(offsets, ends)
    shape = {"heads": HEADS, "hidden": HIDDEN, "classes": 3}
    found = _core.run_network(graph, x, weights, **shape)[1]
    wanted = logits.detach().numpy()
    np.testing.assert_allclose(found.reshape(len(x), -1), wanted, rtol=0, atol=1e-10)
    # And the gradients with respect to every weight.
    entropy = torch.nn.functional.cross_entropy(
        logits, torch.tensor(labels).long(), reduction="none"
    )
    loss = (entropy * torch.tensor(node_weights)).sum()
    loss.backward()
    gradients = []
    for layer in layers:
        parts = (layer.lin.weight.grad.T, layer.att_src.grad, layer.att_dst.grad, layer.bias.grad)
        gradients += [part.reshape(-1).numpy() for part in parts]
    own_loss, own = _core.network_gradient(graph, x, labels, node_weights, weights, **shape)
    assert own_loss == pytest.approx(float(loss.detach()), rel=1e-12)
    np.testing.assert_allclose(own, np.concatenate(gradients), rtol=0, atol=1e-10)


def test_batches_hold_every_row_and_the_edges_within_them(monkeypatch):
    monkeypatch.setattr(batches_module, "BATCH_ROWS", 100)
    x, labels, offsets, ends, _, _ = case(6, nodes=420)
    parts = split_rows(x.astype("f4"), labels, 20, 0)
    batches = training_batches(offsets, ends, x.astype("f4"), labels, parts, 0)
    assert len(batches) == 4
    for one, other in zip(
        batches,
        training_batches(offsets, ends, x.astype("f4"), labels, parts, 0, threads=3),
        strict=True,
    ):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.graph.edges == other.graph.edges
    rows = np.concatenate([batch.rows for batch in batches])
    assert sorted(rows.tolist()) == list(range(420))
    pairs = set(
        zip(np.repeat(np.arange(420), np.diff(offsets)).tolist(), ends.tolist(), strict=True)
    )
    for batch in batches:
        assert 60 <= len(batch.rows) <= 140
        np.testing.assert_array_equal(batch.features, x[batch.rows].astype("f4"))
        np.testing.assert_array_equal(batch.labels, labels[batch.rows])
        inside = set(batch.rows.tolist())
        wanted = sum(1 for a, b in pairs if a in inside and b in inside)
        assert batch.graph.edges == wanted


@pytest.mark.parametrize("part_rows", [1, 7, 64, 1000])
def test_parts_of_any_size_are_dealt_out_whole(monkeypatch, part_rows):
    monkeypatch.setattr(batches_module, "BATCH_ROWS", 60)
    for size in range(200, 320, 7):
        offsets, ends = np.arange(size + 1), np.arange(size, dtype=np.int32)
        cuts = np.append(np.arange(0, size, part_rows), size)
        parts = Parts(ends, cuts.astype(np.int64))
        x, labels = np.zeros((size, 1), np.float32), np.zeros(size, np.int32)
        batches = training_batches(offsets, ends, x, labels, parts, 0)
        assert all(len(batch.rows) for batch in batches)
        rows = np.concatenate([batch.rows for batch in batches])
        assert sorted(rows.tolist()) == list(range(size))
        assert sum(batch.graph.edges for batch in batches) == size


def test_a_graph_cut_into_its_components_says_the_same(monkeypatch):
    monkeypatch.setattr(batches_module, "BATCH_ROWS", 150)
    random = np.random.default_rng(0)
    x = random.normal(size=(600, 4)).astype("f4")
    labels = random.integers(0, 3, 600).astype(np.int32)
    graph = neighbours(x, k=5, method="minibatch", batch_size=40, labels=labels)
    offsets, ends = graph.undirected()
    shape = {"heads": HEADS, "hidden": HIDDEN, "classes": 3}
    weights = first_weights(4, heads=HEADS, hidden=HIDDEN, classes=3, random=random)
    logits = _core.run_network(_core.AttentionGraph(offsets, ends), x, weights, **shape)[1]
    batches = training_batches(offsets, ends, x, labels, split_rows(x, labels, 40, 0), 0)
    assert len(batches) == 4
    assert sum(batch.graph.edges for batch in batches) == len(ends)
    for batch in batches:
        found = _core.run_network(batch.graph, batch.features, weights, **shape)[1]
        wanted = logits.reshape(600, 3)[batch.rows]
        np.testing.assert_allclose(found.reshape(-1, 3), wanted, rtol=0, atol=1e-5)


def test_training_by_batches_learns(monkeypatch):
    monkeypatch.setattr(batches_module, "BATCH_ROWS", 200)
    random = np.random.default_rng(0)
    x = random.normal(size=(900, 4)).astype("f4")
    labels = (np.abs(x[:, 0]) + np.abs(x[:, 1]) > 1.5).astype(np.int32)
    graph = neighbours(x, k=5, method="minibatch", batch_size=60, labels=labels)
    offsets, ends = graph.undirected()
    batches = training_batches(offsets, ends, x, labels, split_rows(x, labels, 60, 0), 0)
    found = [
        train_network(
            _core.AttentionGraph(offsets, ends),
            x,
            labels,
            2,
            Training(epochs=20, threads=threads),
            batches,
        )
        for threads in (1, 3)
    ]
    assert found[0].weights.tobytes() == found[1].weights.tobytes()
    assert (found[0].probabilities.argmax(axis=1) == labels).mean() > 0.8
    # Batches of some 200 rows, so an epoch of five steps or so ends with a look.
    assert all("held_out_accuracy" in epoch for epoch in found[0].history)


def test_wrong_arrays_are_refused():
    x, labels, offsets, ends, weights, node_weights = case(5)
    graph = _core.AttentionGraph(offsets, ends)
    assert (graph.size, graph.edges) == (30, len(ends))
    shape = {"heads": HEADS, "hidden": HIDDEN, "classes": 3}
    with pytest.raises(ValueError, match=r"expected .* weights"):
        _core.run_network(graph, x, weights[:-1], **shape)
    with pytest.raises(ValueError, match="one row per node"):
        _core.run_network(graph, x[1:], weights, **shape)
    with pytest.raises(ValueError, match="a label is out of range"):
        _core.network_gradient(graph, x, labels + 1, node_weights, weights, **shape)
    with pytest.raises(ValueError, match="below 1"):
        _core.network_gradient(graph, x, labels, node_weights, weights, edge_dropout=1.0, **shape)
    with pytest.raises(ValueError, match="out of range"):
        _core.AttentionGraph(offsets, ends + 1)
    with pytest.raises(TypeError):
        _core.run_network(graph, x.astype("f4"), weights, **shape)
