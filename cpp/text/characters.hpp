#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/cut_tokens.hpp"
#include "text/text_block.hpp"
#include "unicode/segment_tables.hpp"

namespace dsir::text {

/// Cuts into code points, without white space.
class CodePointCut {
  public:
    /// The text must outlive this object.
    explicit CodePointCut(std::string_view text);

    void take(Places& places);
    bool done() const { return at_ == end_; }

  private:
    const std::uint8_t* begin_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    const simd::CutKernels& kernels_;
};

/// Cuts into extended grapheme clusters (Unicode Standard Annex 29, section 3.1). White space is
/// left out, and what is between white space is cut by itself.
class GraphemeCut {
  public:
    /// The text must outlive this object.
    explicit GraphemeCut(std::string_view text);

    void take(Places& places);
    bool done() const { return at_ == end_; }

  private:
    bool joined(const unicode::SegmentProperties& next) const;
    void see(const unicode::SegmentProperties& next);

    const std::uint8_t* begin_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    const simd::CutKernels& kernels_;
    bool open_ = false;  ///< whether the last byte belongs to a cluster
    // Of the last character of the open cluster:
    unicode::GraphemeBreak last_ = unicode::GraphemeBreak::other;
    bool pictograph_ = false;     ///< it is pictographic, or extends one, with a joiner as the last
    bool odd_regionals_ = false;  ///< an odd number of regional indicators ends with it
};

/// tokenizer="codepoints" and tokenizer="chars".
using CodePoints = CutTokens<CodePointCut>;
using CodePointSpans = CutSpans<CodePointCut>;
using Graphemes = CutTokens<GraphemeCut>;
using GraphemeSpans = CutSpans<GraphemeCut>;

}  // namespace dsir::text
