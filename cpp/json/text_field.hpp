#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "simd/json_strings.hpp"

namespace dsir::json {

/// What the reader found in a line.
enum class LineKind : std::uint8_t {
    text = 0,        ///< an object with a string in its text field
    null = 1,        ///< an object in which the text field, or an object on the way to it, is null
    look_again = 2,  ///< anything else: another reader must say what it is
};

/// The most names that may lead to a text. Above that, every line is for the other reader.
constexpr std::size_t kMostNames = 128;

/// Reads the text field of lines that are JSON objects.
///
/// A line is read to its end by RFC 8259. Only spaces may be around the object, strings must be
/// UTF-8 without control characters, and even the values that are skipped must be valid. Half a
/// surrogate pair is accepted except in the text itself, because Python's json accepts it. If a
/// name on the way to the text occurs twice, the line is for the other reader.
class TextFieldReader {
  public:
    /// `path` holds the names that lead to the text: one or more, in UTF-8.
    TextFieldReader(std::vector<std::string> path, const simd::JsonStringKernels& kernels)
        : path_(std::move(path)), kernels_(kernels) {}

    /// Reads the line from `at` to `end`. If the line has a text, the text is written to `out`, and
    /// `out` is moved past the text. Otherwise `out` keeps its value and the memory there is
    /// undefined. `out` must have room for as many bytes as the line has and kJsonSlack more.
    LineKind read(const std::uint8_t* at, const std::uint8_t* end, std::uint8_t*& out);

  private:
    bool read_object(std::size_t level);
    bool read_member(std::size_t level);
    bool read_name(const std::string& wanted, bool& is_wanted);
    bool copy_string();
    bool unescape();
    bool skip_value();
    bool skip_string();
    bool skip_escape();
    bool skip_name();
    bool skip_number();
    bool skip_literal();
    bool skip_exactly(char wanted);
    void skip_spaces();
    unsigned peek() const { return at_ != end_ ? *at_ : 0U; }

    std::vector<std::string> path_;
    const simd::JsonStringKernels& kernels_;
    const std::uint8_t* at_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    std::uint8_t* out_ = nullptr;
    LineKind found_ = LineKind::null;
    std::vector<std::uint8_t> name_;
    std::vector<bool> in_object_;  // for each open bracket of a skipped value
};

/// Reads the text field of every line of a block.
///
/// The caller gives the block as `data`, and the places of the lines in it as `starts` and `ends`.
/// `offsets` (one more than lines) and `values` receive the texts, one after the other; a line
/// without a text has an empty one. `values` must have room for the bytes of all lines and
/// kJsonSlack more. `kinds` receives one entry per line. Offset is int32 or int64, wide enough for
/// the bytes of all lines.
template <class Offset>
void read_text_fields(const std::uint8_t* data, std::span<const std::int64_t> starts,
                      std::span<const std::int64_t> ends, TextFieldReader& reader, Offset* offsets,
                      std::uint8_t* values, LineKind* kinds) {
    std::uint8_t* out = values;
    offsets[0] = 0;
    for (std::size_t line = 0; line < starts.size(); ++line) {
        kinds[line] = reader.read(data + starts[line], data + ends[line], out);
        offsets[line + 1] = static_cast<Offset>(out - values);
    }
}

}  // namespace dsir::json
