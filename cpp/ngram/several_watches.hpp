#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "ngram/token_watch.hpp"

namespace dsir::ngram {

/// Shows the same tokens to several watches, one after the other.
class SeveralWatches final : public TokenWatches {
  public:
    /// All of `watches` must outlive this.
    explicit SeveralWatches(std::vector<const TokenWatches*> watches)
        : watches_(std::move(watches)) {}

    /// Returns null if there are none, which costs a pass nothing; a single one is itself.
    std::unique_ptr<TokenWatch> make() const override {
        if (watches_.empty()) return nullptr;
        if (watches_.size() == 1) return watches_[0]->make();
        auto all = std::make_unique<All>();
        for (const TokenWatches* const one : watches_) all->watches.push_back(one->make());
        return all;
    }

  private:
    struct All final : TokenWatch {
        void start_document() override {
            for (const auto& one : watches) one->start_document();
        }
        void take(std::span<const std::uint64_t> hashes) override {
            for (const auto& one : watches) one->take(hashes);
        }
        void finish(std::int64_t row) override {
            for (const auto& one : watches) one->finish(row);
        }

        std::vector<std::unique_ptr<TokenWatch>> watches;
    };

    std::vector<const TokenWatches*> watches_;
};

}  // namespace dsir::ngram
