#include "arrow/text_column.hpp"

#include "check.hpp"
#include "text_array.hpp"

namespace {

using dsir::arrow::TypeError;
using dsir::test::Random;
using dsir::test::Row;
using dsir::test::Rows;
using dsir::test::rows_of;
using dsir::test::TextArray;

const Rows kRows = {"alpha",
                    std::nullopt,
                    "",
                    "exactly 12 b",
                    "thirteen byte",
                    std::nullopt,
                    "a text that is longer than a view has room for",
                    "last"};

void check_rows(const TextArray& array, const Rows& expected) {
    const auto column = array.column();
    CHECK_EQUAL(column.size(), expected.size());
    CHECK(rows_of(column) == expected);
    std::int64_t bytes = 0;
    for (const Row& row : expected) bytes += static_cast<std::int64_t>(row.value_or("").size());
    CHECK_EQUAL(column.text_bytes(), bytes);
}

std::unique_ptr<TextArray> layout(std::size_t which, const Rows& rows) {
    switch (which) {
        case 0:
            return TextArray::strings(rows, "u");
        case 1:
            return TextArray::strings(rows, "U");
        case 2:
            return TextArray::views(rows, 1);
        default:
            return TextArray::views(rows, 3);
    }
}

TEST(every_layout) {
    for (std::size_t which = 0; which < 4; ++which) {
        check_rows(*layout(which, kRows), kRows);
        check_rows(*layout(which, {}), {});
        check_rows(*layout(which, {"one"}), {"one"});
        check_rows(*layout(which, {std::nullopt}), {std::nullopt});
        check_rows(*layout(which, {""}), {""});
    }
    // All texts are in the views, so there is no data buffer.
    check_rows(*TextArray::views({"a", "b", std::nullopt}, 0), {"a", "b", std::nullopt});
}

TEST(every_slice) {
    Random random(5);
    Rows rows;
    for (int i = 0; i < 40; ++i) {
        rows.push_back(random.below(4) == 0 ? Row() : Row(std::string(random.below(30), 'x')));
    }
    for (std::size_t which = 0; which < 4; ++which) {
        for (std::int64_t first = 0; first <= 40; ++first) {
            for (const std::int64_t length : {std::int64_t{0}, std::int64_t{1}, 40 - first}) {
                if (first + length > 40) continue;
                const auto array = layout(which, rows);
                array->slice(first, length);
                check_rows(*array, Rows(rows.begin() + first, rows.begin() + first + length));
            }
        }
    }
}

TEST(null_count_zero_needs_no_bitmap) {
    const auto array = TextArray::strings({"a", std::nullopt, "b"});
    array->array.null_count = 0;  // the reader trusts this number and does not read the bitmap
    check_rows(*array, {"a", "", "b"});
}

template <class Index>
void check_dictionary(const char* format) {
    const Rows values = {"zero", "one", std::nullopt, "a three that is longer than a view", ""};
    const std::vector<std::optional<Index>> indices = {
        Index{3}, Index{0}, std::nullopt, Index{2}, Index{4}, Index{1}, Index{3}, std::nullopt};
    const Rows expected = {values[3], values[0], std::nullopt, std::nullopt,
                           values[4], values[1], values[3],    std::nullopt};
    for (std::size_t which = 0; which < 4; ++which) {
        check_rows(*TextArray::dictionary(format, indices, layout(which, values)), expected);
        const auto sliced = TextArray::dictionary(format, indices, layout(which, values));
        sliced->slice(3, 4);
        check_rows(*sliced, Rows(expected.begin() + 3, expected.begin() + 7));
        // The dictionary itself may be a slice.
        auto inner = layout(which, values);
        inner->slice(1, 4);
        check_rows(
            *TextArray::dictionary<Index>(format, {Index{0}, Index{2}, Index{1}}, std::move(inner)),
            {values[1], values[3], values[2]});
    }
    const auto beyond =
        TextArray::dictionary<Index>(format, {Index{0}, Index{5}}, layout(0, values));
    CHECK_THROWS(TypeError, "out of range", rows_of(beyond->column()));
    CHECK_THROWS(TypeError, "out of range", beyond->column().text_bytes());
    const auto outside =  // -1, or the largest of an unsigned type
        TextArray::dictionary<Index>(format, {static_cast<Index>(-1)}, layout(0, values));
    CHECK_THROWS(TypeError, "out of range", rows_of(outside->column()));
    // An index that does not exist is no error if the row is null.
    check_rows(*TextArray::dictionary<Index>(format, {std::nullopt}, layout(0, {})),
               {std::nullopt});
}

TEST(dictionaries_of_every_index) {
    check_dictionary<std::int8_t>("c");
    check_dictionary<std::uint8_t>("C");
    check_dictionary<std::int16_t>("s");
    check_dictionary<std::uint16_t>("S");
    check_dictionary<std::int32_t>("i");
    check_dictionary<std::uint32_t>("I");
    check_dictionary<std::int64_t>("l");
    check_dictionary<std::uint64_t>("L");
    // More than 127 and 255 values, for unsigned indices above the signed range.
    Rows values;
    for (int i = 0; i < 40000; ++i) values.push_back(std::to_string(i));
    check_rows(
        *TextArray::dictionary<std::uint8_t>("C", {std::uint8_t{200}}, TextArray::strings(values)),
        {"200"});
    check_rows(*TextArray::dictionary<std::uint16_t>("S", {std::uint16_t{39999}},
                                                     TextArray::strings(values)),
               {"39999"});
}

TEST(other_types_are_refused) {
    for (const char* format : {"n", "b", "c", "i", "l", "g", "z", "Z", "vz", "+s", "+l", "w:4", "",
                               "uu", "d:1,2", "tsu:"}) {
        const auto array = TextArray::strings({"a"});
        array->schema.format = format;
        CHECK_THROWS(TypeError, "found Arrow format '" + std::string(format) + "'",
                     array->column());
    }
    const auto doubles = TextArray::dictionary<std::int64_t>("g", {0}, TextArray::strings({"a"}));
    CHECK_THROWS(TypeError, "expected integer dictionary indices, found Arrow format 'g'",
                 doubles->column());
    auto binary = TextArray::strings({"a"});
    binary->schema.format = "z";
    const auto of_binary = TextArray::dictionary<std::int64_t>("l", {0}, std::move(binary));
    CHECK_THROWS(TypeError, "expected text (Arrow format u, U or vu), found Arrow format 'z'",
                 of_binary->column());
}

TEST(malformed_arrays_are_refused) {
    {
        const auto array = TextArray::strings({"a"});
        array->array.release(&array->array);
        CHECK_THROWS(TypeError, "released", array->column());
    }
    {
        const auto array = TextArray::strings({"a"});
        array->schema.release(&array->schema);
        CHECK_THROWS(TypeError, "released", array->column());
    }
    {
        const auto array = TextArray::strings({"a"});
        array->array.length = -1;
        CHECK_THROWS(TypeError, "negative", array->column());
    }
    {
        const auto array = TextArray::strings({"a"});
        array->array.offset = -1;
        CHECK_THROWS(TypeError, "negative", array->column());
    }
    for (const char* format : {"u", "U"}) {
        const auto fewer = TextArray::strings({"a"}, format);
        fewer->array.n_buffers = 2;
        CHECK_THROWS(TypeError, "3 buffers, not 2", fewer->column());
        const auto no_offsets = TextArray::strings({"a"}, format);
        no_offsets->array.buffers[1] = nullptr;
        CHECK_THROWS(TypeError, "no offsets", no_offsets->column());
        const auto no_text = TextArray::strings({"a"}, format);
        no_text->array.buffers[2] = nullptr;
        CHECK_THROWS(TypeError, "no text", no_text->column());
    }
    {
        const auto array = TextArray::strings({"a", "b"}, "u");
        array->damage(1, 0, std::int32_t{-4});
        CHECK_THROWS(TypeError, "not in order", array->column());
    }
    {
        const auto array = TextArray::strings({"a", "b"}, "U");
        array->damage(1, 16, std::int64_t{-1});
        CHECK_THROWS(TypeError, "not in order", array->column());
    }
    for (const std::int32_t between : {-1, 1, 3, 4, 2147483647}) {
        // The first and last offset are in order, and one in between is not.
        const auto narrow = TextArray::strings({"a", "b", "c"}, "u");
        narrow->damage(1, 8, between);
        const auto wide = TextArray::strings({"a", "b", "c"}, "U");
        wide->damage(1, 16, std::int64_t{between});
        const bool lead_out = between < 1 || between > 3;
        for (const auto* array : {narrow.get(), wide.get()}) {
            if (lead_out) {
                CHECK_THROWS(TypeError, "not in order", rows_of(array->column()));
                CHECK_THROWS(TypeError, "not in order", array->column().text_bytes());
            } else {
                CHECK_EQUAL(array->column().text_bytes(), 3);
            }
        }
    }
    {
        const auto array = TextArray::strings({"a"});
        array->array.offset = INT64_MAX;
        CHECK_THROWS(TypeError, "longer than any memory", array->column());
        array->array.offset = 0;
        array->array.buffers = nullptr;
        CHECK_THROWS(TypeError, "no buffers", array->column());
    }
    {
        // The same for the values of a dictionary.
        auto values = TextArray::strings({"a"});
        values->array.offset = -1;
        const auto array =
            TextArray::dictionary<std::int8_t>("c", {std::int8_t{0}}, std::move(values));
        CHECK_THROWS(TypeError, "negative", array->column());
    }
    {
        // The first and last offset of the rows in use, which are not those of the buffer.
        const auto array = TextArray::strings({"a", "b", "c"}, "u");
        array->damage(1, 0, std::int32_t{-4});
        array->slice(1, 2);
        check_rows(*array, {"b", "c"});
    }
    {
        const auto array =
            TextArray::dictionary<std::int8_t>("c", {std::int8_t{0}}, TextArray::strings({"a"}));
        array->array.dictionary = nullptr;
        CHECK_THROWS(TypeError, "dictionary array is malformed", array->column());
    }
    {
        const auto array =
            TextArray::dictionary<std::int8_t>("c", {std::int8_t{0}}, TextArray::strings({"a"}));
        array->array.n_buffers = 3;
        CHECK_THROWS(TypeError, "dictionary array is malformed", array->column());
    }
    {
        const auto array =
            TextArray::dictionary<std::int8_t>("c", {std::int8_t{0}}, TextArray::strings({"a"}));
        array->array.buffers[1] = nullptr;
        CHECK_THROWS(TypeError, "no indices", array->column());
    }
}

TEST(malformed_views_are_refused) {
    const Rows rows = {"a text that is longer than a view"};
    const auto broken = [&rows](std::size_t at, std::int32_t value) {
        auto array = TextArray::views(rows, 2);
        array->damage(1, at, value);
        return array;
    };
    CHECK_THROWS(TypeError, "negative length", rows_of(broken(0, -1)->column()));
    CHECK_THROWS(TypeError, "does not exist", rows_of(broken(8, -1)->column()));
    CHECK_THROWS(TypeError, "does not exist", rows_of(broken(8, 2)->column()));
    CHECK_THROWS(TypeError, "beyond", rows_of(broken(12, -1)->column()));
    CHECK_THROWS(TypeError, "beyond", rows_of(broken(12, 28)->column()));
    CHECK_THROWS(TypeError, "beyond", rows_of(broken(0, 2147483647)->column()));
    const auto fewer = TextArray::views(rows, 2);
    fewer->array.n_buffers = 2;
    CHECK_THROWS(TypeError, "at least 3 buffers, not 2", fewer->column());
    const auto no_sizes = TextArray::views(rows, 2);
    no_sizes->array.buffers[4] = nullptr;
    CHECK_THROWS(TypeError, "does not say how long", no_sizes->column());
    const auto no_text = TextArray::views(rows, 2);
    no_text->array.buffers[2] = nullptr;
    CHECK_THROWS(TypeError, "does not exist", rows_of(no_text->column()));
    const auto no_views = TextArray::views(rows, 2);
    no_views->array.buffers[1] = nullptr;
    CHECK_THROWS(TypeError, "no views", no_views->column());
}

TEST(empty_arrays_need_no_buffers) {
    const void* nothing[3] = {nullptr, nullptr, nullptr};
    for (const char* format : {"u", "U", "vu"}) {
        const auto array = TextArray::strings({});
        array->schema.format = format;
        array->array.buffers = nothing;
        check_rows(*array, {});
    }
}

}  // namespace
