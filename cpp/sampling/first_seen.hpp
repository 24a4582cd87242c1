#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsir::sampling {

/// Finds hashes that occurred before, for one part of all hashes.
///
/// The upper bits of a hash decide to which part it belongs. The caller makes one pass over all
/// rows, in order, for each part; memory then holds only the hashes of one part, whatever the
/// number of rows.
class FirstSeen {
  public:
    /// `part` is below `parts`. `expected` is about how many different hashes the part has; the
    /// table grows if there are more.
    FirstSeen(std::uint32_t part, std::uint32_t parts, std::size_t expected);

    /// Sets repeated[i] to 1 if row i is eligible, its hash belongs to this part, and the hash
    /// occurred in an earlier row of this call or of an earlier call. Leaves the other entries as
    /// they are.
    void add(const std::uint64_t* hashes, const std::uint8_t* eligible, std::int64_t size,
             std::uint8_t* repeated);

    std::size_t size() const {
        return held_ + (zero_seen_ ? 1 : 0);
    }  ///< number of different hashes

  private:
    bool insert(std::uint64_t hash);
    void grow();

    std::uint32_t part_;
    std::uint32_t parts_;
    std::vector<std::uint64_t> slots_;  ///< open addressing; 0 is a free slot
    std::size_t held_ = 0;
    bool zero_seen_ = false;
};

}  // namespace dsir::sampling
