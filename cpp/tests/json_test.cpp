#include "json/text_field.hpp"

#include <cstring>
#include <memory>

#include "check.hpp"
#include "simd/cpu.hpp"
#include "simd/json_strings.hpp"
#include "unicode/utf8.hpp"

namespace {

using dsir::json::LineKind;
using dsir::json::TextFieldReader;
using dsir::simd::JsonStringKernels;
using dsir::simd::kJsonSlack;
using dsir::simd::Level;
using dsir::simd::levels_up_to_active;
using dsir::test::Random;

const std::uint8_t* bytes_of(const std::string& text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// Bytes in memory of exactly their size, so that a sanitizer sees any read beyond them.
class Exact {
  public:
    explicit Exact(const std::string& text)
        : size_(text.size()), bytes_(new std::uint8_t[text.size()]) {
        if (size_ != 0) std::memcpy(bytes_.get(), text.data(), size_);
    }
    const std::uint8_t* begin() const { return bytes_.get(); }
    const std::uint8_t* end() const { return bytes_.get() + size_; }

  private:
    std::size_t size_;
    std::unique_ptr<std::uint8_t[]> bytes_;
};

struct Read {
    LineKind kind;
    std::string text;
};

Read read(const std::string& line, const std::vector<std::string>& path, Level level) {
    const Exact exact(line);
    std::vector<std::uint8_t> room(line.size() + kJsonSlack);
    TextFieldReader reader(path, dsir::simd::json_string_kernels(level));
    std::uint8_t* out = room.data();
    const LineKind kind = reader.read(exact.begin(), exact.end(), out);
    return {kind, std::string(room.data(), out)};
}

void check(const std::string& line, LineKind kind, const std::string& text = "",
           const std::vector<std::string>& path = {"text"}) {
    for (const Level level : levels_up_to_active()) {
        const Read found = read(line, path, level);
        if (found.kind != kind || found.text != text) CHECK_EQUAL(line, std::string("read so"));
        CHECK_EQUAL(found.kind, kind);
        CHECK_EQUAL(found.text, text);
    }
}

void refuse(const std::string& line, const std::vector<std::string>& path = {"text"}) {
    check(line, LineKind::look_again, "", path);
}

std::string repeated(const std::string& part, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += part;
    return all;
}

TEST(plain_lines) {
    check(R"({"text":"a"})", LineKind::text, "a");
    check(" {\t\"text\" : \"\"\r } ", LineKind::text, "");
    check(R"({"text":null})", LineKind::null);
    check(R"({"id": 1, "text": "b", "meta": {"text": "c", "k": [{}, [], "\"", 1.5e-3]}})",
          LineKind::text, "b");
    check(R"({"x": true, "y": false, "z": null, "text": "b", "w": -0, "v": 12E+7})", LineKind::text,
          "b");
    check(R"({"tex": 1, "text2": 2, "": 3, "text": "b"})", LineKind::text, "b");
    for (std::size_t length = 0; length < 300; ++length) {
        const std::string text(length, 'x');
        check("{\"text\":\"" + text + "\"}", LineKind::text, text);
        check("{\"other\":\"" + text + "\", \"text\": \"é" + text + "\"}", LineKind::text,
              "é" + text);
    }
}

TEST(escapes) {
    check(R"({"text":"\"\\\/\b\f\n\r\t"})", LineKind::text, "\"\\/\b\f\n\r\t");
    check(R"({"text":"\u0041\u00e9\u4E2d\ud83D\uDE00"})", LineKind::text, "Aé中😀");
    check(R"({"text":"\u0000"})", LineKind::text, std::string(1, '\0'));
    check(R"({"t\u0065xt":"a"})", LineKind::text, "a");
    check(R"({"t\u0065xs":"b","text":"a"})", LineKind::text, "a");
    check(R"({"x":"\ud800 \udc00","text":"a"})", LineKind::text, "a");
    for (const char* const wrong : {R"(\x)", R"(\u12)", R"(\u12G4)", R"(\)", R"(\U0041)", R"(\u)",
                                    R"(\u00\u0041)", R"(\u 041)", R"(\u-041)", R"(\0)"}) {
        refuse(std::string(R"({"text":")") + wrong + R"("})");
        refuse(std::string(R"({"text":"a","x":")") + wrong + R"("})");
        refuse(std::string(R"({"text":"a",")") + wrong + R"(":1})");
        refuse(std::string(R"({"text":")") + wrong);
        refuse(std::string(R"({"x":")") + wrong);
    }
    for (const char* const half : {R"(\ud800)", R"(\udc00)", R"(\ud800x)", R"(\ud800\n)",
                                   R"(\ud800\u0041)", R"(\ud800\ud800)", R"(\udc00\ud800)"}) {
        refuse(std::string(R"({"text":")") + half + R"("})");
    }
}

TEST(lines_to_be_looked_at_again) {
    for (const char* const line : {"",
                                   " ",
                                   "{",
                                   "{}",
                                   "{ }",
                                   "[]",
                                   "1",
                                   "null",
                                   R"("text")",
                                   R"({"text"})",
                                   R"({"text":})",
                                   R"({"text":"a")",
                                   R"({"text":"a",})",
                                   R"({"text":"a"}})",
                                   R"({"text":"a"} x)",
                                   R"({"text":"a"}{})",
                                   R"({,"text":"a"})",
                                   R"({"text" "a"})",
                                   R"({"text":"a" "b":1})",
                                   R"({"text":"a";"b":1})",
                                   R"({text:"a"})",
                                   R"({'text':"a"})",
                                   R"({"text":'a'})",
                                   R"({"text":1})",
                                   R"({"text":true})",
                                   R"({"text":["a"]})",
                                   R"({"text":{"text":"a"}})",
                                   R"({"text":nul})",
                                   R"({"text":nulls})",
                                   R"({"text":"a","text":"b"})",
                                   R"({"text":null,"text":"b"})",
                                   R"({"text":"a","te\u0078t":"b"})",
                                   R"({"other":"a"})",
                                   R"({"text":"a","x":NaN})",
                                   R"({"text":"a","x":-Infinity})",
                                   R"({"text":"a","x":+1})",
                                   R"({"text":"a","x":01})",
                                   R"({"text":"a","x":1.})",
                                   R"({"text":"a","x":.5})",
                                   R"({"text":"a","x":1e})",
                                   R"({"text":"a","x":1e+})",
                                   R"({"text":"a","x":-})",
                                   R"({"text":"a","x":[1,]})",
                                   R"({"text":"a","x":[,1]})",
                                   R"({"text":"a","x":[1 2]})",
                                   R"({"text":"a","x":[})",
                                   R"({"text":"a","x":{]})",
                                   R"({"text":"a","x":{"y"}})",
                                   R"({"text":"a","x":{"y":1,}})",
                                   R"({"text":"a","x":{1:2}})",
                                   R"({"text":"a","x":tru})",
                                   R"({"text":"a","x":True})",
                                   "{\"text\":\"a\tb\"}",
                                   "{\"text\":\"a\",\"x\":\"\x1f\"}",
                                   "\xef\xbb\xbf{\"text\":\"a\"}",
                                   "{\"text\":\"a\"}\f",
                                   "{\"text\":\"\xff\"}"}) {
        refuse(line);
    }
    refuse(std::string("{\"text\":\"a\0\"}", 12));
    refuse(std::string("{\"text\":\"a\"}\0", 13));
}

TEST(nested_text) {
    const std::vector<std::string> path{"doc", "body"};
    check(R"({"body":1,"doc":{"doc":2,"body":"a","k":1},"z":{"body":"x"}})", LineKind::text, "a",
          path);
    check(R"({"doc":null})", LineKind::null, "", path);
    check(R"({"doc":{"body":null}})", LineKind::null, "", path);
    refuse(R"({"doc":{}})", path);
    refuse(R"({"doc":{"k":1}})", path);
    refuse(R"({"doc":"body"})", path);
    refuse(R"({"doc":[{"body":"a"}]})", path);
    refuse(R"({"doc":{"body":"a"},"doc":{"body":"b"}})", path);
    refuse(R"({"doc":{"body":"a"},"doc":null})", path);
    refuse(R"({"doc":{"body":"a","body":"b"}})", path);
    refuse(R"({"doc.body":"a"})", path);
    check(R"({"doc.body":"a","doc":1})", LineKind::text, "a", {"doc.body"});
    check(R"({"":{"":"a"}})", LineKind::text, "a", {"", ""});
}

TEST(values_of_any_depth) {
    for (const auto& [open, close] :
         {std::pair<std::string, std::string>{"[", "]"}, {"{\"a\":[", "]}"}}) {
        for (const std::size_t depth : {1U, 64U, 65U, 1000U, 100000U}) {
            const std::string begin = "{\"text\":\"a\",\"x\":" + repeated(open, depth);
            check(begin + repeated(close, depth) + "}", LineKind::text, "a");
            refuse(begin + repeated(close, depth - 1) + "}");
            refuse(begin + repeated(close, depth + 1) + "}");
        }
    }
}

TEST(names_are_bounded) {
    constexpr std::size_t kMost = dsir::json::kMostNames;
    const auto line = [](std::size_t names) {
        return repeated("{\"a\":", names) + "\"b\"" + repeated("}", names);
    };
    check(line(kMost), LineKind::text, "b", std::vector<std::string>(kMost, "a"));
    refuse(line(kMost + 1), std::vector<std::string>(kMost + 1, "a"));
    refuse(line(100000), std::vector<std::string>(100000, "a"));
}

TEST(lines_of_a_block) {
    const std::string data = "{\"text\":\"one\"}\n[]\n{\"text\":null}\n{\"text\":\"four\"}";
    const std::vector<std::int64_t> starts{0, 15, 18, 32};
    const std::vector<std::int64_t> ends{14, 17, 31, 47};
    for (const Level level : levels_up_to_active()) {
        TextFieldReader reader({"text"}, dsir::simd::json_string_kernels(level));
        std::vector<std::int32_t> offsets(5);
        std::vector<std::uint8_t> values(data.size() + kJsonSlack);
        std::vector<LineKind> kinds(4);
        dsir::json::read_text_fields(bytes_of(data), starts, ends, reader, offsets.data(),
                                     values.data(), kinds.data());
        CHECK(kinds == std::vector<LineKind>(
                           {LineKind::text, LineKind::look_again, LineKind::null, LineKind::text}));
        CHECK(offsets == std::vector<std::int32_t>({0, 3, 3, 3, 7}));
        CHECK_EQUAL(std::string(values.begin(), values.begin() + 7), std::string("onefour"));
    }
}

bool utf8_one_by_one(const std::string& text) {
    const std::uint8_t* at = bytes_of(text);
    const std::uint8_t* const end = at + text.size();
    while (at != end) {
        const auto decoded = dsir::unicode::decode_utf8(at, end);
        if (decoded.length == 0) return false;
        at += decoded.length;
    }
    return true;
}

void check_utf8(const std::string& text) {
    const bool expected = utf8_one_by_one(text);
    const Exact exact(text);
    for (const Level level : levels_up_to_active()) {
        CHECK_EQUAL(dsir::simd::json_string_kernels(level).valid_utf8(exact.begin(), exact.end()),
                    expected);
    }
}

TEST(utf8_by_every_kernel) {
    // All pairs of bytes, and what may follow a lead byte, at places around the kernels' widths.
    const std::string continuations[] = {"\x80", "\x8F", "\x90", "\x9F", "\xA0", "\xBF", "a", ""};
    for (const std::size_t before : {0U, 29U, 30U, 31U, 61U, 62U, 63U, 64U, 127U}) {
        for (unsigned first = 0x7F; first < 256; ++first) {
            const std::string begin = std::string(before, 'x') + static_cast<char>(first);
            for (unsigned second = 0x70; second < 256; ++second) {
                check_utf8(begin + static_cast<char>(second));
            }
            if (first < 0xC0 && first != 0x80) continue;
            for (const std::string& second : continuations) {
                for (const std::string& third : continuations) {
                    for (const std::string& fourth : continuations) {
                        check_utf8(begin + second + third + fourth);
                        check_utf8(begin + second + third + fourth + "é");
                    }
                }
            }
        }
    }
    Random random(11);
    const std::string pieces[] = {"a", "é", "語", "😀", "\x80", "\xC3", "\xED\xA0", "\xF4\x8F\xBF"};
    for (int round = 0; round < 20000; ++round) {
        std::string text(random.below(70), 'y');
        const std::size_t usual = round % 3 == 0 ? 8 : 4;
        for (std::size_t i = random.below(60); i > 0; --i) text += pieces[random.below(usual)];
        check_utf8(text);
    }
}

TEST(plain_characters_by_every_kernel) {
    Random random(12);
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        for (std::size_t i = random.below(200); i > 0; --i) {
            const bool rare = random.below(round % 4 == 0 ? 5 : 60) == 0;
            text += static_cast<char>(rare ? random.below(256) : 0x20 + random.below(0x5F));
        }
        std::size_t plain = 0;
        bool expected_beyond = false;
        for (; plain < text.size(); ++plain) {
            const auto byte = static_cast<std::uint8_t>(text[plain]);
            if (byte == '"' || byte == '\\' || byte < 0x20) break;
            expected_beyond |= byte >= 0x80;
        }
        const Exact exact(text);
        for (const Level level : levels_up_to_active()) {
            const JsonStringKernels& kernels = dsir::simd::json_string_kernels(level);
            bool beyond = false;
            CHECK_EQUAL(kernels.skip(exact.begin(), exact.end(), beyond) - exact.begin(),
                        static_cast<std::ptrdiff_t>(plain));
            CHECK_EQUAL(beyond, expected_beyond);
            beyond = false;
            const auto out = std::make_unique<std::uint8_t[]>(plain + kJsonSlack);
            CHECK_EQUAL(kernels.copy(exact.begin(), exact.end(), out.get(), beyond) - exact.begin(),
                        static_cast<std::ptrdiff_t>(plain));
            CHECK_EQUAL(beyond, expected_beyond);
            CHECK(std::memcmp(out.get(), text.data(), plain) == 0);
            beyond = true;
            kernels.skip(exact.begin(), exact.end(), beyond);
            CHECK(beyond);
        }
    }
}

/// Lines in which a byte was changed, removed or inserted: all kernels agree.
TEST(damaged_lines_by_every_kernel) {
    const std::string whole =
        R"({"id": 12, "text": "caf\u00e9 – 語 \"q\" \ud83d\ude00", "meta": {"k": [1, null]}})";
    Random random(13);
    const std::string bytes = "{}[]\":,\\ x0u-\t\x80\xE9";
    for (int round = 0; round < 50000; ++round) {
        std::string line = whole;
        for (std::size_t i = 1 + random.below(3); i > 0; --i) {
            const std::size_t at = random.below(line.size());
            const char byte = bytes[random.below(bytes.size())];
            switch (random.below(3)) {
                case 0:
                    line[at] = byte;
                    break;
                case 1:
                    line.erase(at, 1);
                    break;
                default:
                    line.insert(at, 1, byte);
            }
        }
        const Read expected = read(line, {"text"}, Level::scalar);
        CHECK(expected.kind == LineKind::look_again || utf8_one_by_one(line));
        CHECK(utf8_one_by_one(expected.text));
        for (const Level level : levels_up_to_active()) {
            const Read found = read(line, {"text"}, level);
            CHECK_EQUAL(found.kind, expected.kind);
            CHECK_EQUAL(found.text, expected.text);
        }
    }
}

}  // namespace
