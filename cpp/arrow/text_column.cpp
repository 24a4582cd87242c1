#include "arrow/text_column.hpp"

#include <cstring>

namespace dsir::arrow {
namespace {

/// One element of the utf8_view layout.
struct View {
    std::int32_t length;
    char inline_or_prefix[4];
    std::int32_t buffer;
    std::int32_t offset;
};
constexpr std::int32_t kInlineLength = 12;

/// More rows than any memory holds. Below this number no address computed from a row overflows.
constexpr std::int64_t kMostRows = std::int64_t{1} << 47;

const std::uint8_t* validity_of(const ArrowArray& array) {
    return array.null_count == 0 ? nullptr : static_cast<const std::uint8_t*>(array.buffers[0]);
}

void require(bool condition, const char* message) {
    if (!condition) throw TypeError(message);
}

void require_rows(const ArrowArray& array) {
    require(array.length >= 0 && array.offset >= 0, "the Arrow array has a negative length");
    require(array.length <= kMostRows && array.offset <= kMostRows - array.length,
            "the Arrow array is longer than any memory");
    require(array.buffers != nullptr, "the Arrow array has no buffers");
}

/// Checks the first and the last offset of the rows in use, and returns both.
template <class Offset>
TextColumn::Ends require_ends(const ArrowArray& array) {
    if (array.length == 0) return {};
    require(array.buffers[1] != nullptr, "the Arrow string array has no offsets");
    const Offset* const offsets = static_cast<const Offset*>(array.buffers[1]) + array.offset;
    const Offset last = offsets[array.length];
    require(offsets[0] >= 0 && last >= offsets[0],
            "the Arrow string array's offsets are not in order");
    require(array.buffers[2] != nullptr || last == 0, "the Arrow string array has no text");
    return {offsets[0], last};
}

/// The text between two offsets, which must lie between the first and the last.
template <class Offset>
std::string_view between(const void* buffer, std::int64_t at, const TextColumn::Ends& ends,
                         const char* bytes) {
    const Offset* const offsets = static_cast<const Offset*>(buffer);
    const Offset begin = offsets[at];
    const Offset end = offsets[at + 1];
    require(ends.first <= begin && begin <= end && end <= ends.last,
            "the Arrow string array's offsets are not in order");
    return {bytes + begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

TextColumn::TextColumn(const ArrowSchema& schema, const ArrowArray& array)
    : size_(array.length), offset_(array.offset) {
    require(schema.release != nullptr && array.release != nullptr, "the Arrow array was released");
    require_rows(array);
    if (schema.dictionary == nullptr) {
        set_values(schema.format, array);
        validity_ = validity_of(array);
        return;
    }
    require(array.dictionary != nullptr && array.n_buffers == 2,
            "the Arrow dictionary array is malformed");
    const std::string_view kinds = "cCsSiIlL";
    const std::string_view format = schema.format;
    const std::size_t kind = format.size() == 1 ? kinds.find(format[0]) : std::string_view::npos;
    if (kind == std::string_view::npos) {
        throw TypeError("expected integer dictionary indices, found Arrow format '" +
                        std::string(format) + "'");
    }
    index_ = static_cast<Index>(static_cast<int>(Index::i8) + static_cast<int>(kind));
    indices_ = array.buffers[1];
    require(indices_ != nullptr || array.length == 0, "the Arrow dictionary array has no indices");
    validity_ = validity_of(array);
    const ArrowArray& dictionary = *array.dictionary;
    require_rows(dictionary);
    dictionary_size_ = dictionary.length;
    dictionary_offset_ = dictionary.offset;
    set_values(schema.dictionary->format, dictionary);
    dictionary_validity_ = validity_of(dictionary);
}

void TextColumn::set_values(const char* format, const ArrowArray& array) {
    const std::string_view name = format;
    if (name == "u" || name == "U") {
        if (array.n_buffers != 3) {
            throw TypeError("an Arrow string array must have 3 buffers, not " +
                            std::to_string(array.n_buffers));
        }
        layout_ = name == "u" ? Layout::offsets32 : Layout::offsets64;
        offsets_ = array.buffers[1];
        bytes_ = static_cast<const char*>(array.buffers[2]);
        if (layout_ == Layout::offsets32) {
            ends_ = require_ends<std::int32_t>(array);
        } else {
            ends_ = require_ends<std::int64_t>(array);
        }
    } else if (name == "vu") {
        if (array.n_buffers < 3) {
            throw TypeError("an Arrow string view array must have at least 3 buffers, not " +
                            std::to_string(array.n_buffers));
        }
        layout_ = Layout::views;
        offsets_ = array.buffers[1];
        require(offsets_ != nullptr || array.length == 0, "the Arrow string array has no views");
        view_buffers_ = array.buffers + 2;
        view_buffer_count_ = array.n_buffers - 3;
        view_buffer_sizes_ = static_cast<const std::int64_t*>(array.buffers[array.n_buffers - 1]);
        require(view_buffer_sizes_ != nullptr || view_buffer_count_ == 0,
                "the Arrow string array does not say how long its buffers are");
    } else {
        throw TypeError("expected text (Arrow format u, U or vu), found Arrow format '" +
                        std::string(name) + "'");
    }
}

std::int64_t TextColumn::dictionary_row(std::int64_t at) const {
    switch (index_) {
        case Index::i8:
            return static_cast<const std::int8_t*>(indices_)[at];
        case Index::u8:
            return static_cast<const std::uint8_t*>(indices_)[at];
        case Index::i16:
            return static_cast<const std::int16_t*>(indices_)[at];
        case Index::u16:
            return static_cast<const std::uint16_t*>(indices_)[at];
        case Index::i32:
            return static_cast<const std::int32_t*>(indices_)[at];
        case Index::u32:
            return static_cast<const std::uint32_t*>(indices_)[at];
        case Index::i64:
            return static_cast<const std::int64_t*>(indices_)[at];
        case Index::u64:
            return static_cast<std::int64_t>(static_cast<const std::uint64_t*>(indices_)[at]);
        case Index::none:
            break;
    }
    return at;
}

std::string_view TextColumn::value(std::int64_t at) const {
    switch (layout_) {
        case Layout::offsets32:
            return between<std::int32_t>(offsets_, at, ends_, bytes_);
        case Layout::offsets64:
            return between<std::int64_t>(offsets_, at, ends_, bytes_);
        case Layout::views:
            break;
    }
    return viewed(at);
}

std::string_view TextColumn::viewed(std::int64_t at) const {
    const char* const place = static_cast<const char*>(offsets_) + at * std::int64_t{sizeof(View)};
    View view;
    std::memcpy(&view, place, sizeof view);
    require(view.length >= 0, "a string view has a negative length");
    const auto length = static_cast<std::size_t>(view.length);
    if (view.length <= kInlineLength) return {place + sizeof view.length, length};
    require(view.buffer >= 0 && view.buffer < view_buffer_count_,
            "a string view names a buffer that does not exist");
    require(view.offset >= 0 &&
                std::int64_t{view.offset} + view.length <= view_buffer_sizes_[view.buffer],
            "a string view reaches beyond its buffer");
    const auto* const bytes = static_cast<const char*>(view_buffers_[view.buffer]);
    require(bytes != nullptr, "a string view names a buffer that does not exist");
    return {bytes + view.offset, length};
}

std::int64_t TextColumn::text_bytes() const {
    std::int64_t sum = 0;
    for (std::int64_t row = 0; row < size_; ++row) {
        const auto text = (*this)[row];
        if (text) sum += static_cast<std::int64_t>(text->size());
    }
    return sum;
}

}  // namespace dsir::arrow
