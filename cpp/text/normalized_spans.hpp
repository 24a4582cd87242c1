#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/normalizer.hpp"
#include "text/token_spans.hpp"

namespace dsir::text {

/// Finds where the tokens of a document in a normal form lie in the document as it is. Used like
/// WordPunctSpans.
///
/// A piece that the form changes is never cut: it belongs to the first token that has a part of it.
/// A token all of whose parts belong to others has no span. All other tokens have one span each.
///
/// Memory: the spans of the whole document. Only documents that change need this class.
template <class OwnSpans>
class NormalizedSpans {
  public:
    /// Starts on a document in its form, with what has changed in it. `buffer` must outlive this
    /// object.
    NormalizedSpans(std::string_view composed, const std::vector<Normalizer::Change>& changes,
                    SpanBuffer& buffer)
        : buffer_(buffer) {
        OwnSpans spans(composed, buffer);
        while (spans.next()) {
            starts_.insert(starts_.end(), buffer.starts.begin(),
                           buffer.starts.begin() + static_cast<std::ptrdiff_t>(buffer.starts_size));
            ends_.insert(ends_.end(), buffer.ends.begin(),
                         buffer.ends.begin() + static_cast<std::ptrdiff_t>(buffer.ends_size));
        }
        valid_ = spans.valid();
        if (!valid_) ends_.clear();
        starts_.resize(ends_.size());
        to_document(changes, starts_, &Normalizer::Change::begin);
        to_document(changes, ends_, &Normalizer::Change::end);
        std::size_t kept = 0;
        std::uint32_t before = 0;  // the end of the span before
        for (std::size_t k = 0; k < ends_.size(); ++k) {
            const std::uint32_t start = std::max(starts_[k], before);
            before = ends_[k];
            if (start == before) continue;
            starts_[kept] = start;
            ends_[kept++] = before;
        }
        starts_.resize(kept);
        ends_.resize(kept);
    }

    /// Fills the buffer with the next spans. Returns false when there are none left.
    bool next() {
        const std::size_t size = std::min(kStretchTokens, ends_.size() - at_);
        std::copy_n(starts_.begin() + static_cast<std::ptrdiff_t>(at_), size,
                    buffer_.starts.begin());
        std::copy_n(ends_.begin() + static_cast<std::ptrdiff_t>(at_), size, buffer_.ends.begin());
        buffer_.starts_size = buffer_.ends_size = size;
        at_ += size;
        return size != 0;
    }

    /// Whether the document is UTF-8.
    bool valid() const { return valid_; }

  private:
    /// Turns ascending places in the composed text into places in the document. A place inside a
    /// piece becomes the side `inside` of the piece.
    static void to_document(const std::vector<Normalizer::Change>& changes,
                            std::vector<std::uint32_t>& places,
                            std::uint32_t Normalizer::Change::* inside) {
        auto next = changes.begin();  // the first piece that ends after the place
        std::uint32_t composed =
            0;  // a place behind the piece before, and the same in the document
        std::uint32_t original = 0;
        for (std::uint32_t& place : places) {
            while (next != changes.end() && next->new_end <= place) {
                composed = next->new_end;
                original = next->end;
                ++next;
            }
            const bool is_inside = next != changes.end() && next->new_begin < place;
            place = is_inside ? (*next).*inside : original + (place - composed);
        }
    }

    SpanBuffer& buffer_;
    std::vector<std::uint32_t> starts_;
    std::vector<std::uint32_t> ends_;
    std::size_t at_ = 0;
    bool valid_ = true;
};

}  // namespace dsir::text
