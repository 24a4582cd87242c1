#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace dsir::ngram {

/// Looks at the tokens of documents while they are turned into n-grams, so that what else needs
/// them costs no second pass. Used by one thread.
class TokenWatch {
  public:
    virtual ~TokenWatch() = default;

    virtual void start_document() = 0;
    /// Gets the hashes (hashing::token_hash) of the next tokens of the document.
    virtual void take(std::span<const std::uint64_t> hashes) = 0;
    /// Ends the document, which is a row of a column. Called only if the document is valid.
    virtual void finish(std::int64_t row) = 0;
};

/// Makes the watch of each thread. The caller owns what the watches write to.
class TokenWatches {
  public:
    virtual ~TokenWatches() = default;
    /// Returns null if the thread need not look.
    virtual std::unique_ptr<TokenWatch> make() const = 0;
};

}  // namespace dsir::ngram
