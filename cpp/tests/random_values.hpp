#pragma once

#include <cstddef>
#include <vector>

#include "check.hpp"

namespace dsir::test {

/// Values from -2 to 2.
inline std::vector<float> random_values(Random& random, std::size_t size) {
    std::vector<float> values(size);
    for (float& value : values) value = static_cast<float>(random.uniform() * 4 - 2);
    return values;
}

}  // namespace dsir::test
