#include "lexrank/term_counter.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <numeric>
#include <utility>

#include "hashing/fast_hash.hpp"
#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"
#include "text/wordpunct.hpp"
#include "unicode/utf8.hpp"

namespace dsir::lexrank {
namespace {

constexpr std::int64_t kRowsABlock = 8192;
constexpr std::int64_t kBytesABlock = 4 << 20;

bool is_word(std::string_view token) {
    const auto* const at = reinterpret_cast<const std::uint8_t*>(token.data());
    const auto decoded = unicode::decode_utf8(at, at + token.size());
    return unicode::properties_of(decoded.code_point).kind == static_cast<int>(unicode::Kind::word);
}

}  // namespace

/// The units of one block. One thread counts them, with term numbers of its own.
struct TermCounter::Block {
    Block(const TermCounter& settings) : counter(settings) {}

    /// Adds a token to the open row.
    void add(std::string_view token, std::uint64_t hash, bool check_word) {
        const std::uint32_t id = terms.add(token, hash);
        if (id == last_row.size()) {
            last_row.push_back(-1);
            place.push_back(0);
            documents.push_back(0);
            dropped.push_back(counter.stopwords_.find(token, hash).has_value() ||
                              (check_word && !is_word(token)));
        }
        if (dropped[id]) return;
        if (last_row[id] == row) {
            chunk.counts[place[id]] += 1;
            return;
        }
        last_row[id] = row;
        place[id] = static_cast<std::uint32_t>(chunk.terms.size());
        ++documents[id];
        chunk.terms.push_back(id);
        chunk.counts.push_back(1);
    }

    void end_row() {
        const std::size_t size = chunk.terms.size() - row_start;
        chunk.row_sizes.push_back(static_cast<std::uint32_t>(size));
        documents_with_terms += size != 0;
        if (!counter.keep_rows_) {
            chunk.terms.clear();
            chunk.counts.clear();
        }
        row_start = chunk.terms.size();
        ++row;
    }

    /// Removes what the open row has added.
    void drop_row() {
        for (std::size_t k = row_start; k < chunk.terms.size(); ++k) {
            last_row[chunk.terms[k]] = -1;
            --documents[chunk.terms[k]];
        }
        chunk.terms.resize(row_start);
        chunk.counts.resize(row_start);
    }

    const TermCounter& counter;
    Vocabulary terms;
    std::vector<std::int64_t> last_row;  ///< per term: the last row that has it
    std::vector<std::uint32_t> place;    ///< the term's place in that row
    std::vector<std::uint32_t> documents;
    std::vector<char> dropped;
    Chunk chunk;
    std::int64_t row = 0;
    std::size_t row_start = 0;
    std::int64_t documents_with_terms = 0;
    std::vector<std::int64_t> invalid;
};

TermCounter::TermCounter(bool words_only, const std::vector<std::string>& stopwords, bool keep_rows)
    : words_only_(words_only), keep_rows_(keep_rows) {
    for (const auto& word : stopwords) {
        if (!word.empty()) stopwords_.add(word, Vocabulary::hash_of(word));
    }
}

template <class Fill>
std::vector<std::int64_t> TermCounter::add_blocks(std::int64_t rows, std::int64_t rows_a_block,
                                                  unsigned threads, const Fill& fill) {
    std::vector<std::int64_t> invalid;
    const std::int64_t blocks = (rows + rows_a_block - 1) / rows_a_block;
    const std::int64_t wave = std::int64_t{threads} * 4;
    for (std::int64_t first = 0; first < blocks; first += wave) {
        const std::int64_t count = std::min(wave, blocks - first);
        std::vector<std::unique_ptr<Block>> counted(static_cast<std::size_t>(count));
        parallel::for_ranges(count, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
            for (std::int64_t b = begin; b < end; ++b) {
                auto block = std::make_unique<Block>(*this);
                const std::int64_t from = (first + b) * rows_a_block;
                fill(*block, from, std::min(rows, from + rows_a_block));
                counted[static_cast<std::size_t>(b)] = std::move(block);
            }
        });
        // Blocks are absorbed in the order of the rows, because terms are numbered by their first
        // occurrence.
        for (auto& block : counted) {
            invalid.insert(invalid.end(), block->invalid.begin(), block->invalid.end());
            absorb(*block);
            block.reset();
        }
    }
    return invalid;
}

std::vector<std::int64_t> TermCounter::add(const arrow::TextColumn& column, unsigned threads) {
    const std::int64_t rows = column.size();
    const std::int64_t mean =
        std::max<std::int64_t>(1, column.text_bytes() / std::max<std::int64_t>(1, rows));
    const std::int64_t rows_a_block = std::clamp<std::int64_t>(kBytesABlock / mean, 1, kRowsABlock);
    const auto fill = [&](Block& block, std::int64_t begin, std::int64_t end) {
        text::TokenBuffer buffer;
        for (std::int64_t row = begin; row < end; ++row) {
            const auto document = column[row];
            bool valid = true;
            if (document && document->size() > text::kLargestDocument) {
                valid = false;
            } else if (document) {
                buffer.clear();
                text::WordPunct tokenizer(*document, buffer);
                while (tokenizer.next()) {
                    for (std::size_t k = 0; k < buffer.size(); ++k) {
                        const std::string_view token = buffer[k];
                        block.add(
                            token,
                            hashing::token_hash(reinterpret_cast<const std::uint8_t*>(token.data()),
                                                token.size()),
                            words_only_);
                    }
                }
                valid = tokenizer.valid();
            }
            if (!valid) {
                block.drop_row();
                block.invalid.push_back(row);
            }
            block.end_row();
        }
    };
    return add_blocks(rows, rows_a_block, threads, fill);
}

void TermCounter::add_tokens(const arrow::TextColumn& tokens,
                             const std::vector<std::int64_t>& offsets, unsigned threads) {
    const auto fill = [&](Block& block, std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            for (std::int64_t k = offsets[row]; k < offsets[row + 1]; ++k) {
                const auto token = tokens[k];
                if (token && !token->empty()) block.add(*token, Vocabulary::hash_of(*token), false);
            }
            block.end_row();
        }
    };
    add_blocks(static_cast<std::int64_t>(offsets.size()) - 1, kRowsABlock, threads, fill);
}

void TermCounter::absorb(Block& block) {
    std::vector<std::uint32_t> number(block.terms.size());
    for (std::size_t id = 0; id < block.terms.size(); ++id) {
        // A term that only rows with bad bytes had does not exist.
        if (block.documents[id] == 0) continue;
        number[id] = terms_.add(block.terms[id], block.terms.hash(id));
        if (number[id] == term_documents_.size()) term_documents_.push_back(0);
        term_documents_[number[id]] += block.documents[id];
    }
    for (auto& term : block.chunk.terms) term = number[term];
    units_ += static_cast<std::int64_t>(block.chunk.row_sizes.size());
    documents_ += block.documents_with_terms;
    if (!keep_rows_) return;
    block.chunk.terms.shrink_to_fit();
    block.chunk.counts.shrink_to_fit();
    chunks_.push_back(std::move(block.chunk));
}

void TermCounter::merge(const TermCounter& other) {
    for (std::size_t id = 0; id < other.terms_.size(); ++id) {
        add_term(other.terms_[id], other.term_documents_[id]);
    }
    units_ += other.units_;
    documents_ += other.documents_;
}

void TermCounter::add_term(std::string_view term, std::int64_t documents) {
    const std::uint32_t id = terms_.add(term, Vocabulary::hash_of(term));
    if (id == term_documents_.size()) term_documents_.push_back(0);
    term_documents_[id] += documents;
}

std::vector<std::uint32_t> TermCounter::by_frequency() const {
    // Not by first occurrence: sums over terms must not depend on the order of the units. Most
    // terms are in few units, so the order is mostly that of the hashes. These are spread evenly:
    // when every few of them have a bucket, hardly anything is left to sort.
    struct Key {
        std::uint64_t hash;
        std::uint32_t term;
    };
    constexpr std::int64_t kFrequent = 64;  // Terms in so many units or more share a bucket.
    std::array<std::size_t, kFrequent + 1> terms_with{};
    const auto kind_of = [&](std::size_t id) {
        return static_cast<std::size_t>(std::min(term_documents_[id], kFrequent));
    };
    for (std::size_t id = 0; id < terms_.size(); ++id) ++terms_with[kind_of(id)];
    std::array<std::size_t, kFrequent + 1> first_bucket{};
    std::array<int, kFrequent + 1> bits{};
    std::size_t buckets = 1;
    for (std::size_t kind = kFrequent; kind-- > 0;) {
        bits[kind] = static_cast<int>(std::bit_width(terms_with[kind] / 8));
        first_bucket[kind] = buckets;
        buckets += std::size_t{1} << bits[kind];
    }
    const auto bucket_of = [&](std::size_t id) {
        const std::size_t kind = kind_of(id);
        if (bits[kind] == 0) return first_bucket[kind];
        return first_bucket[kind] + static_cast<std::size_t>(terms_.hash(id) >> (64 - bits[kind]));
    };
    std::vector<std::size_t> ends(buckets + 1);
    for (std::size_t id = 0; id < terms_.size(); ++id) ++ends[bucket_of(id) + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<Key> keys(terms_.size());
    for (std::size_t id = 0; id < terms_.size(); ++id) {
        keys[ends[bucket_of(id)]++] = {terms_.hash(id), static_cast<std::uint32_t>(id)};
    }
    const auto by_hash = [&](const Key& a, const Key& b) {
        return a.hash != b.hash ? a.hash < b.hash : terms_[a.term] < terms_[b.term];
    };
    const auto from = [&](std::size_t k) { return keys.begin() + static_cast<std::ptrdiff_t>(k); };
    std::sort(keys.begin(), from(ends[0]), [&](const Key& a, const Key& b) {
        const std::int64_t one = term_documents_[a.term];
        const std::int64_t other = term_documents_[b.term];
        return one != other ? one > other : by_hash(a, b);
    });
    for (std::size_t bucket = 1; bucket < buckets; ++bucket) {
        std::sort(from(ends[bucket - 1]), from(ends[bucket]), by_hash);
    }
    std::vector<std::uint32_t> order(keys.size());
    for (std::size_t k = 0; k < keys.size(); ++k) order[k] = keys[k].term;
    return order;
}

TermCounts TermCounter::take(unsigned threads) {
    const std::vector<std::uint32_t> order = by_frequency();
    std::vector<std::uint32_t> rank(order.size());
    TermCounts result;
    result.document_counts.resize(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
        rank[order[k]] = static_cast<std::uint32_t>(k);
        result.document_counts[k] = term_documents_[order[k]];
    }
    result.offsets.reserve(static_cast<std::size_t>(units_) + 1);
    result.offsets.push_back(0);
    std::vector<std::int64_t> first_rows;
    for (const auto& chunk : chunks_) {
        first_rows.push_back(static_cast<std::int64_t>(result.offsets.size()) - 1);
        for (const std::uint32_t size : chunk.row_sizes) {
            result.offsets.push_back(result.offsets.back() + size);
        }
    }
    const auto entries = static_cast<std::size_t>(result.offsets.back());
    result.columns.resize(entries);
    result.counts.resize(entries);
    const auto place = [&](unsigned, std::int64_t begin, std::int64_t end) {
        // Column and count in one number: the columns of a row differ, so counts decide nothing.
        std::vector<std::uint64_t> row;
        for (std::int64_t c = begin; c < end; ++c) {
            Chunk chunk = std::move(chunks_[c]);
            std::size_t from = 0;
            auto to = static_cast<std::size_t>(result.offsets[first_rows[c]]);
            for (const std::uint32_t size : chunk.row_sizes) {
                row.clear();
                for (std::size_t k = from; k < from + size; ++k) {
                    row.push_back((static_cast<std::uint64_t>(rank[chunk.terms[k]]) << 32) |
                                  std::bit_cast<std::uint32_t>(chunk.counts[k]));
                }
                std::sort(row.begin(), row.end());
                for (const std::uint64_t entry : row) {
                    result.columns[to] = static_cast<std::int32_t>(entry >> 32);
                    result.counts[to++] = std::bit_cast<float>(static_cast<std::uint32_t>(entry));
                }
                from += size;
            }
        }
    };
    parallel::for_ranges(static_cast<std::int64_t>(chunks_.size()), threads, place);
    chunks_.clear();
    return result;
}

std::vector<std::int64_t> TermCounter::document_counts_in(const TermCounter& fitted) const {
    std::vector<std::int64_t> counts;
    for (const std::uint32_t id : by_frequency()) {
        const auto found = fitted.terms_.find(terms_[id], terms_.hash(id));
        counts.push_back(found ? fitted.term_documents_[*found] : 0);
    }
    return counts;
}

}  // namespace dsir::lexrank
