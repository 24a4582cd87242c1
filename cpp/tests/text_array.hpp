#pragma once

// Arrow arrays of text, made by hand, byte by byte as the format's specification says, without an
// Arrow library. Every buffer ends where its memory ends, so that the address sanitizer sees reads
// beyond it.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/c_data.hpp"
#include "arrow/text_column.hpp"

namespace dsir::test {

using Row = std::optional<std::string>;
using Rows = std::vector<Row>;

class TextArray {
  public:
    /// utf8 ("u") or large_utf8 ("U").
    static std::unique_ptr<TextArray> strings(const Rows& rows, const char* format = "u") {
        auto made = std::make_unique<TextArray>(format, rows.size());
        made->add_validity(rows);
        std::string bytes;
        std::vector<std::int32_t> narrow = {0};
        std::vector<std::int64_t> wide = {0};
        for (const Row& row : rows) {
            bytes += row.value_or("");
            narrow.push_back(static_cast<std::int32_t>(bytes.size()));
            wide.push_back(static_cast<std::int64_t>(bytes.size()));
        }
        if (format == std::string_view("u")) {
            made->add_buffer(narrow.data(), narrow.size() * sizeof narrow[0]);
        } else {
            made->add_buffer(wide.data(), wide.size() * sizeof wide[0]);
        }
        made->add_buffer(bytes.data(), bytes.size());
        return made;
    }

    /// utf8_view ("vu"). Texts of up to 12 bytes are in the view, and longer ones in `buffers`
    /// buffers in turn.
    static std::unique_ptr<TextArray> views(const Rows& rows, std::size_t buffers = 2) {
        auto made = std::make_unique<TextArray>("vu", rows.size());
        made->add_validity(rows);
        std::vector<std::string> bytes(buffers, "some text that no row names");
        std::string views;
        std::size_t next = 0;
        for (const Row& row : rows) {
            const std::string text = row.value_or("");
            char view[16] = {};
            put(view, static_cast<std::int32_t>(text.size()));
            if (text.size() <= 12) {
                text.copy(view + 4, text.size());
            } else {
                std::string& buffer = bytes[next];
                text.copy(view + 4, 4);
                put(view + 8, static_cast<std::int32_t>(next));
                put(view + 12, static_cast<std::int32_t>(buffer.size()));
                buffer += text;
                next = (next + 1) % buffers;
            }
            views.append(view, sizeof view);
        }
        made->add_buffer(views.data(), views.size());
        std::vector<std::int64_t> sizes;
        for (const std::string& buffer : bytes) {
            made->add_buffer(buffer.data(), buffer.size());
            sizes.push_back(static_cast<std::int64_t>(buffer.size()));
        }
        made->add_buffer(sizes.data(), sizes.size() * sizeof sizes[0]);
        return made;
    }

    /// A dictionary of `values`. A row without an index is null.
    template <class Index>
    static std::unique_ptr<TextArray> dictionary(const char* format,
                                                 const std::vector<std::optional<Index>>& indices,
                                                 std::unique_ptr<TextArray> values) {
        auto made = std::make_unique<TextArray>(format, indices.size());
        Rows present;
        std::vector<Index> plain;
        for (const auto& index : indices) {
            present.push_back(index ? Row("") : std::nullopt);
            plain.push_back(index.value_or(Index{0}));
        }
        made->add_validity(present);
        made->add_buffer(plain.data(), plain.size() * sizeof(Index));
        made->dictionary_ = std::move(values);
        made->schema.dictionary = &made->dictionary_->schema;
        made->array.dictionary = &made->dictionary_->array;
        return made;
    }

    TextArray(const char* format, std::size_t length) {
        schema.format = format;
        schema.name = "";
        schema.flags = ARROW_FLAG_NULLABLE;
        schema.release = [](ArrowSchema* at) { at->release = nullptr; };
        array.length = static_cast<std::int64_t>(length);
        array.null_count = -1;  // not counted, which is always allowed
        array.release = [](ArrowArray* at) { at->release = nullptr; };
    }
    TextArray(const TextArray&) = delete;
    TextArray& operator=(const TextArray&) = delete;

    /// Makes this array a slice: rows `first` to `first + length`. No buffer changes.
    TextArray& slice(std::int64_t first, std::int64_t length) {
        array.offset += first;
        array.length = length;
        return *this;
    }

    arrow::TextColumn column() const { return {schema, array}; }

    /// Overwrites a value in a buffer.
    template <class T>
    void damage(std::size_t buffer, std::size_t at, T value) {
        std::memcpy(storage_[buffer].get() + at, &value, sizeof value);
    }

    ArrowSchema schema{};
    ArrowArray array{};

  private:
    static void put(char* at, std::int32_t value) { std::memcpy(at, &value, sizeof value); }

    void add_buffer(const void* data, std::size_t size) {
        storage_.emplace_back(new char[size]);
        if (size != 0) std::memcpy(storage_.back().get(), data, size);
        buffers_.push_back(storage_.back().get());
        array.buffers = buffers_.data();
        array.n_buffers = static_cast<std::int64_t>(buffers_.size());
    }

    /// Adds a bitmap if a row is null.
    void add_validity(const Rows& rows) {
        std::string bitmap((rows.size() + 7) / 8, '\0');
        bool any_null = false;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            any_null = any_null || !rows[i];
            if (rows[i]) bitmap[i / 8] = static_cast<char>(bitmap[i / 8] | (1 << (i % 8)));
        }
        add_buffer(bitmap.data(), bitmap.size());
        if (!any_null) buffers_[0] = nullptr;
    }

    std::vector<std::unique_ptr<char[]>> storage_;
    std::vector<const void*> buffers_;
    std::unique_ptr<TextArray> dictionary_;
};

inline Rows rows_of(const arrow::TextColumn& column) {
    Rows rows;
    for (std::int64_t row = 0; row < column.size(); ++row) {
        const auto text = column[row];
        rows.push_back(text ? Row(std::string(*text)) : std::nullopt);
    }
    return rows;
}

}  // namespace dsir::test
