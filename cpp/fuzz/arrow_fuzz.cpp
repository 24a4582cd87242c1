// Damaged Arrow arrays: each one is refused, or its texts lie within its buffers.
//
// The C Data Interface does not tell how long buffers are. Here they are as long as the array's
// length and offset require, and the last offset is within the text. The input decides everything
// else: flags, counts, offsets, views, indices, null pointers, missing buffers.

#include <array>

#include "arrow/text_column.hpp"
#include "fuzz_input.hpp"

#include <vector>

namespace {

using namespace dsir;

/// An array with its buffers and their sizes.
struct Hostile {
    ArrowSchema schema{};
    ArrowArray array{};
    std::vector<std::unique_ptr<char[]>> memory;
    std::vector<const void*> buffers;
    std::vector<std::pair<const char*, std::size_t>> texts;  ///< where a text may lie
    std::string format;
};

char* add(Hostile& to, std::size_t size, fuzz::Input& input) {
    to.memory.emplace_back(new char[size]);
    char* const at = to.memory.back().get();
    for (std::size_t i = 0; i < size; ++i) at[i] = static_cast<char>(input.byte());
    to.buffers.push_back(at);
    return at;
}

template <class Offset>
void add_strings(Hostile& to, std::size_t slots, fuzz::Input& input) {
    char* const offsets = add(to, (slots + 1) * sizeof(Offset), input);
    const std::size_t size = input.byte();
    Offset last;
    std::memcpy(&last, offsets + slots * sizeof(Offset), sizeof last);
    if (last > static_cast<Offset>(size)) {
        // No reader could know that an offset is beyond the text.
        last = static_cast<Offset>(size);
        std::memcpy(offsets + slots * sizeof(Offset), &last, sizeof last);
    }
    const char* const text = add(to, size, input);
    to.texts.emplace_back(text, size);
}

void add_views(Hostile& to, std::size_t slots, fuzz::Input& input) {
    const char* const views = add(to, slots * 16, input);
    to.texts.emplace_back(views, slots * 16);
    const std::size_t count = input.below(4);
    std::vector<std::int64_t> sizes;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t size = input.byte();
        const char* const text = add(to, size, input);
        to.texts.emplace_back(text, size);
        sizes.push_back(static_cast<std::int64_t>(size));
    }
    to.memory.emplace_back(new char[sizes.size() * 8]);
    if (count != 0) std::memcpy(to.memory.back().get(), sizes.data(), sizes.size() * 8);
    to.buffers.push_back(to.memory.back().get());
}

void fill(Hostile& to, fuzz::Input& input, std::size_t kind) {
    constexpr const char* kFormats[] = {"u", "U", "vu", "c",  "C", "s",  "S",  "i", "I", "l",
                                        "L", "z", "Z",  "vz", "",  "uu", "+s", "n", "g", "b"};
    static_assert(std::size(kFormats) == 20);
    constexpr std::size_t kWidths[] = {1, 1, 2, 2, 4, 4, 8, 8};
    const std::size_t length = input.below(9);
    const std::size_t offset = input.below(9);
    const std::size_t slots = length + offset;
    add(to, (slots + 7) / 8, input);  // validity
    if (kind == 0) {
        add_strings<std::int32_t>(to, slots, input);
    } else if (kind == 1) {
        add_strings<std::int64_t>(to, slots, input);
    } else if (kind == 2) {
        add_views(to, slots, input);
    } else {
        add(to, slots * kWidths[kind - 3], input);
    }
    to.format = kFormats[kind];
    to.schema.release = [](ArrowSchema*) {};
    to.array.release = [](ArrowArray*) {};
    to.array.length = static_cast<std::int64_t>(length);
    to.array.offset = static_cast<std::int64_t>(offset);
    to.array.null_count = static_cast<std::int8_t>(input.byte());
    to.array.n_buffers = static_cast<std::int64_t>(to.buffers.size());
    const std::uint8_t damage = input.byte();
    // Of the 32 values most do no damage. Claiming less than there is can be built safely; claiming
    // more would be a lie that no reader could detect.
    switch (damage % 32) {
        case 1:
            to.array.length = -1 - to.array.length;
            break;
        case 2:
            to.array.offset = -1 - to.array.offset;
            break;
        case 3:
            to.array.length = static_cast<std::int64_t>(input.take<std::uint64_t>() | 1ULL << 63);
            break;
        case 4:
            to.buffers[input.below(to.buffers.size())] = nullptr;
            break;
        case 5:
            to.array.n_buffers = static_cast<std::int64_t>(input.below(kind < 3 ? 3 : 2));
            break;
        case 6:
            to.array.n_buffers = -static_cast<std::int64_t>(input.byte());
            break;
        case 7:
            to.schema.release = nullptr;
            break;
        case 8:
            to.array.release = nullptr;
            break;
        case 9:
            to.format = kFormats[11 + input.below(9)];
            break;
        case 10:
            to.format = std::string(1, static_cast<char>(input.byte()));
            // Another known format would be such a lie.
            if (std::string_view("uUcCsSiIlL").find(to.format) != std::string_view::npos) {
                to.format = kFormats[kind];
            }
            break;
        case 11:
            to.array.offset = INT64_MAX - static_cast<std::int64_t>(input.byte());
            to.array.length = static_cast<std::int64_t>(input.byte()) + 1;
            break;
        default:
            break;
    }
    to.schema.format = to.format.c_str();
    to.array.buffers = to.buffers.data();
}

bool lies_within(std::string_view text, const Hostile& array) {
    if (text.empty()) return true;
    for (const auto& [begin, size] : array.texts) {
        const auto at = reinterpret_cast<std::uintptr_t>(text.data());
        const auto from = reinterpret_cast<std::uintptr_t>(begin);
        if (at >= from && at - from <= size && text.size() <= size - (at - from)) return true;
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    Hostile values;
    Hostile indices;
    const std::uint8_t kind = input.byte();
    const bool dictionary = (kind & 4) != 0;
    fill(values, input, kind % 4 % 3);
    if (dictionary) {
        fill(indices, input, 3 + (kind >> 4) % 8);
        indices.schema.dictionary = (kind & 8) != 0 && input.byte() == 1 ? nullptr : &values.schema;
        indices.array.dictionary = (kind & 8) != 0 && input.byte() == 1 ? nullptr : &values.array;
    }
    const Hostile& array = dictionary ? indices : values;
    try {
        const arrow::TextColumn column(array.schema, array.array);
        HOLDS(column.size() == array.array.length);
        std::int64_t bytes = 0;
        for (std::int64_t row = 0; row < column.size(); ++row) {
            const auto text = column[row];
            if (!text) continue;
            HOLDS(lies_within(*text, values));
            volatile char sink = 0;
            for (const char c : *text) sink = c;
            (void)sink;
            bytes += static_cast<std::int64_t>(text->size());
        }
        HOLDS(column.text_bytes() == bytes);
    } catch (const arrow::TypeError&) {
        // Refusing is also a right answer.
    }
    return 0;
}
