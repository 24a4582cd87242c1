#include <algorithm>
#include <mutex>
#include <type_traits>

#include "bindings/group_members.hpp"
#include "bindings/python.hpp"
#include "gais/attention_network.hpp"

namespace dsir::bindings {
namespace {

using gais::AttentionGraph;
using gais::NetworkShape;

AttentionGraph attention_graph(const Array<std::int64_t>& offsets,
                               const Array<std::int32_t>& neighbours) {
    require(offsets.ndim() == 1 && offsets.size() >= 1,
            "offsets must have one entry more than there are nodes");
    check_cut(neighbours, offsets, offsets.size() - 1);
    return gais::make_attention_graph({offsets.data(), offsets.data() + offsets.size()},
                                      {neighbours.data(), neighbours.data() + neighbours.size()});
}

py::tuple both_ways(const Array<std::int64_t>& offsets, const Array<std::int32_t>& neighbours) {
    require(offsets.ndim() == 1 && offsets.size() >= 1, "offsets must have at least one entry");
    check_cut(neighbours, offsets, offsets.size() - 1);
    gais::Edges found;
    {
        const py::gil_scoped_release release;
        found = gais::both_ways(offsets.data(), neighbours.data(), offsets.size() - 1);
    }
    return py::make_tuple(to_numpy(std::move(found.offsets)),
                          to_numpy(std::move(found.neighbours)));
}

/// A product of sizes. Throws std::invalid_argument if the product does not fit 63 bits.
std::int64_t product(std::int64_t one, std::int64_t other) {
    std::int64_t result = 0;
    require(!__builtin_mul_overflow(one, other, &result), "the shape of the network is too large");
    return result;
}

/// NetworkShape::weights() with a check that no step overflows.
std::int64_t checked_weights(const NetworkShape& shape) {
    const std::int64_t joined = product(shape.heads, shape.hidden);
    const std::int64_t logits = product(shape.heads, shape.classes);
    std::int64_t total = 0;
    for (const std::int64_t part : {product(shape.features, joined), product(3, joined),
                                    product(joined, logits), product(2, logits), shape.classes})
        require(!__builtin_add_overflow(total, part, &total),
                "the shape of the network is too large");
    return total;
}

template <class Value>
NetworkShape shape_of(const AttentionGraph& nodes, const Array<Value>& features,
                      const Array<Value>& weights, std::int64_t heads, std::int64_t hidden,
                      std::int64_t classes, unsigned threads) {
    require(features.ndim() == 2 && features.shape(0) == nodes.size(),
            "features must have one row per node");
    require(heads >= 1 && hidden >= 1 && classes >= 1,
            "heads, hidden and classes must be at least 1");
    require(threads >= 1, "threads must be at least 1");
    const NetworkShape shape{features.shape(1), heads, hidden, classes};
    const std::int64_t expected = checked_weights(shape);
    require(weights.ndim() == 1 && weights.size() == expected,
            "expected " + std::to_string(expected) + " weights");
    // The sizes of the results: embeddings, logits and attention.
    for (const std::int64_t row : {shape.joined(), shape.logits()}) product(nodes.size(), row);
    product(nodes.edges(), heads);
    return shape;
}

template <class Value>
py::tuple run_network(const AttentionGraph& nodes, const Array<Value>& features,
                      const Array<Value>& weights, std::int64_t heads, std::int64_t hidden,
                      std::int64_t classes, unsigned threads) {
    const NetworkShape shape = shape_of(nodes, features, weights, heads, hidden, classes, threads);
    gais::NetworkOutput<Value> output;
    {
        // The caller's frame holds the arguments. Only memory is touched.
        const py::gil_scoped_release release;
        output = gais::run_network(nodes, features.data(), shape, weights.data(), threads);
    }
    return py::make_tuple(
        to_numpy(std::move(output.embeddings)), to_numpy(std::move(output.logits)),
        to_numpy(std::move(output.first_attention)), to_numpy(std::move(output.second_attention)));
}

template <class Value>
py::array_t<Value> node_logits(const AttentionGraph& nodes, const Array<std::int32_t>& asked,
                               const Array<Value>& features, const Array<Value>& weights,
                               std::int64_t heads, std::int64_t hidden, std::int64_t classes,
                               unsigned threads) {
    const NetworkShape shape = shape_of(nodes, features, weights, heads, hidden, classes, threads);
    require(asked.ndim() == 1 &&
                std::all_of(asked.data(), asked.data() + asked.size(),
                            [&](std::int32_t node) { return node >= 0 && node < nodes.size(); }),
            "a node is out of range");
    product(asked.size(), classes);
    std::vector<Value> logits;
    {
        const py::gil_scoped_release release;
        logits = gais::node_logits(nodes, asked.data(), asked.size(), features.data(), shape,
                                   weights.data(), threads);
    }
    return to_numpy(std::move(logits));
}

/// Memory that Python keeps from step to step; one call at a time uses it.
struct HeldMemory {
    std::mutex mutex;
    gais::NetworkMemory<float> floats;
    gais::NetworkMemory<double> doubles;

    template <class Value>
    gais::NetworkMemory<Value>& of() {
        if constexpr (std::is_same_v<Value, float>) {
            return floats;
        } else {
            return doubles;
        }
    }
};

template <class Value>
py::tuple network_gradient(const AttentionGraph& nodes, const Array<Value>& features,
                           const Array<std::int32_t>& labels, const Array<Value>& node_weights,
                           const Array<Value>& weights, std::int64_t heads, std::int64_t hidden,
                           std::int64_t classes, double edge_dropout, double hidden_dropout,
                           std::uint64_t seed, unsigned threads, HeldMemory* held) {
    const NetworkShape shape = shape_of(nodes, features, weights, heads, hidden, classes, threads);
    require(labels.ndim() == 1 && labels.size() == nodes.size() && node_weights.ndim() == 1 &&
                node_weights.size() == nodes.size(),
            "labels and node_weights must have one entry per node");
    require(std::all_of(labels.data(), labels.data() + labels.size(),
                        [&](std::int32_t label) { return label >= 0 && label < classes; }),
            "a label is out of range");
    require(edge_dropout >= 0 && edge_dropout < 1 && hidden_dropout >= 0 && hidden_dropout < 1,
            "dropout must be at least 0 and below 1");
    std::vector<Value> gradient(static_cast<std::size_t>(shape.weights()));
    double loss = 0;
    {
        const py::gil_scoped_release release;
        HeldMemory own;
        HeldMemory& used = held == nullptr ? own : *held;
        const std::lock_guard lock(used.mutex);
        loss = gais::network_gradient(nodes, features.data(), labels.data(), node_weights.data(),
                                      shape, weights.data(), {edge_dropout, hidden_dropout, seed},
                                      used.of<Value>(), gradient.data(), threads);
    }
    return py::make_tuple(loss, to_numpy(std::move(gradient)));
}

template <class Value>
void bind_network(py::module_& module) {
    module.def("run_network", &run_network<Value>, py::arg("graph"),
               py::arg("features").noconvert(), py::arg("weights").noconvert(), py::kw_only(),
               py::arg("heads"), py::arg("hidden"), py::arg("classes"), py::arg("threads") = 1);
    module.def("node_logits", &node_logits<Value>, py::arg("graph"), py::arg("nodes").noconvert(),
               py::arg("features").noconvert(), py::arg("weights").noconvert(), py::kw_only(),
               py::arg("heads"), py::arg("hidden"), py::arg("classes"), py::arg("threads") = 1);
    module.def("network_gradient", &network_gradient<Value>, py::arg("graph"),
               py::arg("features").noconvert(), py::arg("labels").noconvert(),
               py::arg("node_weights").noconvert(), py::arg("weights").noconvert(), py::kw_only(),
               py::arg("heads"), py::arg("hidden"), py::arg("classes"),
               py::arg("edge_dropout") = 0.0, py::arg("hidden_dropout") = 0.0, py::arg("seed") = 0,
               py::arg("threads") = 1, py::arg("memory") = nullptr);
}

}  // namespace

void bind_attention(py::module_& module) {
    py::class_<AttentionGraph>(module, "AttentionGraph")
        .def(py::init(&attention_graph), py::arg("offsets").noconvert(),
             py::arg("neighbours").noconvert())
        .def_property_readonly("size", &AttentionGraph::size)
        .def_property_readonly("edges", &AttentionGraph::edges);
    py::class_<HeldMemory>(module, "NetworkMemory").def(py::init<>());
    module.def("both_ways", &both_ways, py::arg("offsets").noconvert(),
               py::arg("neighbours").noconvert(),
               "Returns (offsets, neighbours) with every edge both ways, and a loop at each row.");
    bind_network<float>(module);
    bind_network<double>(module);
}

}  // namespace dsir::bindings
