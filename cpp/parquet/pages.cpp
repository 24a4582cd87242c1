#include "parquet/pages.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include "parquet/thrift.hpp"

namespace dsir::parquet {
namespace {

constexpr std::size_t kLengthBytes = 4;

void require(bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(what);
}

/// Reads the header of a data page of version 1 or of a dictionary page.
void read_values(ThriftReader& reader, PageHeader& header) {
    reader.read_struct([&](std::int64_t id, Type type) {
        if (id == 1) {
            header.values = reader.i32(type);
        } else if (id == 2) {
            header.encoding = reader.i32(type);
        } else {
            reader.skip(type);
        }
    });
}

/// Reads the header of a data page of version 2.
void read_values_v2(ThriftReader& reader, PageHeader& header) {
    std::int64_t level_bytes = 0;
    reader.read_struct([&](std::int64_t id, Type type) {
        if (id == 1) {
            header.values = reader.i32(type);
        } else if (id == 4) {
            header.encoding = reader.i32(type);
        } else if (id == 5 || id == 6) {
            const std::int64_t length = reader.i32(type);
            require(length >= 0, "the header of a page is damaged");
            level_bytes += length;
        } else if (id == 7) {
            header.is_compressed = type != Type::kFalse;
            reader.skip(type);
        } else {
            reader.skip(type);
        }
    });
    require(level_bytes <= INT32_MAX, "the header of a page is damaged");
    header.level_bytes = static_cast<std::int32_t>(level_bytes);
}

std::uint32_t little_endian(std::string_view bytes) {
    require(bytes.size() >= kLengthBytes, "a page ends early");
    std::uint32_t value = 0;
    for (std::size_t k = kLengthBytes; k-- > 0;) {
        value = value << 8 | static_cast<std::uint8_t>(bytes[k]);
    }
    return value;
}

/// Reads an unsigned varint of at most 32 bits.
std::uint32_t varint(std::string_view& bytes) {
    std::uint32_t value = 0;
    for (int shift = 0; shift < 32; shift += 7) {
        require(!bytes.empty(), "a page ends early");
        const auto part = static_cast<std::uint8_t>(bytes[0]);
        bytes.remove_prefix(1);
        value |= static_cast<std::uint32_t>(part & 0x7F) << shift;
        if ((part & 0x80) == 0) return value;
    }
    throw std::invalid_argument("a run of indices is too long");
}

/// Counts how often each index is used.
class IndexUses {
  public:
    explicit IndexUses(std::uint32_t distinct) : uses_(distinct) {}

    void add(std::uint64_t index, std::int64_t count) {
        require(index < uses_.size(), "an index is not in the dictionary");
        uses_[index] += count;
        most_ = std::max(most_, uses_[index]);
    }

    std::int64_t most() const { return most_; }

  private:
    std::vector<std::int64_t> uses_;
    std::int64_t most_ = 0;
};

/// Adds a run of bit-packed groups of 8 indices; the last may lack bytes at the end of a page.
void add_packed(std::string_view& bytes, std::uint64_t groups, unsigned width, IndexUses& uses) {
    const std::uint64_t wanted = groups * width;
    const std::string_view packed = bytes.substr(0, wanted);
    bytes.remove_prefix(packed.size());
    const std::uint64_t count = width == 0 ? 0 : std::min(groups * 8, packed.size() * 8 / width);
    std::uint64_t bits = 0;
    unsigned held = 0;
    std::size_t at = 0;
    for (std::uint64_t k = 0; k < count; ++k) {
        while (held < width) {
            bits |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(packed[at++])) << held;
            held += 8;
        }
        uses.add(bits & ((std::uint64_t{1} << width) - 1), 1);
        bits >>= width;
        held -= width;
    }
}

}  // namespace

std::optional<PageHeader> read_page_header(std::string_view bytes) {
    ThriftReader reader(bytes);
    PageHeader header;
    try {
        reader.read_struct([&](std::int64_t id, Type type) {
            if (id == 1) {
                header.type = reader.i32(type);
            } else if (id == 2) {
                header.uncompressed = reader.i32(type);
            } else if (id == 3) {
                header.compressed = reader.i32(type);
            } else if ((id == 5 || id == 7) && type == Type::kStruct) {
                read_values(reader, header);
            } else if (id == 8 && type == Type::kStruct) {
                read_values_v2(reader, header);
            } else {
                reader.skip(type);
            }
        });
    } catch (const EndsEarly&) {
        return std::nullopt;
    }
    require(header.type >= 0 && header.uncompressed >= 0 && header.compressed >= 0 &&
                header.values >= 0 && header.level_bytes <= header.compressed,
            "the header of a page is damaged");
    header.bytes = static_cast<std::int64_t>(bytes.size() - reader.left());
    return header;
}

std::int64_t longest_plain_value(std::string_view page, std::int64_t count) {
    std::int64_t longest = 0;
    for (std::int64_t k = 0; k < count; ++k) {
        const std::uint32_t length = little_endian(page);
        require(length <= page.size() - kLengthBytes, "a page ends early");
        longest = std::max(longest, static_cast<std::int64_t>(length));
        page.remove_prefix(kLengthBytes + length);
    }
    return longest;
}

std::int64_t most_uses_of_an_index(std::string_view page, int levels, std::uint32_t distinct) {
    for (int k = 0; k < levels; ++k) {
        const std::uint32_t length = little_endian(page);
        require(length <= page.size() - kLengthBytes, "a page ends early");
        page.remove_prefix(kLengthBytes + length);
    }
    IndexUses uses(distinct);
    if (page.empty()) return 0;  // All values are null.
    const unsigned width = static_cast<std::uint8_t>(page[0]);
    require(width <= 32, "indices have more than 32 bits");
    page.remove_prefix(1);
    while (!page.empty()) {
        const std::uint32_t header = varint(page);
        if ((header & 1) != 0) {
            // Without bits, all indices of the groups are 0.
            if (width == 0) uses.add(0, std::int64_t{8} * (header >> 1));
            add_packed(page, header >> 1, width, uses);
        } else {
            const std::size_t bytes = (width + 7) / 8;
            require(bytes <= page.size(), "a page ends early");
            std::uint64_t index = 0;
            for (std::size_t k = bytes; k-- > 0;) {
                index = index << 8 | static_cast<std::uint8_t>(page[k]);
            }
            page.remove_prefix(bytes);
            uses.add(index, header >> 1);
        }
    }
    return uses.most();
}

}  // namespace dsir::parquet
