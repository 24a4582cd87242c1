#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsir::simd {

/// The numbers of characters below U+0800 by their bytes, for the scalar kernel: what a byte adds
/// to the numbers of a text, by the byte before it. So no branch depends on the length of a
/// character.
class ByteSteps {
  public:
    /// Nothing, or kOneNumber and a number in the lower half.
    using Step = std::uint32_t;
    static constexpr Step kNothing = 0;
    static constexpr Step kOneNumber = Step{1} << 16;
    /// The byte alone, or with the byte before it, does not tell.
    static constexpr Step kUnknown = Step{2} << 16;

    ByteSteps() : steps_(kRows * 256, kUnknown) {
        for (std::size_t lead = kFirstLead; lead < kFirstLead + kRows - 1; ++lead) {
            rows_[lead] = static_cast<std::uint16_t>(256 * (lead - kFirstLead + 1));
            steps_[lead] = kNothing;
        }
    }

    /// Sets the step of a character below U+0800.
    void set(char32_t code_point, Step step) {
        if (code_point < 0x80) {
            steps_[code_point] = step;
        } else {
            steps_[rows_[0xC0 | (code_point >> 6)] + (0x80 | (code_point & 0x3F))] = step;
        }
    }

    /// The row after a byte: 0 is for bytes that begin a character, the others for the second bytes
    /// of characters of two.
    const std::uint16_t* rows() const { return rows_.data(); }

    /// At [row + byte].
    const Step* steps() const { return steps_.data(); }

  private:
    static constexpr std::size_t kFirstLead = 0xC2;
    static constexpr std::size_t kRows = 1 + 0xE0 - kFirstLead;

    std::vector<Step> steps_;
    std::array<std::uint16_t, 256> rows_{};
};

}  // namespace dsir::simd
