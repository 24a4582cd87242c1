#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "simd/json_strings.hpp"

namespace dsir::json {

/// What a line has been found to be.
enum class LineKind : std::uint8_t {
    text = 0,        ///< an object whose text field is a string
    null = 1,        ///< an object whose text field, or an object that it would be in, is null
    look_again = 2,  ///< anything else: for a reader that can say what
};

/// Names that lead to a text, beyond which every line is for the other reader.
constexpr std::size_t kMostNames = 128;

/// Takes the text field out of lines that are JSON objects.
///
/// A line is read to its end by RFC 8259: nothing but spaces may stand around the object, strings
/// must be UTF-8 without control characters, and what is passed over must be right as well. Of the
/// text's own characters half a surrogate pair is not taken; elsewhere it is let by, as Python's
/// json lets it by. Where a name on the way to the text stands twice, too, the line is to be
/// looked at again.
class TextFieldReader {
  public:
    /// `path`: the names that lead to the text, in UTF-8, one or more.
    TextFieldReader(std::vector<std::string> path, const simd::JsonStringKernels& kernels)
        : path_(std::move(path)), kernels_(kernels) {}

    /// Reads the line from `at` to `end`. A text is written to `out`, which has room for as many
    /// bytes as the line and kJsonSlack more, and `out` is moved behind it; otherwise what it
    /// points at is undefined afterwards, and it stays.
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
    std::vector<bool> in_object_;  // Of each bracket that is open in a value passed over.
};

/// Reads the text field of lines.
///
/// data: the block; starts, ends: where each line is in it. offsets, one more than lines, and
/// values: the texts one after the other, nothing where there is none. values has room for the
/// bytes of all lines and kJsonSlack more. kinds: one a line. Offset: int32 or int64, wide enough
/// for the bytes of all lines.
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
