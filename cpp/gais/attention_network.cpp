#include "gais/attention_network.hpp"

#include <algorithm>

#include "gais/dense_products.hpp"
#include "gais/edge_attention.hpp"
#include "gais/node_runs.hpp"
#include "numeric/portable_exp.hpp"
#include "numeric/portable_log.hpp"
#include "parallel/for_ranges.hpp"
#include "simd/dense_kernels.hpp"

namespace dsir::gais {
namespace {

// Separate the random masks of the second layer and of the hidden units from those of the first
// layer.
constexpr std::uint64_t kSecondLayer = 0x5EC04D;
constexpr std::uint64_t kHiddenUnits = 0x41DDE4;

/// The places of each parameter in the row of weights, or in that of the gradients.
template <class Value>
struct Weights {
    Value* first;
    Value* first_source;
    Value* first_target;
    Value* first_bias;
    Value* second;
    Value* second_source;
    Value* second_target;
    Value* second_bias;

    Weights(const NetworkShape& shape, Value* at) {
        const auto take = [&at](std::int64_t size) {
            Value* const here = at;
            at += size;
            return here;
        };
        first = take(shape.features * shape.joined());
        first_source = take(shape.joined());
        first_target = take(shape.joined());
        first_bias = take(shape.joined());
        second = take(shape.joined() * shape.logits());
        second_source = take(shape.logits());
        second_target = take(shape.logits());
        second_bias = take(shape.classes);
    }
};

template <class Value>
simd::UnitLayer<Value> hidden_units(const NetworkShape& shape, const Value* bias,
                                    const Dropout& dropout, NetworkPass<Value>& pass) {
    return {shape.joined(), bias, dropout.hidden, dropout.seed ^ kHiddenUnits, pass.kept.data()};
}

/// The nodes whose outputs are asked for, and those that these attend to.
struct Asked {
    NodeRuns logits;
    NodeRuns hidden;

    explicit Asked(const AttentionGraph& graph) : logits{{0, graph.size()}}, hidden(logits) {}
    Asked(const AttentionGraph& graph, const std::int32_t* nodes, std::int64_t count) {
        std::vector<std::uint8_t> marks(static_cast<std::size_t>(graph.size()), 0);
        for (std::int64_t k = 0; k < count; ++k) marks[nodes[k]] = 1;
        logits = marked_runs(marks);
        for (const NodeRun& run : logits) {
            for (std::int64_t e = graph.offsets[run.begin]; e < graph.offsets[run.end]; ++e) {
                marks[graph.neighbours[e]] = 1;
            }
        }
        hidden = marked_runs(marks);
    }
};

template <class Value>
void run(const AttentionGraph& graph, const Asked& asked, const Value* features,
         const NetworkShape& shape, const Value* weights, const Dropout& dropout,
         NetworkPass<Value>& pass, unsigned threads) {
    const Weights<const Value> w(shape, weights);
    const std::int64_t size = graph.size();
    const std::int64_t joined = shape.joined();
    const auto allocate = [size](std::vector<Value>& values, std::int64_t columns) {
        values.resize(static_cast<std::size_t>(size * columns));
    };
    allocate(pass.first_z, joined);
    allocate(pass.hidden, joined);
    multiply(features, w.first, pass.first_z.data(), size, shape.features, joined, threads);
    const NodeRuns everything{{0, size}};
    attend(graph, everything, asked.hidden, pass.first_z.data(), w.first_source, w.first_target,
           shape.heads, shape.hidden, {dropout.edges, dropout.seed}, pass.first, pass.hidden.data(),
           threads);
    pass.kept.resize(dropout.hidden > 0 ? pass.hidden.size() : 0);
    allocate(pass.second_z, shape.logits());
    const auto units = hidden_units(shape, w.first_bias, dropout, pass);
    const auto& kernels = simd::dense_kernels<Value>();
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for_runs(asked.hidden, begin, end, [&](std::int64_t first, std::int64_t last) {
            kernels.activate(units, pass.hidden.data(), first, last);
            kernels.multiply(pass.hidden.data(), w.second, pass.second_z.data(), joined,
                             shape.logits(), first, last);
        });
    });
    allocate(pass.heads, shape.logits());
    attend(graph, asked.hidden, asked.logits, pass.second_z.data(), w.second_source,
           w.second_target, shape.heads, shape.classes,
           {dropout.edges, dropout.seed ^ kSecondLayer}, pass.second, pass.heads.data(), threads);
    allocate(pass.logits, shape.classes);
    const Value share = Value{1} / static_cast<Value>(shape.heads);
    for_runs(asked.logits, 0, size, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            for (std::int64_t c = 0; c < shape.classes; ++c) {
                Value sum = 0;
                for (std::int64_t h = 0; h < shape.heads; ++h) {
                    sum += pass.heads[i * shape.logits() + h * shape.classes + c];
                }
                pass.logits[i * shape.classes + c] = sum * share + w.second_bias[c];
            }
        }
    });
}

/// Returns the loss, and turns `logits` into their gradient.
template <class Value>
double cross_entropy(const std::int32_t* labels, const Value* node_weights, std::int64_t size,
                     std::int64_t classes, Value* logits) {
    double loss = 0;
    std::vector<double> shares(static_cast<std::size_t>(classes));
    for (std::int64_t i = 0; i < size; ++i) {
        Value* const row = logits + i * classes;
        const auto weight = static_cast<double>(node_weights[i]);
        if (weight == 0) {
            std::fill(row, row + classes, Value{0});
            continue;
        }
        const auto peak = static_cast<double>(*std::max_element(row, row + classes));
        double total = 0;
        for (std::int64_t c = 0; c < classes; ++c) {
            shares[c] = numeric::portable_exp(static_cast<double>(row[c]) - peak);
            total += shares[c];
        }
        loss +=
            weight * (numeric::portable_log(total) + peak - static_cast<double>(row[labels[i]]));
        for (std::int64_t c = 0; c < classes; ++c) {
            const double own = c == labels[i] ? 1.0 : 0.0;
            row[c] = static_cast<Value>(weight * (shares[c] / total - own));
        }
    }
    return loss;
}

/// Sums the columns, in the order of the rows.
template <class Value>
void column_sums(const Value* values, std::int64_t rows, std::int64_t columns, Value* out) {
    std::fill(out, out + columns, Value{0});
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t c = 0; c < columns; ++c) out[c] += values[i * columns + c];
    }
}

template <class Value>
std::vector<Value> transposed(const Value* values, std::int64_t rows, std::int64_t columns) {
    std::vector<Value> out(static_cast<std::size_t>(rows * columns));
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t c = 0; c < columns; ++c) out[c * rows + i] = values[i * columns + c];
    }
    return out;
}

}  // namespace

template <class Value>
NetworkOutput<Value> run_network(const AttentionGraph& graph, const Value* features,
                                 const NetworkShape& shape, const Value* weights,
                                 unsigned threads) {
    NetworkPass<Value> pass;
    run(graph, Asked(graph), features, shape, weights, {}, pass, threads);
    return {std::move(pass.hidden), std::move(pass.logits), std::move(pass.first.attention),
            std::move(pass.second.attention)};
}

template <class Value>
std::vector<Value> node_logits(const AttentionGraph& graph, const std::int32_t* nodes,
                               std::int64_t count, const Value* features, const NetworkShape& shape,
                               const Value* weights, unsigned threads) {
    NetworkPass<Value> pass;
    run(graph, Asked(graph, nodes, count), features, shape, weights, {}, pass, threads);
    std::vector<Value> logits;
    logits.reserve(static_cast<std::size_t>(count * shape.classes));
    for (std::int64_t k = 0; k < count; ++k) {
        const auto own = pass.logits.begin() + nodes[k] * shape.classes;
        logits.insert(logits.end(), own, own + shape.classes);
    }
    return logits;
}

template <class Value>
double network_gradient(const AttentionGraph& graph, const Value* features,
                        const std::int32_t* labels, const Value* node_weights,
                        const NetworkShape& shape, const Value* weights, const Dropout& dropout,
                        NetworkMemory<Value>& memory, Value* gradient, unsigned threads) {
    NetworkPass<Value>& pass = memory.pass;
    run(graph, Asked(graph), features, shape, weights, dropout, pass, threads);
    const Weights<const Value> w(shape, weights);
    const Weights<Value> g(shape, gradient);
    const std::int64_t size = graph.size();
    const std::int64_t joined = shape.joined();
    const std::int64_t wide = shape.logits();
    const double loss =
        cross_entropy(labels, node_weights, size, shape.classes, pass.logits.data());
    column_sums(pass.logits.data(), size, shape.classes, g.second_bias);
    // Every head has the same share in a logit.
    std::vector<Value>& of_heads = memory.of_heads;
    std::vector<Value>& of_z = memory.of_z;
    std::vector<Value>& of_hidden = memory.of_hidden;
    of_heads.resize(static_cast<std::size_t>(size * wide));
    // Holds the gradients of both layers, one after the other.
    of_z.resize(static_cast<std::size_t>(size * std::max(wide, joined)));
    of_hidden.resize(static_cast<std::size_t>(size * joined));
    const Value share = Value{1} / static_cast<Value>(shape.heads);
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t k = 0; k < wide; ++k) {
            of_heads[i * wide + k] = share * pass.logits[i * shape.classes + k % shape.classes];
        }
    }
    attend_backward(graph, pass.second_z.data(), w.second_source, w.second_target, shape.heads,
                    shape.classes, pass.second, memory.edges, of_heads.data(), of_z.data(),
                    g.second_source, g.second_target, threads);
    multiply_transposed(pass.hidden.data(), of_z.data(), g.second, size, joined, wide, threads);
    const std::vector<Value> turned = transposed(w.second, joined, wide);
    multiply(of_z.data(), turned.data(), of_hidden.data(), size, wide, joined, threads);
    const auto units = hidden_units(shape, w.first_bias, dropout, pass);
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        simd::dense_kernels<Value>().activate_backward(units, pass.hidden.data(), of_hidden.data(),
                                                       begin, end);
    });
    column_sums(of_hidden.data(), size, joined, g.first_bias);
    attend_backward(graph, pass.first_z.data(), w.first_source, w.first_target, shape.heads,
                    shape.hidden, pass.first, memory.edges, of_hidden.data(), of_z.data(),
                    g.first_source, g.first_target, threads);
    multiply_transposed(features, of_z.data(), g.first, size, shape.features, joined, threads);
    return loss;
}

template NetworkOutput<float> run_network(const AttentionGraph&, const float*, const NetworkShape&,
                                          const float*, unsigned);
template NetworkOutput<double> run_network(const AttentionGraph&, const double*,
                                           const NetworkShape&, const double*, unsigned);
template std::vector<float> node_logits(const AttentionGraph&, const std::int32_t*, std::int64_t,
                                        const float*, const NetworkShape&, const float*, unsigned);
template std::vector<double> node_logits(const AttentionGraph&, const std::int32_t*, std::int64_t,
                                         const double*, const NetworkShape&, const double*,
                                         unsigned);
template double network_gradient(const AttentionGraph&, const float*, const std::int32_t*,
                                 const float*, const NetworkShape&, const float*, const Dropout&,
                                 NetworkMemory<float>&, float*, unsigned);
template double network_gradient(const AttentionGraph&, const double*, const std::int32_t*,
                                 const double*, const NetworkShape&, const double*, const Dropout&,
                                 NetworkMemory<double>&, double*, unsigned);

}  // namespace dsir::gais
