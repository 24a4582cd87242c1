// Normalization Form C against the plain way: the whole text is decomposed, put in order, composed.

#include "text/nfc.hpp"

#include <map>

#include "fuzz_input.hpp"
#include "plain_text.hpp"
#include "text/nfc_spans.hpp"
#include "unicode/nfc_tables.hpp"

namespace {

using namespace dsir;

std::uint8_t class_of(char32_t c) {
    return unicode::nfc_properties_of(c).combining_class;
}

void decompose(char32_t c, std::u32string& out) {
    if (c >= 0xAC00 && c < 0xAC00 + 11172) {
        const char32_t place = c - 0xAC00;
        out += 0x1100 + place / 588;
        out += 0x1161 + place % 588 / 28;
        if (place % 28 != 0) out += 0x11A7 + place % 28;
        return;
    }
    static const auto kAll = [] {
        std::map<char32_t, std::u32string> all;
        for (std::size_t i = 0; i < unicode::kDecompositions; ++i) {
            all[unicode::kDecomposed[i]].assign(
                unicode::kDecompositionParts + unicode::kDecompositionStarts[i],
                unicode::kDecompositionParts + unicode::kDecompositionStarts[i + 1]);
        }
        return all;
    }();
    const auto found = kAll.find(c);
    out += found == kAll.end() ? std::u32string(1, c) : found->second;
}

char32_t composite(char32_t first, char32_t second) {
    if (first >= 0x1100 && first <= 0x1112 && second >= 0x1161 && second <= 0x1175) {
        return 0xAC00 + (first - 0x1100) * 588 + (second - 0x1161) * 28;
    }
    if (first >= 0xAC00 && first < 0xAC00 + 11172 && (first - 0xAC00) % 28 == 0 &&
        second >= 0x11A8 && second <= 0x11C2) {
        return first + second - 0x11A7;
    }
    static const auto kAll = [] {
        std::map<std::uint64_t, char32_t> all;
        for (std::size_t i = 0; i < unicode::kCompositions; ++i) {
            all[unicode::kComposedPairs[i]] = unicode::kComposites[i];
        }
        return all;
    }();
    const auto found = kAll.find(std::uint64_t{first} << 32 | second);
    return found == kAll.end() ? 0 : found->second;
}

std::string plain_nfc(const std::vector<fuzz::Character>& text) {
    std::u32string all;
    for (const fuzz::Character& one : text) decompose(one.code_point, all);
    // Neighbours change places until they are in order.
    for (std::size_t i = 1; i < all.size(); ++i) {
        for (std::size_t k = i; k > 0; --k) {
            const std::uint8_t own = class_of(all[k]);
            if (own == 0 || class_of(all[k - 1]) <= own) break;
            std::swap(all[k], all[k - 1]);
        }
    }
    for (std::size_t i = 1; i < all.size();) {
        std::size_t starter = i;
        bool blocked = false;
        while (starter > 0) {
            --starter;
            if (class_of(all[starter]) == 0) break;
            blocked = blocked || class_of(all[starter]) >= class_of(all[i]);
        }
        const char32_t both =
            blocked || class_of(all[starter]) != 0 ? 0 : composite(all[starter], all[i]);
        if (both == 0) {
            ++i;
            continue;
        }
        all[starter] = both;
        all.erase(i, 1);
    }
    std::string bytes;
    for (const char32_t c : all) bytes += fuzz::encoded(c);
    return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::size_t before = input.below(70);
    const std::string all = std::string(before, 'q') + std::string(input.rest().substr(0, 600));
    const fuzz::ExactText exact(all);
    const std::string_view text = exact;
    text::Nfc nfc(true);
    const auto found = nfc(text);
    HOLDS(found.has_value());
    const auto characters = fuzz::characters_of(text);
    HOLDS(fuzz::characters_of(*found).has_value() == characters.has_value());
    if (!characters) return 0;
    HOLDS(*found == plain_nfc(*characters));
    HOLDS((*found == text) == nfc.changes().empty());

    text::SpanBuffer buffer;
    text::NfcSpans<text::WordPunctSpans> spans(*found, nfc.changes(), buffer);
    std::vector<fuzz::Place> places;
    while (spans.next()) {
        for (std::size_t k = 0; k < buffer.starts_size; ++k) {
            places.push_back({buffer.starts[k], buffer.ends[k]});
        }
    }
    HOLDS(spans.valid());
    HOLDS(fuzz::cover(places, *characters));
    return 0;
}
