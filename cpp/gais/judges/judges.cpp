#include "gais/judges/judges.hpp"

#include <algorithm>

#include "gais/panels.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::gais::judges {

std::vector<std::int32_t> nearest_guesses(const LabelledRows& table, const RowNumbers& train,
                                          const RowNumbers& asked) {
    gais::Panels panels;
    panels.resize(train.size, table.rows.width);
    for (std::int64_t t = 0; t < train.size; ++t) panels.set(t, table.row(train.at[t]));
    std::vector<std::int32_t> guesses(static_cast<std::size_t>(asked.size));
    for (std::int64_t i = 0; i < asked.size; ++i) {
        float distance = 0;
        guesses[i] = table.labels[train.at[panels.nearest(table.row(asked.at[i]), distance)]];
    }
    return guesses;
}

std::vector<double> judge_candidates(const LabelledRows& table, const std::int32_t* members,
                                     const std::int64_t* offsets, std::int64_t candidates,
                                     const RowNumbers& asked, const Forest& forest,
                                     std::int64_t linear_steps, unsigned threads) {
    std::vector<double> shares(static_cast<std::size_t>(candidates * kJudges), 1.0);
    const std::int64_t trials = candidates * kJudges;
    parallel::for_ranges(trials, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<std::int32_t> held, left;
        for (std::int64_t trial = begin; trial < end; ++trial) {
            const std::int64_t c = trial / kJudges;
            held.assign(members + offsets[c], members + offsets[c + 1]);
            std::sort(held.begin(), held.end());
            left.clear();
            for (std::int64_t i = 0; i < asked.size; ++i) {
                if (!std::binary_search(held.begin(), held.end(), asked.at[i])) {
                    left.push_back(asked.at[i]);
                }
            }
            if (left.empty()) continue;
            const RowNumbers train = {members + offsets[c], offsets[c + 1] - offsets[c]};
            const RowNumbers questions = {left.data(), static_cast<std::int64_t>(left.size())};
            const std::vector<std::int32_t> guesses =
                trial % kJudges == 0   ? nearest_guesses(table, train, questions)
                : trial % kJudges == 1 ? forest_guesses(table, train, questions, forest)
                                       : linear_guesses(table, train, questions, linear_steps);
            std::int64_t right = 0;
            for (std::size_t i = 0; i < left.size(); ++i) {
                right += guesses[i] == table.labels[left[i]] ? 1 : 0;
            }
            shares[trial] = static_cast<double>(right) / static_cast<double>(left.size());
        }
    });
    return shares;
}

}  // namespace dsir::gais::judges
