// Model files of fastText: each one is refused, or gives probabilities, whatever its numbers are.

#include <cmath>
#include <stdexcept>
#include <vector>

#include "fasttext/classifier.hpp"
#include "fuzz_input.hpp"
#include "tests/text_array.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dsir;
    const fuzz::ExactText file(std::string_view(reinterpret_cast<const char*>(data), size));
    try {
        const fasttext::Classifier classifier{std::string_view(file)};
        const auto array = test::TextArray::strings(
            {"the ship of the sea", "", std::nullopt, "\xff", "unknown \u00e9t\u00e9 </s> the",
             "the the the the the the the the the the the the the the the the the the the"});
        const auto column = array->column();
        const std::size_t labels = classifier.scorer().layer().labels();
        const auto rows = static_cast<std::size_t>(column.size());
        std::vector<float> found(rows * labels);
        std::vector<float> again(rows * labels);
        std::vector<text::RowStatus> status(rows);
        classifier.probabilities(column, 1, found.data(), status.data());
        classifier.probabilities(column, 2, again.data(), status.data());
        HOLDS(found == again);
        for (const float p : found) HOLDS(p >= 0 && p < 1.1F);
        std::vector<double> log_odds(rows);
        if (labels > 1) {
            classifier.scorer().log_odds(column, labels - 1, 1, log_odds.data());
            for (const double value : log_odds) HOLDS(std::isfinite(value));
            classifier.scorer().explain("the ship", labels - 1);
        }
    } catch (const std::invalid_argument&) {
        // Refusing is also a right answer.
    }
    return 0;
}
