#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "arrow/c_data.hpp"

namespace dsir::arrow {

/// Thrown when an array is not text, or when its structure breaks the C Data Interface.
class TypeError : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

/// Reads an Arrow array of text row by row without copying. The array is utf8, large_utf8 or
/// utf8_view, or a dictionary of one of these with any integer index; it may be a slice and may
/// hold nulls.
///
/// The view borrows: the schema and the array must outlive the view and must not change. Several
/// threads may read at once.
///
/// The constructor checks the formats, the number of buffers and the first and last offset. The
/// offsets in between, dictionary indices and string views are checked when a row is read. The view
/// trusts the producer about the lengths of the buffers, because the C Data Interface does not hold
/// them. It does not check UTF-8.
class TextColumn {
  public:
    /// The first and the last offset of the rows in use, in bytes.
    struct Ends {
        std::int64_t first = 0;
        std::int64_t last = 0;
    };

    /// Throws TypeError, which names the format found, if the array is not text.
    TextColumn(const ArrowSchema& schema, const ArrowArray& array);

    std::int64_t size() const { return size_; }

    /// The text of a row, or nothing if the row is null. `row` must be in range (this is not
    /// checked). Throws TypeError if an offset, an index or a view points outside the array's
    /// buffers.
    std::optional<std::string_view> operator[](std::int64_t row) const {
        std::int64_t at = row + offset_;
        if (is_null(validity_, at)) return std::nullopt;
        if (index_ != Index::none) {
            at = dictionary_row(at);
            if (at < 0 || at >= dictionary_size_)
                throw TypeError("a dictionary index is out of range");
            at += dictionary_offset_;
            if (is_null(dictionary_validity_, at)) return std::nullopt;
        }
        return value(at);
    }

    /// The number of bytes of text in all rows together.
    std::int64_t text_bytes() const;

  private:
    enum class Layout : std::uint8_t { offsets32, offsets64, views };
    enum class Index : std::uint8_t { none, i8, u8, i16, u16, i32, u32, i64, u64 };

    static bool is_null(const std::uint8_t* validity, std::int64_t at) {
        return validity != nullptr && ((validity[at >> 3] >> (at & 7)) & 1) == 0;
    }
    std::int64_t dictionary_row(std::int64_t at) const;
    std::string_view value(std::int64_t at) const;
    std::string_view viewed(std::int64_t at) const;
    void set_values(const char* format, const ArrowArray& array);

    std::int64_t size_;
    std::int64_t offset_;
    const std::uint8_t* validity_ = nullptr;
    Index index_ = Index::none;
    const void* indices_ = nullptr;
    std::int64_t dictionary_size_ = 0;
    std::int64_t dictionary_offset_ = 0;
    const std::uint8_t* dictionary_validity_ = nullptr;
    Layout layout_ = Layout::offsets32;
    const void* offsets_ = nullptr;  ///< or the string views
    Ends ends_;                      ///< the first and the last of the offsets
    const char* bytes_ = nullptr;
    const void* const* view_buffers_ = nullptr;
    std::int64_t view_buffer_count_ = 0;
    const std::int64_t* view_buffer_sizes_ = nullptr;
};

}  // namespace dsir::arrow
