#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsir::sampling {

/// Tells which hashes have been seen before, of one part of all hashes.
///
/// The parts divide the hashes by their upper bits. One pass over all rows, in order, a part:
/// memory is that of the hashes of one part, whatever the number of rows.
class FirstSeen {
  public:
    /// `part`: below `parts`. `expected`: about how many hashes of the part there are; the table
    /// grows where there are more.
    FirstSeen(std::uint32_t part, std::uint32_t parts, std::size_t expected);

    /// Sets repeated[i] to 1 where row i is eligible, its hash of this part, and was seen before,
    /// in an earlier row of this call or of one before. Other entries are left as they are.
    void add(const std::uint64_t* hashes, const std::uint8_t* eligible, std::int64_t size,
             std::uint8_t* repeated);

    std::size_t size() const { return held_ + (zero_seen_ ? 1 : 0); }  ///< different hashes

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
