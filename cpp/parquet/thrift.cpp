#include "parquet/thrift.hpp"

namespace dsir::parquet {
namespace {

constexpr int kDeepest = 64;

}  // namespace

std::string_view ThriftReader::take(std::uint64_t count) {
    if (count > bytes_.size()) throw EndsEarly();
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
}

std::uint64_t ThriftReader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const std::uint8_t part = byte();
        value |= static_cast<std::uint64_t>(part & 0x7F) << shift;
        if ((part & 0x80) == 0) return value;
    }
    throw std::invalid_argument("a number has more than 64 bits");
}

std::int64_t ThriftReader::zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

ThriftReader::ListHeader ThriftReader::list_header() {
    const std::uint8_t header = byte();
    const std::uint64_t count = (header >> 4) == 15 ? varint() : header >> 4;
    // Every element has at least one byte, so that a damaged count ends the loop over them.
    if (count > bytes_.size()) throw EndsEarly();
    return {type_of(header & 0x0F), count};
}

void ThriftReader::skip(Type type, int depth) {
    require(depth < kDeepest, "structures are nested too deeply");
    switch (type) {
        case Type::kStop:
            throw std::invalid_argument("a value has no type");
        case Type::kTrue:
        case Type::kFalse:
            return;  // The type is the value.
        case Type::kByte:
            take(1);
            return;
        case Type::kI16:
        case Type::kI32:
        case Type::kI64:
            varint();
            return;
        case Type::kDouble:
            take(8);
            return;
        case Type::kBinary:
            take(varint());
            return;
        case Type::kUuid:
            take(16);
            return;
        case Type::kList:
        case Type::kSet: {
            const auto [element, count] = list_header();
            const bool is_bool = element == Type::kTrue || element == Type::kFalse;
            for (std::uint64_t k = 0; k < count; ++k) {
                skip(is_bool ? Type::kByte : element, depth + 1);  // In lists a bool is a byte.
            }
            return;
        }
        case Type::kMap: {
            const std::uint64_t count = varint();
            require(count <= bytes_.size(), "a map is longer than the structure");
            if (count == 0) return;
            const std::uint8_t types = byte();
            for (std::uint64_t k = 0; k < count; ++k) {
                for (const int code : {types >> 4, types & 0x0F}) {
                    const Type one = type_of(code);
                    const bool is_bool = one == Type::kTrue || one == Type::kFalse;
                    skip(is_bool ? Type::kByte : one, depth + 1);
                }
            }
            return;
        }
        case Type::kStruct:
            read_struct([&](std::int64_t, Type field) { skip(field, depth + 1); });
            return;
    }
}

}  // namespace dsir::parquet
