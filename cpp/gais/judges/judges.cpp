#include "gais/judges/judges.hpp"

#include <algorithm>

#include "gais/panels.hpp"
#include "numeric/portable_log.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::gais::judges {

std::vector<Answer> nearest_answers(const LabelledRows& table, const TrainingRows& train,
                                    const RowNumbers& asked) {
    gais::Panels panels;
    panels.resize(train.size, table.rows.width);
    for (std::int64_t t = 0; t < train.size; ++t) panels.set(t, table.row(train.at[t]));
    const float one_of_all = 1.0F / static_cast<float>(table.classes);
    std::vector<Answer> answers(static_cast<std::size_t>(asked.size));
    for (std::int64_t i = 0; i < asked.size; ++i) {
        float distance = 0;
        const std::int32_t row = asked.at[i];
        const std::int32_t guess = table.labels[train.at[panels.nearest(table.row(row), distance)]];
        answers[i] = {guess, ((guess == table.labels[row] ? 1.0F : 0.0F) + one_of_all) / 2};
    }
    return answers;
}

Verdicts judge_candidates(const LabelledRows& table, const Candidates& candidates,
                          const RowNumbers& asked, const Forest& forest, std::int64_t linear_steps,
                          unsigned threads) {
    const std::int64_t trials = candidates.count * kJudges;
    const std::int64_t* const offsets = candidates.offsets;
    Verdicts found;
    found.tallies.assign(static_cast<std::size_t>(trials * table.classes * 3), 0);
    found.log_loss.assign(static_cast<std::size_t>(trials), 0.0);
    parallel::for_ranges(trials, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<std::int32_t> held, left;
        for (std::int64_t trial = begin; trial < end; ++trial) {
            const std::int64_t c = trial / kJudges;
            held.assign(candidates.members + offsets[c], candidates.members + offsets[c + 1]);
            std::sort(held.begin(), held.end());
            left.clear();
            for (std::int64_t i = 0; i < asked.size; ++i) {
                if (!std::binary_search(held.begin(), held.end(), asked.at[i])) {
                    left.push_back(asked.at[i]);
                }
            }
            if (left.empty()) continue;
            const TrainingRows train = {
                candidates.members + offsets[c],
                candidates.weights == nullptr ? nullptr : candidates.weights + offsets[c],
                offsets[c + 1] - offsets[c]};
            const RowNumbers questions = {left.data(), static_cast<std::int64_t>(left.size())};
            const std::vector<Answer> answers =
                trial % kJudges == 0   ? nearest_answers(table, train, questions)
                : trial % kJudges == 1 ? forest_answers(table, train, questions, forest)
                                       : linear_answers(table, train, questions, linear_steps);
            std::int64_t* const tallies = found.tallies.data() + trial * table.classes * 3;
            double loss = 0;
            for (std::size_t i = 0; i < left.size(); ++i) {
                const std::int32_t own = table.labels[left[i]];
                const Answer& answer = answers[i];
                ++tallies[own * 3];
                ++tallies[answer.guess * 3 + 1];
                if (answer.guess == own) ++tallies[own * 3 + 2];
                loss -= numeric::portable_log(static_cast<double>(answer.own));
            }
            found.log_loss[trial] = loss / static_cast<double>(left.size());
        }
    });
    return found;
}

}  // namespace dsir::gais::judges
