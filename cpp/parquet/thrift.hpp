#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace dsir::parquet {

/// The types of values in Thrift's compact protocol.
enum class Type : std::uint8_t {
    kStop = 0,
    kTrue = 1,
    kFalse = 2,
    kByte = 3,
    kI16 = 4,
    kI32 = 5,
    kI64 = 6,
    kDouble = 7,
    kBinary = 8,
    kList = 9,
    kSet = 10,
    kMap = 11,
    kStruct = 12,
    kUuid = 13,
};

/// The bytes end before the structure does.
class EndsEarly : public std::invalid_argument {
  public:
    EndsEarly() : std::invalid_argument("the structure ends early") {}
};

/// Reads Thrift's compact protocol. Every read checks that the bytes are there, and throws
/// EndsEarly otherwise; what is no Thrift is a std::invalid_argument.
class ThriftReader {
  public:
    explicit ThriftReader(std::string_view bytes) : bytes_(bytes) {}

    /// Calls `field(id, type)` for every field of a structure; it must read or skip the value.
    template <class Field>
    void read_struct(Field&& field) {
        std::int64_t id = 0;
        while (true) {
            const std::uint8_t header = byte();
            const Type type = type_of(header & 0x0F);
            if (type == Type::kStop) return;
            id = (header >> 4) != 0 ? id + (header >> 4) : zigzag();
            require(id >= INT16_MIN && id <= INT16_MAX, "the number of a field has over 16 bits");
            field(id, type);
        }
    }

    /// Calls `element()` for every element of a list of this type.
    template <class Element>
    void read_list(Type type, Type element_type, Element&& element) {
        require(type == Type::kList, "a list is expected");
        const auto [found, count] = list_header();
        require(count == 0 || found == element_type, "a list has elements of another type");
        for (std::uint64_t k = 0; k < count; ++k) element();
    }

    std::int32_t i32(Type type) {
        require(type == Type::kI32, "a number of 32 bits is expected");
        const std::int64_t value = zigzag();
        require(value >= INT32_MIN && value <= INT32_MAX, "a number does not fit in 32 bits");
        return static_cast<std::int32_t>(value);
    }

    std::int64_t i64(Type type) {
        require(type == Type::kI64, "a number of 64 bits is expected");
        return zigzag();
    }

    std::string_view binary(Type type) {
        require(type == Type::kBinary, "a string is expected");
        return take(varint());
    }

    void skip(Type type, int depth = 0);

    /// The number of bytes not yet read.
    std::size_t left() const { return bytes_.size(); }

    static void require(bool condition, const char* what) {
        if (!condition) throw std::invalid_argument(what);
    }

  private:
    struct ListHeader {
        Type type;
        std::uint64_t count;
    };

    static Type type_of(int code) {
        require(code <= static_cast<int>(Type::kUuid), "a value has an unknown type");
        return static_cast<Type>(code);
    }

    std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
    std::string_view take(std::uint64_t count);
    std::uint64_t varint();
    std::int64_t zigzag();
    ListHeader list_header();

    std::string_view bytes_;
};

}  // namespace dsir::parquet
