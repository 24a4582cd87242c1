// Normalization Forms C and KC against the plain way: the whole text is decomposed, put in order,
// composed.

#include "text/normalizer.hpp"

#include <map>

#include "fuzz_input.hpp"
#include "plain_text.hpp"
#include "text/normalized_spans.hpp"
#include "unicode/normal_form_tables.hpp"

namespace {

using namespace dsir;

std::uint8_t class_of(char32_t c) {
    return unicode::kFormC.properties_of(c).combining_class;
}

std::map<char32_t, std::u32string> decompositions_of(const unicode::NormalForm& form) {
    std::map<char32_t, std::u32string> all;
    for (std::size_t i = 0; i < form.decompositions; ++i) {
        all[form.decomposed[i]].assign(form.decomposition_parts + form.decomposition_starts[i],
                                       form.decomposition_parts + form.decomposition_starts[i + 1]);
    }
    return all;
}

void decompose(char32_t c, text::Form form, std::u32string& out) {
    if (c >= 0xAC00 && c < 0xAC00 + 11172) {
        const char32_t place = c - 0xAC00;
        out += 0x1100 + place / 588;
        out += 0x1161 + place % 588 / 28;
        if (place % 28 != 0) out += 0x11A7 + place % 28;
        return;
    }
    static const auto kCanonical = decompositions_of(unicode::kFormC);
    static const auto kCompatible = decompositions_of(unicode::kFormKc);
    const auto& all = form == text::Form::nfkc ? kCompatible : kCanonical;
    const auto found = all.find(c);
    out += found == all.end() ? std::u32string(1, c) : found->second;
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

std::string plain_form(const std::vector<fuzz::Character>& text, text::Form form) {
    std::u32string all;
    for (const fuzz::Character& one : text) decompose(one.code_point, form, all);
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

void check(std::string_view text, text::Form form) {
    text::Normalizer normalizer(form, true);
    const auto found = normalizer(text);
    HOLDS(found.has_value());
    const auto characters = fuzz::characters_of(text);
    HOLDS(fuzz::characters_of(*found).has_value() == characters.has_value());
    if (!characters) return;
    HOLDS(*found == plain_form(*characters, form));
    HOLDS((*found == text) == normalizer.changes().empty());

    text::SpanBuffer buffer;
    text::NormalizedSpans<text::WordPunctSpans> spans(*found, normalizer.changes(), buffer);
    std::vector<fuzz::Place> places;
    while (spans.next()) {
        for (std::size_t k = 0; k < buffer.starts_size; ++k) {
            places.push_back({buffer.starts[k], buffer.ends[k]});
        }
    }
    HOLDS(spans.valid());
    HOLDS(fuzz::cover(places, *characters));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::size_t before = input.below(70);
    const std::string all = std::string(before, 'q') + std::string(input.rest().substr(0, 600));
    const fuzz::ExactText exact(all);
    const std::string_view text = exact;
    check(text, text::Form::nfc);
    check(text, text::Form::nfkc);
    return 0;
}
