#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "text/letter_case.hpp"
#include "text/token_buffer.hpp"

namespace dsir::text {

/// Thrown when a kernel of the caller breaks its contract. The message says what the kernel did;
/// who knows the kernel's name by its address puts it in front.
class KernelError : public std::runtime_error {
  public:
    template <class Kernel>
    KernelError(Kernel* kernel, const std::string& what)
        : std::runtime_error(what), address_(reinterpret_cast<std::uintptr_t>(kernel)) {}

    std::uintptr_t address() const { return address_; }

  private:
    std::uintptr_t address_;
};

/// What a TokenizerKernel or a FeatureKernel returns if it raised an exception.
inline constexpr std::int64_t kKernelRaised = std::numeric_limits<std::int64_t>::min();
inline constexpr const char* kRaised = "raised an exception; call it in Python to see which";

/// A tokenizer that the caller has compiled. It writes the places of the tokens that begin at `at`
/// or after, in order, at most `room` of them, and returns how many there are. The next call begins
/// where the last of them ends; 0 says that there are no more. `text` is UTF-8. kKernelRaised says
/// that the kernel failed.
using TokenizerKernel = std::int64_t (*)(const std::uint8_t* text, std::int64_t size,
                                         std::int64_t at, std::uint32_t* starts,
                                         std::uint32_t* ends, std::int64_t room);

/// The tokens of a TokenizerKernel, in lower case or as they are written. Each token is lowered by
/// itself, so a capital sigma at its end is final. Used like WordPunct. Memory: 1.5 times the
/// document, which lies in the buffer, and as much again if characters change their length.
class KernelTokens {
  public:
    /// Starts on a document of up to 2 GiB. `document` and `buffer` must outlive the tokenizer.
    KernelTokens(std::string_view document, TokenBuffer& buffer, TokenizerKernel kernel,
                 Case letters);

    /// Fills the buffer with the next tokens. Returns false when there are none left. Throws
    /// KernelError if the places are not in order, not in the document, or inside characters.
    bool next();

    /// Whether the document is UTF-8.
    bool valid() const { return valid_; }

  private:
    std::size_t ask();
    bool are_good(std::size_t tokens) const;
    [[noreturn]] void refuse(std::size_t tokens) const;
    void lower_left(std::size_t tokens);

    std::string_view document_;
    TokenBuffer& buffer_;  ///< has the document, in its case, with every character where it was
    TokenizerKernel kernel_;
    std::vector<std::uint32_t> left_;  ///< the characters that could not be lowered there
    std::size_t left_at_ = 0;          ///< the first of them that no token has passed
    std::uint32_t at_ = 0;
    bool valid_;
};

}  // namespace dsir::text
