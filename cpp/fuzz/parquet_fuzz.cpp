// Footers and pages of Parquet files: refused, or what is found lies in the file and agrees with a
// plain reading.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>

#include "fuzz_input.hpp"
#include "parquet/footer.hpp"
#include "parquet/pages.hpp"

namespace {

using namespace dsir;

/// What `read()` gives, or nothing if it refuses its bytes.
template <class Read>
auto unless_refused(Read&& read) -> std::optional<decltype(read())> {
    try {
        return read();
    } catch (const std::invalid_argument&) {
        return std::nullopt;
    }
}

void check_footer(fuzz::Input& input) {
    const auto data_end = static_cast<std::int64_t>(input.take<std::uint32_t>());
    const fuzz::ExactText bytes(input.rest());
    const auto footer = unless_refused([&] { return parquet::Footer(bytes, data_end); });
    // What follows the structure is not read.
    const fuzz::ExactText longer(std::string(std::string_view(bytes)) + "more");
    const auto again = unless_refused([&] { return parquet::Footer(longer, data_end); });
    HOLDS(!footer || again);
    if (!footer) return;
    std::size_t group = 0;
    while (const auto chunks = unless_refused([&] { return footer->chunks(group); })) {
        HOLDS(chunks->size() == footer->leaves().size());
        std::optional<std::int64_t> rows;
        for (std::size_t k = 0; k < chunks->size(); ++k) {
            const parquet::ColumnChunk& chunk = (*chunks)[k];
            HOLDS(chunk.values >= 0);
            HOLDS(chunk.values == 0 || (chunk.start >= 4 && chunk.start <= data_end));
            HOLDS(footer->leaves()[k].length >= 0);
            if (footer->leaves()[k].repeated) continue;
            HOLDS(rows.value_or(chunk.values) == chunk.values);
            rows = chunk.values;
        }
        // A footer without columns has no chunks, however many groups it has.
        if (++group > std::string_view(bytes).size()) break;
    }
}

bool operator==(const parquet::PageHeader& one, const parquet::PageHeader& other) {
    return one.bytes == other.bytes && one.type == other.type &&
           one.uncompressed == other.uncompressed && one.compressed == other.compressed &&
           one.values == other.values && one.encoding == other.encoding &&
           one.level_bytes == other.level_bytes && one.is_compressed == other.is_compressed;
}

void check_header(fuzz::Input& input) {
    const fuzz::ExactText bytes(input.rest());
    const std::string_view all = bytes;
    const auto found = unless_refused([&] { return parquet::read_page_header(bytes); });
    if (!found || !*found) return;
    const parquet::PageHeader header = **found;
    HOLDS(header.bytes > 0 && header.bytes <= static_cast<std::int64_t>(all.size()));
    HOLDS(header.type >= 0 && header.values >= 0 && header.uncompressed >= 0);
    HOLDS(header.level_bytes >= 0 && header.level_bytes <= header.compressed);
    const auto size = static_cast<std::size_t>(header.bytes);
    const auto alone = parquet::read_page_header(fuzz::ExactText(all.substr(0, size)));
    HOLDS(alone && *alone == header);
    const auto shorter = unless_refused(
        [&] { return parquet::read_page_header(fuzz::ExactText(all.substr(0, size - 1))); });
    HOLDS(shorter && !*shorter);
}

/// A number of little-endian bytes; nothing if they are not there.
std::optional<std::uint64_t> number(std::string_view& bytes, std::size_t size) {
    if (bytes.size() < size) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t k = 0; k < size; ++k) {
        value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[k])) << (8 * k);
    }
    bytes.remove_prefix(size);
    return value;
}

void check_plain_values(fuzz::Input& input) {
    const std::int64_t count = input.byte();
    const fuzz::ExactText page(input.rest());
    const auto found = unless_refused([&] { return parquet::longest_plain_value(page, count); });
    std::string_view left = page;
    std::int64_t longest = 0;
    bool whole = true;
    for (std::int64_t k = 0; k < count && whole; ++k) {
        const auto length = number(left, 4);
        whole = length && *length <= left.size();
        if (!whole) break;
        longest = std::max(longest, static_cast<std::int64_t>(*length));
        left.remove_prefix(*length);
    }
    HOLDS(found.has_value() == whole && (!whole || *found == longest));
}

using Uses = std::map<std::uint64_t, std::int64_t>;

/// Counts the indices of a page bit by bit; nothing if they lead out of the page.
std::optional<Uses> plain_uses(std::string_view page, int levels) {
    for (int k = 0; k < levels; ++k) {
        const auto length = number(page, 4);
        if (!length || *length > page.size()) return std::nullopt;
        page.remove_prefix(*length);
    }
    Uses uses;
    if (page.empty()) return uses;
    const std::size_t width = *number(page, 1);
    if (width > 32) return std::nullopt;
    while (!page.empty()) {
        std::uint64_t header = 0;
        for (int shift = 0;; shift += 7) {
            const auto part = number(page, 1);
            if (!part || shift > 28) return std::nullopt;
            header |= (*part & 0x7F) << shift;
            if ((*part & 0x80) == 0) break;
        }
        header &= 0xFFFFFFFF;
        const auto count = static_cast<std::int64_t>(header >> 1);
        if ((header & 1) == 0) {
            const auto index = number(page, (width + 7) / 8);
            if (!index) return std::nullopt;
            uses[*index] += count;
        } else if (width == 0) {
            uses[0] += 8 * count;
        } else {
            const auto bits = static_cast<std::uint64_t>(count) * 8 * width;
            const std::uint64_t there = std::min<std::uint64_t>(bits, page.size() * 8);
            for (std::uint64_t at = 0; at + width <= there; at += width) {
                std::uint64_t index = 0;
                for (std::uint64_t bit = 0; bit < width; ++bit) {
                    const auto byte = static_cast<std::uint8_t>(page[(at + bit) / 8]);
                    index |= static_cast<std::uint64_t>(byte >> (at + bit) % 8 & 1) << bit;
                }
                ++uses[index];
            }
            page.remove_prefix(std::min<std::uint64_t>((bits + 7) / 8, page.size()));
        }
    }
    return uses;
}

void check_indices(fuzz::Input& input) {
    const auto distinct = input.take<std::uint16_t>();
    const int levels = static_cast<int>(input.below(3));
    const fuzz::ExactText page(input.rest());
    const auto found =
        unless_refused([&] { return parquet::most_uses_of_an_index(page, levels, distinct); });
    const auto uses = plain_uses(page, levels);
    const bool is_right = uses && (uses->empty() || uses->rbegin()->first < distinct);
    HOLDS(found.has_value() == is_right);
    if (!is_right) return;
    std::int64_t most = 0;
    for (const auto& [index, count] : *uses) most = std::max(most, count);
    HOLDS(*found == most);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    switch (input.below(4)) {
        case 0:
            check_footer(input);
            break;
        case 1:
            check_header(input);
            break;
        case 2:
            check_plain_values(input);
            break;
        default:
            check_indices(input);
    }
    return 0;
}
