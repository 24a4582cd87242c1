#include "text/normalizer.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "simd/cut.hpp"
#include "text/normalized_spans.hpp"
#include "unicode/normal_form_tables.hpp"
#include "unicode/utf8.hpp"

// All of Unicode is compared with Python's unicodedata in tests/core/test_normal_forms.py.

namespace {

using namespace dsir;
using test::Random;
using test::rounds;
using text::Form;
using text::Normalizer;

std::string composed(std::string_view document, Form form = Form::nfc) {
    Normalizer nfc(form);
    const std::vector<char> exact(document.begin(), document.end());
    const auto found = nfc({exact.data(), exact.size()});
    CHECK(found.has_value());
    return std::string(found.value_or(""));
}

std::string encoded(char32_t c) {
    std::uint8_t bytes[4];
    const unsigned length = unicode::encode_utf8(c, bytes);
    return {reinterpret_cast<const char*>(bytes), length};
}

TEST(texts_are_composed) {
    const std::vector<std::array<std::string, 2>> cases = {
        {"", ""},
        {"plain", "plain"},
        {"e\u0301cole", "\u00e9cole"},
        {"a\u0302\u0323", "\u1ead"},
        {"a\u0323\u0302", "\u1ead"},
        {"\u00e2\u0323", "\u1ead"},
        {"\u1112\u1161\u11ab", "\ud55c"},
        {"\ud558\u11ab", "\ud55c"},
        {"\u212b \u2126 \u037e", "\u00c5 \u03a9 ;"},
        {"\u0958", "\u0915\u093c"},                    // a composition exclusion
        {"\u0344", "\u0308\u0301"},                    // a singleton of two marks
        {"\u0b47\u0300\u0b3e", "\u0b47\u0300\u0b3e"},  // blocked by what is between
        {"\u0301e\u0301", "\u0301\u00e9"},
        {"\uf900", "\u8c48"},
        {"\u3046\u3099", "\u3094"},
    };
    for (const auto& [text, expected] : cases) {
        CHECK_EQUAL(composed(text), expected);
        CHECK_EQUAL(composed(expected), expected);
        for (std::size_t before : {1, 62, 63, 64, 200}) {
            const std::string filler(before, 'x');
            CHECK_EQUAL(composed(filler + " " + text + "!" + filler),
                        filler + " " + expected + "!" + filler);
        }
    }
}

TEST(compatible_characters_become_one) {
    const std::vector<std::array<std::string, 2>> cases = {
        {"\ufb01re", "fire"},
        {"\uff21\uff22\u3000\uff11", "AB 1"},
        {"\uff76\uff9e\uff8a\uff9f", "\u30ac\u30d1"},  // half-width kana and their marks
        {"\uffa1\uffc2\uffa2", "\uac00\u1101"},        // half-width letters of a syllable
        {"e\u0301 \u212b", "\u00e9 \u00c5"},
        {"\u017f\u0323\u0307 \u1e9b\u0323", "\u1e69 \u1e69"},
        {"a\u00b2\u2460\u00bd", "a211\u20442"},
        {"\u00a0\u2026\u2122", " ...TM"},
        {"\ufdfa",
         "\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 \u0639\u0644\u064a\u0647 "
         "\u0648\u0633\u0644\u0645"},
    };
    for (const auto& [text, expected] : cases) {
        CHECK_EQUAL(composed(text, Form::nfkc), expected);
        for (std::size_t before : {1, 62, 63, 64, 200}) {
            const std::string filler(before, 'x');
            CHECK_EQUAL(composed(filler + " " + text + "!" + filler, Form::nfkc),
                        filler + " " + expected + "!" + filler);
        }
    }
}

TEST(a_character_that_joins_nothing_before_it_is_a_change_of_its_own) {
    Normalizer nfkc(Form::nfkc, true);
    CHECK_EQUAL(std::string(*nfkc("\uff21\uff22\u3000e\u0301\uff76\uff9e")),
                std::string("AB \u00e9\u30ac"));
    CHECK_EQUAL(nfkc.changes().size(), std::size_t{5});
}

TEST(a_text_of_wide_characters_is_brought_into_form_piece_by_piece) {
    std::string text;
    for (int i = 0; i < 10'000; ++i) text += "\ufdfa";
    CHECK_EQUAL(composed(text, Form::nfkc).size(), std::size_t{10'000 * 33});
}

TEST(a_text_in_nfc_is_not_copied) {
    Normalizer nfc(Form::nfc, true);
    const std::string text = "\u00e9cole \u0e01\u0e38\u0e48 \u0995\u09be \u0438\u0301 \ud55c";
    CHECK(nfc(text)->data() == text.data());
    CHECK(nfc.changes().empty());
    const std::string bad = "e\u0301 \xFF";
    CHECK(nfc(bad)->data() == bad.data());
    for (const std::string_view before : {"a\x80\x80", "\xE6\x9D\xB1\x80", "\x80", "\xFF"}) {
        const std::string broken = std::string(before) + "\u0301\u0323";
        CHECK(nfc(broken)->data() == broken.data());
    }
    for (const std::string_view end : {"\xCC", "\xE2\x80", "\xF0\x9D\x85"}) {
        const std::string cut = "e\u0301 " + std::string(end);
        CHECK(nfc(cut)->data() == cut.data());
    }
}

TEST(changes_tell_what_became_of_the_text) {
    const std::vector<std::string> pieces = {"a",      "e",      " ",      ".",      "\u0301",
                                             "\u0323", "\u00e9", "\u1112", "\u1161", "\u11ab",
                                             "\ud55c", "\u6771", "\u0958", "\u2126", "\U0001D15E",
                                             "\uff21", "\uff9e", "\uff76", "\uffc2", "\ufdfa"};
    Random random(1);
    for (int i = 0; i < rounds(600); ++i) {
        const Form form = i % 2 == 0 ? Form::nfc : Form::nfkc;
        Normalizer nfc(form, true);
        std::string text;
        for (std::uint64_t n = random.below(200); n > 0; --n) {
            text += pieces[random.below(pieces.size())];
        }
        const std::string found(*nfc(text));
        CHECK_EQUAL(composed(found, form), found);
        std::size_t at = 0;
        std::size_t new_at = 0;
        for (const Normalizer::Change& change : nfc.changes()) {
            CHECK(change.begin < change.end && change.new_begin < change.new_end);
            CHECK_EQUAL(change.begin - at, change.new_begin - new_at);
            CHECK_EQUAL(text.substr(at, change.begin - at),
                        found.substr(new_at, change.new_begin - new_at));
            const std::string old = text.substr(change.begin, change.end - change.begin);
            CHECK_EQUAL(composed(old, form),
                        found.substr(change.new_begin, change.new_end - change.new_begin));
            CHECK(composed(old, form) != old);
            at = change.end;
            new_at = change.new_end;
        }
        CHECK_EQUAL(text.substr(at), found.substr(new_at));
    }
}

void check_kernel(const unicode::NormalForm& form, simd::PassSure simd::CutKernels::* kernel) {
    for (const auto level : {simd::Level::scalar, simd::active_level()}) {
        const simd::PassSure sure = simd::cut_kernels(level).*kernel;
        for (char32_t c = 0; c < 0x110000; ++c) {
            if (c >= 0xD800 && c < 0xE000) continue;
            const std::string character = encoded(c);
            const std::size_t place = c % 61;
            std::string block(64, 'x');
            block.replace(place, character.size(), character);
            std::uint64_t unsure = 0;
            const std::size_t passed =
                sure(reinterpret_cast<const std::uint8_t*>(block.data()), 1, unsure);
            CHECK_EQUAL(passed, static_cast<std::size_t>(unsure == 0));
            CHECK((unsure & ~(std::uint64_t{1} << place)) == 0);
            CHECK(unsure != 0 || form.properties_of(c).sure());
        }
        // A character that crosses the end of a block is never passed over.
        for (const std::string character : {"\u0301", "\u3099", "\uf900", "\U0001D15E"}) {
            for (std::size_t inside = 1; inside < character.size(); ++inside) {
                const std::string blocks = std::string(64 - inside, 'x') + character +
                                           std::string(64 - character.size() + inside, 'x');
                std::uint64_t unsure = 0;
                CHECK_EQUAL(sure(reinterpret_cast<const std::uint8_t*>(blocks.data()), 2, unsure),
                            std::size_t{0});
                CHECK_EQUAL(unsure, std::uint64_t{1} << (64 - inside));
            }
        }
    }
}

TEST(a_kernel_passes_only_over_characters_that_stay) {
    check_kernel(unicode::kFormC, &simd::CutKernels::sure);
    check_kernel(unicode::kFormKc, &simd::CutKernels::sure_compatible);
}

TEST(spans_lie_in_the_text_as_it_is) {
    const std::string text = "L'e\u0301cole x\u0301\u0323!! de\u0301ja\u0300";
    Normalizer nfc(Form::nfc, true);
    const std::string_view found = *nfc(text);
    text::SpanBuffer buffer;
    text::NormalizedSpans<text::WordPunctSpans> spans(found, nfc.changes(), buffer);
    std::vector<std::string> pieces;
    while (spans.next()) {
        for (std::size_t k = 0; k < buffer.starts_size; ++k) {
            pieces.push_back(text.substr(buffer.starts[k], buffer.ends[k] - buffer.starts[k]));
        }
    }
    CHECK(spans.valid());
    CHECK(pieces == (std::vector<std::string>{"L", "'", "e\u0301cole", "x", "\u0301\u0323!!",
                                              "de\u0301ja\u0300"}));
    const std::string bad = "e\u0301 \xFF";
    text::NormalizedSpans<text::WordPunctSpans> broken(*nfc(bad), nfc.changes(), buffer);
    CHECK(!broken.next());
    CHECK(!broken.valid());
}

}  // namespace
