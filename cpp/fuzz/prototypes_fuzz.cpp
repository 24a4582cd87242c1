// Prototypes, neighbours and candidates of labelled rows, for rows of any finite numbers, large and
// small. A chosen row exists, is chosen once, and belongs to its part. Neighbours and greedy
// choices are the same as when everything is compared.

#include "gais/near_rows.hpp"
#include "gais/prototypes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "fuzz_input.hpp"
#include "gais/facility_location.hpp"
#include "gais/group_neighbours.hpp"

namespace {

using namespace dsir;

float number(fuzz::Input& input) {
    constexpr float kOdd[] = {3.4e38F, -3.4e38F, 1e20F, 1e-45F, 1e-38F, 2e19F, -0.0F, 1e-20F};
    const std::uint8_t kind = input.byte();
    if (kind < 220) return static_cast<float>(kind % 11) - 5;
    if (kind < 240) return kOdd[kind % 8];
    const auto any = input.take<float>();
    return std::isfinite(any) ? any : 0.0F;
}

/// A cut of all rows into parts.
struct Cut {
    std::vector<std::int32_t> members;
    std::vector<std::int64_t> offsets{0};
    std::int64_t parts() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

Cut cut_in(fuzz::Input& input, std::size_t size) {
    Cut cut;
    cut.members.resize(size);
    std::iota(cut.members.begin(), cut.members.end(), 0);
    for (std::size_t i = size; i > 1; --i) {
        std::swap(cut.members[i - 1], cut.members[input.below(i)]);
    }
    for (std::size_t parts = input.below(4); parts > 0; --parts) {
        const auto from = static_cast<std::size_t>(cut.offsets.back());
        cut.offsets.push_back(static_cast<std::int64_t>(from + input.below(size - from + 1)));
    }
    cut.offsets.push_back(static_cast<std::int64_t>(size));
    return cut;
}

void check_chosen(const std::vector<std::int32_t>& chosen, const std::vector<std::int64_t>& ends,
                  const Cut& cut) {
    HOLDS(static_cast<std::int64_t>(chosen.size()) == ends.back());
    for (std::int64_t g = 0; g < cut.parts(); ++g) {
        const std::set<std::int32_t> part(cut.members.begin() + cut.offsets[g],
                                          cut.members.begin() + cut.offsets[g + 1]);
        const std::set<std::int32_t> own(chosen.begin() + ends[g], chosen.begin() + ends[g + 1]);
        HOLDS(static_cast<std::int64_t>(own.size()) == ends[g + 1] - ends[g]);
        HOLDS(std::includes(part.begin(), part.end(), own.begin(), own.end()));
    }
}

void check_prototypes(fuzz::Input& input, const numeric::DenseRows& rows, unsigned threads) {
    const auto size = static_cast<std::size_t>(rows.size);
    const Cut cut = cut_in(input, size);
    const gais::Parts parts{cut.members.data(), cut.offsets.data(), cut.parts()};
    std::vector<std::int64_t> wanted;
    std::vector<std::int64_t> ends{0};
    for (std::int64_t g = 0; g < cut.parts(); ++g) {
        const auto most = static_cast<std::size_t>(cut.offsets[g + 1] - cut.offsets[g]);
        wanted.push_back(static_cast<std::int64_t>(input.below(most + 1)));
        ends.push_back(ends.back() + wanted.back());
    }
    const std::uint64_t seed = input.byte();
    std::vector<std::int32_t> chosen =
        gais::cluster_prototypes(rows, parts, wanted.data(), 3, seed, threads);
    HOLDS(chosen == gais::cluster_prototypes(rows, parts, wanted.data(), 3, seed, 1));
    check_chosen(chosen, ends, cut);

    std::vector<std::int32_t> labels(size);
    std::vector<std::uint8_t> allowed(size);
    for (std::size_t i = 0; i < size; ++i) {
        labels[i] = static_cast<std::int32_t>(input.below(3));
        allowed[i] = input.below(4) != 0;
    }
    const std::vector<std::int32_t> before = chosen;
    std::vector<double> losses(2 * wanted.size());
    gais::Exchange settings;
    settings.seed = seed;
    gais::exchange_prototypes(rows, labels.data(), allowed.data(), parts, ends.data(),
                              chosen.data(), losses.data(), settings, threads);
    check_chosen(chosen, ends, cut);
    const gais::NearRows near(rows, labels.data(), parts, {{before.data(), ends.data()}}, 1 << 16,
                              threads);
    std::vector<std::int32_t> listed = before;
    gais::exchange_prototypes(rows, labels.data(), allowed.data(), parts, ends.data(),
                              listed.data(), losses.data(), settings, threads,
                              near.known() ? &near : nullptr);
    HOLDS(listed == chosen);
    for (std::size_t p = 0; p < chosen.size(); ++p) {
        HOLDS(labels[chosen[p]] == labels[before[p]]);
        const bool was_there = std::find(before.begin(), before.end(), chosen[p]) != before.end();
        HOLDS(allowed[chosen[p]] != 0 || was_there);
    }
}

void check_neighbours(fuzz::Input& input, const numeric::DenseRows& rows, unsigned threads) {
    const auto size = static_cast<std::size_t>(rows.size);
    const Cut cut = cut_in(input, size);
    const auto k = static_cast<std::int64_t>(1 + input.below(5));
    const std::vector<gais::GroupTable> tables(
        1 + input.below(2), {cut.members.data(), cut.offsets.data(), cut.parts()});
    const gais::Neighbours found = gais::group_neighbours(rows, tables, k, 0.25F, threads);
    std::vector<std::int64_t> group(size);
    for (std::int64_t g = 0; g < cut.parts(); ++g) {
        for (std::int64_t m = cut.offsets[g]; m < cut.offsets[g + 1]; ++m) {
            group[cut.members[m]] = g;
        }
    }
    HOLDS(found.offsets.size() == size + 1 && found.cosines.size() == found.neighbours.size());
    for (std::size_t i = 0; i < size; ++i) {
        HOLDS(found.offsets[i + 1] - found.offsets[i] <= k);
        for (std::int64_t e = found.offsets[i]; e < found.offsets[i + 1]; ++e) {
            const std::int32_t j = found.neighbours[e];
            HOLDS(j >= 0 && static_cast<std::size_t>(j) < size && j != static_cast<int>(i));
            HOLDS(e == found.offsets[i] || found.neighbours[e - 1] < j);
            HOLDS(group[i] == group[j] && found.cosines[e] >= 0.25F && found.shares[e] == 1.0F);
        }
    }
}

void check_facility(fuzz::Input& input) {
    const std::size_t rows = input.below(12);
    const std::size_t candidates = rows == 0 ? 0 : input.below(10);
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> served;
    std::vector<float> values;
    std::vector<std::int32_t> group;
    for (std::size_t j = 0; j < candidates; ++j) {
        for (std::size_t entries = input.below(6); entries > 0; --entries) {
            served.push_back(static_cast<std::int32_t>(input.below(rows)));
            values.push_back(static_cast<float>(input.below(8)) / 4);  // sums are exact
        }
        offsets.push_back(static_cast<std::int64_t>(served.size()));
        group.push_back(static_cast<std::int32_t>(input.below(4)) - 1);
    }
    std::vector<std::int64_t> wanted;
    for (int g = 0; g < 3; ++g) wanted.push_back(static_cast<std::int64_t>(input.below(4)));
    const gais::FacilityLocation found = gais::facility_location(
        {static_cast<std::int64_t>(candidates), static_cast<std::int64_t>(rows), offsets.data(),
         served.data(), values.data()},
        group.data(), wanted);
    HOLDS(found.gains.size() == found.chosen.size());
    std::vector<float> best(rows);
    std::set<std::int32_t> taken;
    std::vector<std::int64_t> left = wanted;
    const auto gain = [&](std::size_t j) {
        double sum = 0;
        std::vector<float> now = best;
        for (std::int64_t e = offsets[j]; e < offsets[j + 1]; ++e) {
            sum += std::max(0.0F, values[e] - now[served[e]]);
            now[served[e]] = std::max(now[served[e]], values[e]);
        }
        return sum;
    };
    for (std::size_t step = 0; step < found.chosen.size(); ++step) {
        const std::int32_t one = found.chosen[step];
        HOLDS(one >= 0 && static_cast<std::size_t>(one) < candidates);
        HOLDS(taken.insert(one).second && group[one] >= 0 && left[group[one]]-- > 0);
        for (std::int64_t e = offsets[one]; e < offsets[one + 1]; ++e) {
            best[served[e]] = std::max(best[served[e]], values[e]);
        }
    }
    // No candidate is left that could still be taken.
    for (std::size_t j = 0; j < candidates; ++j) {
        const bool open = group[j] >= 0 && left[group[j]] > 0 && !taken.contains(int(j));
        if (open) HOLDS(gain(j) == 0);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const unsigned threads = 1 + static_cast<unsigned>(input.below(16) == 1);
    const std::size_t count = input.below(40);
    const std::size_t width = input.below(6);
    check_facility(input);
    std::vector<float> values(count * width);
    for (float& value : values) value = number(input);
    const numeric::DenseRows rows{static_cast<std::int64_t>(count),
                                  static_cast<std::int64_t>(width), values.data()};
    check_prototypes(input, rows, threads);
    // Scales the rows to length 1, which the search for neighbours requires.
    for (std::size_t i = 0; i < count; ++i) {
        double square = 0;
        for (std::size_t c = 0; c < width; ++c) {
            square += static_cast<double>(values[i * width + c]) * values[i * width + c];
        }
        const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
        for (std::size_t c = 0; c < width; ++c) {
            values[i * width + c] = static_cast<float>(values[i * width + c] * scale);
        }
    }
    check_neighbours(input, rows, threads);
    return 0;
}
