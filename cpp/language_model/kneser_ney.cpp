#include "language_model/kneser_ney.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "numeric/portable_log.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::language_model {
namespace {

constexpr std::uint32_t kBegin = 0;  // what stands before the first token
constexpr std::uint32_t kUnknown = TokenNumbers::kUnknown;

std::uint64_t pair_of(std::uint32_t second, std::uint32_t third) {
    return std::uint64_t{second} << 32 | third;
}

// How many n-grams have been seen once, and twice.
struct Rare {
    std::int64_t once = 0;
    std::int64_t twice = 0;

    void add(std::uint32_t count) {
        once += count == 1;
        twice += count == 2;
    }

    double discount() const {
        if (once == 0 || twice == 0) return 0.5;
        return static_cast<double>(once) / static_cast<double>(once + 2 * twice);
    }
};

double interpolated(double found, double total, double types, double discount, double lower) {
    if (total == 0) return lower;
    return (std::max(found - discount, 0.0) + discount * types * lower) / total;
}

// Turns how many entries each number has, kept one place further on, into where they begin.
void add_up(std::vector<std::uint32_t>& offsets) {
    for (std::size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
}

// Calls take(first, second, third) for every token of the documents and the two before it.
template <class Take>
void visit_trigrams(const Documents& documents, const TokenNumbers& numbers, Take&& take) {
    for (std::int64_t i = 0; i < documents.size(); ++i) {
        std::uint32_t first = kBegin;
        std::uint32_t second = kBegin;
        for (const std::uint32_t token : documents[i]) {
            const std::uint32_t third = numbers[token];
            take(first, second, third);
            first = second;
            second = third;
        }
    }
}

std::span<const std::uint32_t> tokens_of(const Documents& documents) {
    const auto begin = static_cast<std::size_t>(documents.offsets.front());
    return documents.tokens.subspan(begin,
                                    static_cast<std::size_t>(documents.offsets.back()) - begin);
}

}  // namespace

template <class Key>
void KneserNey::Table<Key>::count(unsigned threads) {
    const std::size_t tokens = offsets.size() - 1;
    std::vector<std::uint32_t> counts(keys.size());
    std::vector<std::uint32_t> different(tokens);
    const auto count_token = [&](std::size_t token) {
        const auto begin = keys.begin() + offsets[token];
        const auto end = keys.begin() + offsets[token + 1];
        std::sort(begin, end);
        std::uint32_t at = offsets[token];
        for (auto key = begin; key != end;) {
            const auto next = std::upper_bound(key, end, *key);
            keys[at] = *key;
            counts[at++] = static_cast<std::uint32_t>(next - key);
            key = next;
        }
        different[token] = at - offsets[token];
    };
    parallel::for_ranges(static_cast<std::int64_t>(tokens), threads,
                         [&](unsigned, std::int64_t begin, std::int64_t end) {
                             for (std::int64_t token = begin; token < end; ++token) {
                                 count_token(static_cast<std::size_t>(token));
                             }
                         });
    // The keys of each token move up to those of the token before.
    Rare rare;
    std::uint32_t to = 0;
    std::uint32_t sum = 0;
    for (std::size_t token = 0; token < tokens; ++token) {
        const std::uint32_t from = std::exchange(offsets[token], to);
        for (std::uint32_t i = from; i < from + different[token]; ++i) {
            const std::uint32_t found = counts[i];
            rare.add(found);
            keys[to] = keys[i];
            counts[to++] = sum;
            sum += found;
        }
    }
    offsets[tokens] = to;
    keys.resize(to);
    keys.shrink_to_fit();
    counts.resize(to);
    counts.push_back(sum);
    counts.shrink_to_fit();
    before = std::move(counts);
    discount = rare.discount();
}

KneserNey::KneserNey(const Documents& documents, double vocabulary, unsigned threads)
    : numbers_(tokens_of(documents)), vocabulary_(vocabulary) {
    count_trigrams(documents, threads);
    count_bigrams(threads);
    count_tokens();
}

void KneserNey::count_trigrams(const Documents& documents, unsigned threads) {
    Table<std::uint64_t>& table = trigrams_of_;
    const std::size_t size = std::size_t{numbers_.size()} + 1;  // all tokens, and the beginning
    table.offsets.assign(size + 1, 0);
    visit_trigrams(documents, numbers_, [&](std::uint32_t first, std::uint32_t, std::uint32_t) {
        ++table.offsets[std::size_t{first} + 1];
    });
    add_up(table.offsets);
    table.keys.resize(table.offsets.back());
    std::vector<std::uint32_t> next(table.offsets.begin(), table.offsets.end() - 1);
    visit_trigrams(documents, numbers_,
                   [&](std::uint32_t first, std::uint32_t second, std::uint32_t third) {
                       table.keys[next[first]++] = pair_of(second, third);
                   });
    table.count(threads);
    const std::uint32_t of_begin = table.offsets[1];  // these have a mark in them
    trigrams_ = std::int64_t{table.before.back()} - table.before[of_begin];
    distinct_trigrams_ = std::int64_t{table.offsets.back()} - of_begin;
}

void KneserNey::count_bigrams(unsigned threads) {
    Table<std::uint32_t>& table = bigrams_of_;
    table.offsets.assign(trigrams_of_.offsets.size(), 0);
    for (const std::uint64_t key : trigrams_of_.keys) ++table.offsets[(key >> 32) + 1];
    add_up(table.offsets);
    table.keys.resize(table.offsets.back());
    std::vector<std::uint32_t> next(table.offsets.begin(), table.offsets.end() - 1);
    for (const std::uint64_t key : trigrams_of_.keys) {
        table.keys[next[key >> 32]++] = static_cast<std::uint32_t>(key);
    }
    table.count(threads);
}

void KneserNey::count_tokens() {
    token_counts_.assign(std::size_t{numbers_.size()} + 1, 0);
    for (const std::uint32_t key : bigrams_of_.keys) ++token_counts_[key];
    Rare rare;
    for (const std::uint32_t count : token_counts_) {
        rare.add(count);
        token_types_ += count != 0;
    }
    token_discount_ = rare.discount();
}

KneserNey::Context KneserNey::after_pair(std::uint32_t first, std::uint32_t second,
                                         std::uint32_t third) const {
    if (first == kUnknown || second == kUnknown) return {};
    const Table<std::uint64_t>& table = trigrams_of_;
    const auto keys = table.keys.begin();
    const auto stop = keys + table.offsets[std::size_t{first} + 1];
    const auto begin = std::lower_bound(keys + table.offsets[first], stop, pair_of(second, 0));
    const auto end = std::lower_bound(begin, stop, pair_of(second + 1, 0));
    if (begin == end) return {};
    Context context;
    context.total = table.before[static_cast<std::size_t>(end - keys)] -
                    table.before[static_cast<std::size_t>(begin - keys)];
    context.types = static_cast<double>(end - begin);
    const auto at = std::lower_bound(begin, end, pair_of(second, third));
    if (at != end && *at == pair_of(second, third)) {
        const auto place = static_cast<std::size_t>(at - keys);
        context.found = table.before[place + 1] - table.before[place];
    }
    return context;
}

KneserNey::Context KneserNey::after_token(std::uint32_t second, std::uint32_t third) const {
    if (second == kUnknown) return {};
    const Table<std::uint32_t>& table = bigrams_of_;
    const auto keys = table.keys.begin();
    const std::uint32_t begin = table.offsets[second];
    const std::uint32_t end = table.offsets[std::size_t{second} + 1];
    Context context;
    context.total = table.before[end] - table.before[begin];
    context.types = end - begin;
    const auto at = std::lower_bound(keys + begin, keys + end, third);
    if (at != keys + end && *at == third) {
        const auto place = static_cast<std::size_t>(at - keys);
        context.found = table.before[place + 1] - table.before[place];
    }
    return context;
}

double KneserNey::probability(std::uint32_t first, std::uint32_t second,
                              std::uint32_t third) const {
    const auto total = static_cast<double>(bigrams_of_.keys.size());
    const double found = third == kUnknown ? 0 : token_counts_[third];
    const double equal = 1 / vocabulary_;
    const double lowest = interpolated(found, total, token_types_, token_discount_, equal);
    const Context one = after_token(second, third);
    const double middle =
        interpolated(one.found, one.total, one.types, bigrams_of_.discount, lowest);
    const Context two = after_pair(first, second, third);
    return interpolated(two.found, two.total, two.types, trigrams_of_.discount, middle);
}

void KneserNey::log_probabilities(const Documents& documents, unsigned threads,
                                  double* sums) const {
    const auto sum_of = [&](std::int64_t document) {
        const Documents one{documents.offsets.subspan(static_cast<std::size_t>(document), 2),
                            documents.tokens};
        double sum = 0;
        visit_trigrams(one, numbers_,
                       [&](std::uint32_t first, std::uint32_t second, std::uint32_t third) {
                           sum += numeric::portable_log(probability(first, second, third));
                       });
        return sum;
    };
    parallel::for_ranges(documents.size(), threads,
                         [&](unsigned, std::int64_t begin, std::int64_t end) {
                             for (std::int64_t i = begin; i < end; ++i) sums[i] = sum_of(i);
                         });
}

}  // namespace dsir::language_model
