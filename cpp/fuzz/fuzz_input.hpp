#pragma once

// What a fuzz target needs. A target is one .cpp with LLVMFuzzerTestOneInput. A wrong answer aborts
// the target, as a bad memory access does, so the fuzzer keeps the input.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace dsir::fuzz {

/// The bytes of one input: settings from the front, then text. Yields zeros when they are used up.
class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

    template <class T>
    T take() {
        T value{};
        const std::size_t some = left() < sizeof value ? left() : sizeof value;
        if (some != 0) std::memcpy(&value, at_, some);
        at_ += some;
        return value;
    }
    std::uint8_t byte() { return take<std::uint8_t>(); }
    /// 0 to bound - 1. Takes one byte, so `bound` is at most 256.
    std::size_t below(std::size_t bound) { return byte() % bound; }

    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
    std::string_view rest() {
        const std::string_view all(reinterpret_cast<const char*>(at_), left());
        at_ = end_;
        return all;
    }

  private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
};

/// A text in memory of exactly its size, so that the address sanitizer sees every read beyond the
/// end.
class ExactText {
  public:
    explicit ExactText(std::string_view text) : bytes_(new char[text.size()]), size_(text.size()) {
        if (size_ != 0) std::memcpy(bytes_.get(), text.data(), size_);
    }
    operator std::string_view() const { return {bytes_.get(), size_}; }

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

[[noreturn]] inline void fail(const char* what, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    std::abort();
}

}  // namespace dsir::fuzz

#define HOLDS(...)                                                              \
    do {                                                                        \
        if (!(__VA_ARGS__)) dsir::fuzz::fail(#__VA_ARGS__, __FILE__, __LINE__); \
    } while (false)
