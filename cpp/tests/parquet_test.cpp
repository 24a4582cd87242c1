#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "parquet/footer.hpp"
#include "parquet/pages.hpp"
#include "parquet/thrift.hpp"

namespace {

using namespace std::string_literals;
using dsir::parquet::Footer;
using dsir::parquet::longest_plain_value;
using dsir::parquet::most_uses_of_an_index;
using dsir::parquet::PageHeader;
using dsir::parquet::read_page_header;

constexpr std::int64_t kDataEnd = 1000;

// Thrift's compact protocol, as a writer has it.

std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    return out + static_cast<char>(value);
}

std::string zigzag(std::int64_t value) {
    return varint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

std::string binary(std::string_view bytes) {
    return varint(bytes.size()) + std::string(bytes);
}

std::string list(char type, const std::vector<std::string>& elements) {
    std::string out = static_cast<char>(0xF0 | type) + varint(elements.size());
    for (const std::string& element : elements) out += element;
    return out;
}

constexpr char kTrue = 1, kI32 = 5, kI64 = 6, kBinary = 8, kList = 9, kMap = 11, kStruct = 12;

/// The fields of a structure, by ascending id.
class Struct {
  public:
    Struct& add(int id, char type, const std::string& value) {
        bytes_ += static_cast<char>((id - last_) << 4 | type);
        bytes_ += value;
        last_ = id;
        return *this;
    }
    Struct& i32(int id, std::int64_t value) { return add(id, kI32, zigzag(value)); }
    Struct& i64(int id, std::int64_t value) { return add(id, kI64, zigzag(value)); }
    std::string end() const { return bytes_ + '\0'; }

  private:
    std::string bytes_;
    int last_ = 0;
};

/// A footer of two row groups with a column of texts and a column of lists; every part can be
/// changed.
struct Written {
    std::int64_t rows = 30;
    std::vector<std::int64_t> group_rows = {20, 10};
    std::int64_t values = 0;  // More than the rows.
    std::int64_t start = 4;
    std::int64_t size = 100;
    std::int64_t uncompressed = 100;
    std::int32_t type = 6;
    std::string name = "text";
    std::int32_t children = 2;
    std::int32_t length = 0;
    bool second_column = true;
    bool described = true;

    std::string chunk(const std::string& path, std::int64_t count, std::int64_t at) const {
        if (!described) return Struct().i64(2, 4).end();
        Struct column;
        column.i32(1, type).add(2, kList, list(kI32, {zigzag(0), zigzag(3)}));
        column.add(3, kList, list(kBinary, {binary(path)})).i32(4, 1).i64(5, count);
        column.i64(6, uncompressed).i64(7, size).i64(9, at);
        return Struct().i64(2, 4).add(3, kStruct, column.end()).end();
    }

    std::string bytes() const {
        std::vector<std::string> schema = {
            Struct().add(4, kBinary, binary("root")).i32(5, children).end(),
            Struct().i32(1, 6).i32(2, length).i32(3, 1).add(4, kBinary, binary("text")).end(),
            Struct().i32(1, 6).i32(3, 2).add(4, kBinary, binary("tags")).end()};
        std::vector<std::string> groups;
        std::int64_t at = start;
        for (const std::int64_t in_group : group_rows) {
            std::vector<std::string> chunks = {chunk(name, in_group + values, at)};
            if (second_column) chunks.push_back(chunk("tags", in_group + 7, at + size));
            at += 2 * size;
            groups.push_back(
                Struct().add(1, kList, list(kStruct, chunks)).i64(2, 1).i64(3, in_group).end());
        }
        Struct footer;
        footer.i32(1, 2).add(2, kList, list(kStruct, schema)).i64(3, rows);
        footer.add(4, kList, list(kStruct, groups));
        return footer.add(6, kBinary, binary("a writer")).end();
    }
};

/// What the error says; nothing if the footer is believed.
std::string refused(const Written& written, std::int64_t data_end = kDataEnd) {
    try {
        const Footer footer(written.bytes(), data_end);
        return "";
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

TEST(a_footer_without_contradictions) {
    const std::string bytes = Written().bytes();
    const Footer footer(bytes, kDataEnd);
    CHECK_EQUAL(footer.leaves().size(), 2);
    CHECK(!footer.leaves()[0].repeated && footer.leaves()[0].nullable);
    CHECK(footer.leaves()[1].repeated);
    CHECK_EQUAL(footer.leaves()[1].column, 1);
    const auto chunks = footer.chunks(1);
    CHECK_EQUAL(chunks.size(), 2);
    CHECK_EQUAL(chunks[0].values, 10);
    CHECK_EQUAL(chunks[0].start, 204);
    CHECK_EQUAL(chunks[0].bytes, 100);
    CHECK_EQUAL(chunks[1].values, 17);
    CHECK_EQUAL(chunks[1].codec, 1);
    CHECK_THROWS(std::invalid_argument, "no such row group", footer.chunks(2));
    CHECK_EQUAL(refused({}, 404), "");  // The chunks end where the footer begins.
}

TEST(footers_that_contradict_themselves) {
    CHECK_EQUAL(refused({.rows = -1, .group_rows = {}}), "the file has -1 rows");
    CHECK_EQUAL(refused({.rows = 29}), "the row groups have more rows than the file");
    CHECK_EQUAL(refused({.rows = 31}), "the row groups have fewer rows than the file");
    CHECK_EQUAL(refused({.group_rows = {-10, 40}}), "row group 0 has -10 rows");
    CHECK_EQUAL(refused({.group_rows = {INT64_MAX - 7, INT64_MAX - 7}}),
                "the row groups have more rows than the file");
    CHECK_EQUAL(refused({.values = 1}), "row group 0, column 0 has 21 values for 20 rows");
    CHECK_EQUAL(refused({.values = -1}), "row group 0, column 0 has 19 values for 20 rows");
    CHECK_EQUAL(refused({.start = 3}), "row group 0, column 0 lies outside of the file");
    CHECK_EQUAL(refused({.start = -5}), "row group 0, column 0 lies outside of the file");
    CHECK_EQUAL(refused({}, 403), "row group 1, column 1 lies outside of the file");
    CHECK_EQUAL(refused({.size = INT64_MAX / 8}), "row group 0, column 0 lies outside of the file");
    CHECK_EQUAL(refused({.size = -1}), "row group 0, column 0 has a negative size");
    CHECK_EQUAL(refused({.uncompressed = -1}), "row group 0, column 0 has a negative size");
    const char* const other = "row group 0, column 0 has another name or type in the schema";
    CHECK_EQUAL(refused({.type = 5}), other);
    CHECK_EQUAL(refused({.name = "tixt"}), other);
    CHECK_EQUAL(refused({.second_column = false}), "row group 0 has 1 columns, the schema 2");
    CHECK_EQUAL(refused({.described = false}),
                "row group 0, column 0 has no description of its data");
    CHECK_EQUAL(refused({.length = -1}), "the schema has a negative length");
    for (const int children : {-1, 1, 3, INT32_MAX}) {
        CHECK_EQUAL(refused({.children = children}), "the schema is no tree");
    }
}

TEST(chunks_that_overlap) {
    Written one;
    CHECK_EQUAL(refused(one), "");
    std::string bytes = one.bytes();
    // The second row group's text begins one byte too early: 203, as a zigzag varint.
    const std::size_t at = bytes.rfind(zigzag(204));
    bytes.replace(at, 2, zigzag(203));
    CHECK_THROWS(std::invalid_argument, "column chunks overlap", Footer(bytes, kDataEnd));
}

TEST(footers_that_end_early) {
    const std::string bytes = Written().bytes();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_THROWS(std::invalid_argument, "ends early",
                     Footer(std::string_view(bytes).substr(0, size), kDataEnd));
    }
}

TEST(what_is_no_thrift) {
    const auto throws = [](const std::string& bytes, const char* part) {
        CHECK_THROWS(std::invalid_argument, part, Footer(bytes, kDataEnd));
    };
    throws("\x1E"s, "unknown type");
    throws("\x16" + std::string(10, '\xFF'), "more than 64 bits");
    throws("\x06" + varint(UINT64_MAX - 1), "the number of a field");  // 2^63 - 1 as zigzag.
    throws("\x06" + zigzag(32767) + zigzag(1) + "\x16", "the number of a field");
    throws(std::string(100, '\x1C'), "nested too deeply");
    throws(Struct().add(7, kMap, "\x7F\x55"s).end(), "longer than the structure");
    throws(Struct().add(2, kList, list(kI32, {zigzag(1)})).end(), "elements of another type");
    throws(Struct().i32(3, 1).end(), "64 bits is expected");
    // What is not known is skipped: maps, sets of bools, doubles, nested structures.
    Struct unknown;
    unknown.add(7, kMap, "\x02\x18"s + "\x01" + binary("a") + "\x02" + binary("b"));
    unknown.add(8, 10, list(kTrue, {"\x01"s, "\x02"s})).add(9, 7, std::string(8, 'd'));
    unknown.add(10, 13, std::string(16, 'u')).add(11, kStruct, Struct().i32(1, 1).end());
    throws(unknown.end(), "the file has -1 rows");
}

std::string page_header(std::int64_t type, std::int64_t uncompressed, std::int64_t compressed,
                        std::int64_t values, int place = 5) {
    Struct header;
    header.i32(1, type).i32(2, uncompressed).i32(3, compressed);
    return header.add(place, kStruct, Struct().i32(1, values).i32(2, 8).end()).end();
}

TEST(headers_of_pages) {
    const std::string bytes = page_header(0, 500, 90, 20);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK(!read_page_header(std::string_view(bytes).substr(0, size)).has_value());
    }
    const PageHeader header = read_page_header(bytes + "what follows").value();
    CHECK_EQUAL(header.bytes, bytes.size());
    CHECK_EQUAL(header.type, 0);
    CHECK_EQUAL(header.uncompressed, 500);
    CHECK_EQUAL(header.compressed, 90);
    CHECK_EQUAL(header.values, 20);
    CHECK_EQUAL(header.encoding, 8);
    CHECK(header.is_compressed);
    CHECK_EQUAL(read_page_header(page_header(2, 5, 5, 3, 7)).value().values, 3);  // A dictionary.
    CHECK_THROWS(std::invalid_argument, "damaged", read_page_header(page_header(0, -1, 9, 2)));
    CHECK_THROWS(std::invalid_argument, "damaged", read_page_header(page_header(0, 9, -1, 2)));
    CHECK_THROWS(std::invalid_argument, "damaged", read_page_header(page_header(0, 9, 9, -2)));
    CHECK_THROWS(std::invalid_argument, "32 bits",
                 read_page_header(page_header(0, INT64_MAX, 9, 2)));
    CHECK_THROWS(std::invalid_argument, "damaged", read_page_header("\0"s));
}

TEST(headers_of_version_2) {
    const auto written = [](std::int64_t levels, char is_compressed) {
        Struct values;
        values.i32(1, 12).i32(2, 1).i32(3, 12).i32(4, 8).i32(5, levels).i32(6, 3);
        values.add(7, is_compressed, "");
        Struct header;
        header.i32(1, 3).i32(2, 80).i32(3, 40);
        return header.add(8, kStruct, values.end()).end();
    };
    const PageHeader header = read_page_header(written(5, 2)).value();
    CHECK_EQUAL(header.level_bytes, 8);
    CHECK(!header.is_compressed);
    CHECK(read_page_header(written(5, 1)).value().is_compressed);
    for (const std::int64_t levels :
         {std::int64_t{-1}, std::int64_t{38}, std::int64_t{INT32_MAX}}) {
        CHECK_THROWS(std::invalid_argument, "damaged", read_page_header(written(levels, 1)));
    }
}

TEST(values_of_a_dictionary) {
    const std::string page = "\3\0\0\0abc\0\0\0\0\5\0\0\0abcde"s;
    CHECK_EQUAL(longest_plain_value(page, 0), 0);
    CHECK_EQUAL(longest_plain_value(page, 1), 3);
    CHECK_EQUAL(longest_plain_value(page, 3), 5);
    CHECK_THROWS(std::invalid_argument, "ends early", longest_plain_value(page, 4));
    const std::string_view cut = std::string_view(page).substr(0, page.size() - 1);
    CHECK_THROWS(std::invalid_argument, "ends early", longest_plain_value(cut, 3));
    CHECK_THROWS(std::invalid_argument, "ends early", longest_plain_value("\xFF\xFF\xFF\xFF", 1));
}

TEST(uses_of_an_index) {
    // Width 2: a run of 5 times index 1, then 8 packed ones: 0 1 2 3 0 1 2 3.
    const std::string page = "\x02\x0A\x01\x03\xE4\xE4"s;
    CHECK_EQUAL(most_uses_of_an_index(page, 0, 4), 7);
    CHECK_THROWS(std::invalid_argument, "not in the dictionary", most_uses_of_an_index(page, 0, 3));
    CHECK_EQUAL(most_uses_of_an_index("\1\0\0\0L\2\0\0\0LL"s + page, 2, 4), 7);
    CHECK_EQUAL(most_uses_of_an_index("", 0, 0), 0);
    CHECK_EQUAL(most_uses_of_an_index("\1\0\0\0L"s, 1, 9), 0);     // Every value is null.
    CHECK_EQUAL(most_uses_of_an_index("\0\x10\x03"s, 0, 1), 16);   // Width 0: 8 and 8.
    CHECK_EQUAL(most_uses_of_an_index("\x02\x03\xE4"s, 0, 4), 1);  // Packed, cut at its end.
    CHECK_EQUAL(most_uses_of_an_index("\x20\x02\xFF\xFF\0\0"s, 0, 0x10000), 1);
    CHECK_THROWS(std::invalid_argument, "more than 32 bits", most_uses_of_an_index("!"s, 0, 4));
    CHECK_THROWS(std::invalid_argument, "ends early", most_uses_of_an_index("\x02\x0A"s, 0, 4));
    CHECK_THROWS(std::invalid_argument, "ends early", most_uses_of_an_index("\x02\x80"s, 0, 4));
    CHECK_THROWS(std::invalid_argument, "ends early", most_uses_of_an_index("\1\0\0"s, 1, 4));
    CHECK_THROWS(std::invalid_argument, "too long",
                 most_uses_of_an_index("\x02\xFF\xFF\xFF\xFF\xFF\x01"s, 0, 4));
}

}  // namespace
