#include "hashing/content_hash.hpp"

#include "parallel/for_ranges.hpp"

namespace dsir::hashing {

void content_hashes(const arrow::TextColumn& texts, unsigned threads, std::uint64_t* out) {
    parallel::for_ranges(texts.size(), threads,
                         [&](unsigned, std::int64_t begin, std::int64_t end) {
                             for (std::int64_t row = begin; row < end; ++row) {
                                 out[row] = content_hash(texts[row].value_or(std::string_view{}));
                             }
                         });
}

}  // namespace dsir::hashing
