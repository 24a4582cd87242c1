#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "hashing/fast_hash.hpp"
#include "ngram/bucket_stream.hpp"
#include "ngram/scorer_kernel.hpp"
#include "text/kernel_tokens.hpp"
#include "text/lower.hpp"
#include "text/tokenizers.hpp"
#include "text_array.hpp"

namespace {

using namespace dsir::text;
using dsir::ngram::BucketStream;
using dsir::ngram::FeatureSpec;
using dsir::ngram::HashKind;
using dsir::test::Random;
using dsir::test::rounds;

using Tokens = std::vector<std::string>;

/// Cuts at spaces, at most three tokens a call.
std::int64_t at_spaces(const std::uint8_t* text, std::int64_t size, std::int64_t at,
                       std::uint32_t* starts, std::uint32_t* ends, std::int64_t room) {
    std::int64_t found = 0;
    while (found < room && found < 3) {
        while (at < size && text[at] == ' ') ++at;
        if (at == size) break;
        starts[found] = static_cast<std::uint32_t>(at);
        while (at < size && text[at] != ' ') ++at;
        ends[found++] = static_cast<std::uint32_t>(at);
    }
    return found;
}

/// A kernel that returns the same places for every document.
template <std::int64_t kFound, std::uint32_t kStart, std::uint32_t kEnd>
std::int64_t same_places(const std::uint8_t*, std::int64_t, std::int64_t, std::uint32_t* starts,
                         std::uint32_t* ends, std::int64_t room) {
    for (std::int64_t k = 0; k < kFound && k < room; ++k) {
        starts[k] = kStart;
        ends[k] = kEnd;
    }
    return kFound;
}

Tokens tokens_of(std::string_view text, TokenizerKernel kernel, Case letters = Case::lower) {
    Tokens tokens;
    TokenBuffer buffer;
    KernelTokens tokenizer(text, buffer, kernel, letters);
    while (tokenizer.next()) {
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    return tokens;
}

/// What KernelTokens says of a kernel, or "" if it says nothing.
std::string refusal(TokenizerKernel kernel) {
    try {
        tokens_of("a\u00e9 text", kernel);
    } catch (const KernelError& error) {
        return error.what();
    }
    return "";
}

TEST(a_tokenizer_kernel_cuts_as_its_built_in_twin) {
    Random random(20);
    static const std::vector<std::string> kPieces = {
        " ",
        "  ",
        "a",
        "Word",
        "\u00c9t\u00c9",
        "\u0130",
        "\u03a3\u03a3",
        "\u023a",  // longer in lower case
        "\u1e9e",  // shorter
        "\u6771",
        "Longer_THAN_eight",
    };
    for (int i = 0; i < rounds(200); ++i) {
        std::string text;
        for (std::uint64_t k = random.below(40); k > 0; --k) {
            text += kPieces[random.below(kPieces.size())];
        }
        const std::vector<char> exact(text.begin(), text.end());  // memory that ends with the text
        for (const Case letters : {Case::lower, Case::as_written}) {
            Tokens expected;
            TokenBuffer buffer;
            Whitespace tokenizer(text, buffer, letters);
            while (tokenizer.next()) {
                for (std::size_t k = 0; k < buffer.size(); ++k) expected.emplace_back(buffer[k]);
            }
            CHECK(tokens_of({exact.data(), exact.size()}, at_spaces, letters) == expected);
        }
    }
}

/// The places that `at_places` returns, of the whole document.
std::vector<std::uint32_t> given_starts;
std::vector<std::uint32_t> given_ends;

std::int64_t at_places(const std::uint8_t*, std::int64_t, std::int64_t at, std::uint32_t* starts,
                       std::uint32_t* ends, std::int64_t room) {
    std::int64_t found = 0;
    for (std::size_t k = 0; k < given_starts.size() && found < room; ++k) {
        if (given_starts[k] < at) continue;
        starts[found] = given_starts[k];
        ends[found++] = given_ends[k];
    }
    return found;
}

TEST(each_token_of_a_kernel_is_lowered_by_itself) {
    Random random(22);
    static const std::vector<std::string> kCharacters = {
        "A", "b", " ", "\u00c9", "\u0130", "\u03a3", "\u023a", "\u1e9e", "\u6771", "\U0001f600"};
    for (int i = 0; i < rounds(200); ++i) {
        std::string text;
        given_starts.clear();
        given_ends.clear();
        Tokens as_written;
        Tokens lowered;
        // Mostly ASCII or mostly the rest; tokens that touch, and some of many characters.
        const std::uint64_t kinds = random.below(2) == 0 ? 3 : kCharacters.size();
        for (std::uint64_t k = random.below(3000); k > 0; --k) {
            const auto start = static_cast<std::uint32_t>(text.size());
            for (std::uint64_t c = 1 + random.below(k % 50 == 0 ? 200 : 4); c > 0; --c) {
                text += kCharacters[random.below(100) == 0 ? random.below(kCharacters.size())
                                                           : random.below(kinds)];
            }
            if (random.below(3) == 0) continue;  // between tokens
            given_starts.push_back(start);
            given_ends.push_back(static_cast<std::uint32_t>(text.size()));
            as_written.push_back(text.substr(start));
            std::vector<std::uint8_t> room(lower_room(text.size() - start));
            const std::size_t size = lower(as_written.back(), room.data()).value_or(0);
            lowered.emplace_back(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
        }
        const std::vector<char> exact(text.begin(), text.end());
        const std::string_view document(exact.data(), exact.size());
        CHECK(tokens_of(document, at_places, Case::as_written) == as_written);
        CHECK(tokens_of(document, at_places, Case::lower) == lowered);
    }
}

TEST(a_full_call_of_a_tokenizer_kernel_is_a_stretch) {
    const std::string text(10'000, 'a');
    given_starts.clear();
    given_ends.clear();
    for (std::uint32_t k = 0; k < text.size(); ++k) {
        given_starts.push_back(k);
        given_ends.push_back(k + 1);
    }
    FeatureSpec spec{dsir::ngram::kMaxOrder, 1000, HashKind::fast};
    spec.cutting.kernel = at_places;
    BucketStream stream(spec);
    const auto outcome = stream.run(text, [](std::span<const std::uint32_t> buckets) {
        CHECK(buckets.size() <= BucketStream::kMostAtOnce);
    });
    CHECK(outcome.tokens == text.size());
}

TEST(places_of_a_tokenizer_kernel_are_checked) {
    const auto says = [](const std::string& message, const char* part) {
        return message.find(part) != std::string::npos;
    };
    CHECK(says(refusal(same_places<1, 0, 0>), "must lie in order"));
    CHECK(says(refusal(same_places<2, 0, 1>), "must lie in order"));
    CHECK(says(refusal(same_places<1, 0, 99>), "must lie in order"));
    CHECK(says(refusal(same_places<1, 0, 2>), "inside a character"));
    CHECK(says(refusal(same_places<1, 2, 3>), "inside a character"));
    CHECK(says(refusal(same_places<1'000'000, 0, 1>), "there is room for"));
    CHECK(says(refusal(same_places<-1, 0, 1>), "returned -1 tokens"));
    CHECK(says(refusal(same_places<kKernelRaised, 0, 1>), "raised an exception"));
    CHECK(refusal(same_places<1, 0, 8>).empty());  // the whole text
    CHECK(tokens_of("a \xFF", at_spaces).empty());
}

/// The n-grams of order 1 and 2, as the core makes them, or a bucket that does not exist.
template <bool kGood>
std::int64_t pairs(const std::uint64_t* tokens, std::int64_t size, std::uint32_t* out, std::int64_t,
                   std::int64_t buckets) {
    namespace hashing = dsir::hashing;
    const auto most = static_cast<std::uint32_t>(buckets);
    std::int64_t made = 0;
    for (std::int64_t k = 0; k < size; ++k) {
        out[made++] = kGood ? hashing::bucket_of(tokens[k], most) : most;
        if (k > 0) {
            out[made++] = hashing::bucket_of(hashing::extend_hash(tokens[k - 1], tokens[k]), most);
        }
    }
    return made;
}

TEST(a_features_kernel_makes_the_features_of_whole_documents) {
    FeatureSpec built_in{2, 1000, HashKind::fast};
    FeatureSpec own = built_in;
    own.kernel = pairs<true>;
    own.kernel_most = 2;
    std::string text = "one two";
    for (int i = 0; i < 20000; ++i) text += " w" + std::to_string(i % 977);
    const auto counts_of = [&text](const FeatureSpec& spec) {
        std::vector<std::int64_t> counts(spec.buckets);
        BucketStream stream(spec);
        const auto outcome = stream.run(text, [&](std::span<const std::uint32_t> buckets) {
            CHECK(buckets.size() <= BucketStream::kMostAtOnce);
            for (const std::uint32_t bucket : buckets) ++counts[bucket];
        });
        CHECK(outcome.valid);
        counts.push_back(static_cast<std::int64_t>(outcome.features));
        counts.push_back(static_cast<std::int64_t>(outcome.tokens));
        return counts;
    };
    CHECK(counts_of(own) == counts_of(built_in));
    own.kernel = pairs<false>;
    bool refused = false;
    try {
        counts_of(own);
    } catch (const KernelError&) {
        refused = true;
    }
    CHECK(refused);
}

/// Checks what a scorer gets, and returns the sum of the log ratios; NaN if something is wrong.
double ordered_sum(const std::uint32_t* buckets, const std::uint32_t* counts, std::int64_t size,
                   std::int64_t tokens, const double* log_ratio, std::int64_t all) {
    double sum = 0;
    for (std::int64_t k = 0; k < size; ++k) {
        const bool in_order = k == 0 || buckets[k - 1] < buckets[k];
        if (!in_order || buckets[k] >= all || counts[k] == 0 || tokens < 1) {
            return std::numeric_limits<double>::quiet_NaN();
        }
        sum += counts[k] * log_ratio[buckets[k]];
    }
    return sum;
}

double too_large(const std::uint32_t*, const std::uint32_t*, std::int64_t, std::int64_t,
                 const double*, std::int64_t) {
    return -1.1 * dsir::ngram::kLargestScore;
}

TEST(a_scorer_kernel_gets_the_features_of_whole_documents) {
    using namespace dsir::ngram;
    Random random(21);
    for (const std::uint32_t buckets : {2U, 200U, 10'000U, (1U << 20) + 1}) {
        const FeatureSpec spec{2, buckets, HashKind::fast};
        std::vector<double> ratios(std::size_t{2} * buckets);
        for (double& ratio : ratios) ratio = static_cast<double>(random.below(2000)) / 100 - 10;
        dsir::test::Rows rows = {std::nullopt, "", "one", "bad \xFF"};
        for (int i = 0; i < 20; ++i) {
            std::string text;
            for (std::uint64_t k = random.below(900); k > 0; --k) {
                text += "w" + std::to_string(random.below(300)) + " ";
            }
            rows.emplace_back(text);
        }
        const auto array = dsir::test::TextArray::strings(rows);
        const std::size_t size = rows.size();
        std::vector<std::vector<double>> found;
        for (const unsigned threads : {0U, 1U, 3U}) {  // 0 stands for the sums of the core
            std::vector<double> weights(2 * size);
            std::vector<std::uint32_t> tokens(size);
            std::vector<std::uint32_t> bytes(size);
            std::vector<dsir::text::RowStatus> status(size);
            const ScoreOutput out{weights.data(), tokens.data(), bytes.data(), status.data()};
            if (threads == 0) {
                Weighing both;
                both.targets = 2;
                score(array->column(), spec, LogRatioTable(ratios.data(), 2, buckets), both, 1,
                      out);
            } else {
                score_by_kernel(array->column(), spec, ordered_sum, ratios.data(), 2, threads, out);
            }
            found.push_back(std::move(weights));
        }
        CHECK(found[1] == found[2]);
        for (std::size_t i = 0; i < found[0].size(); ++i) {
            CHECK(std::abs(found[0][i] - found[1][i]) < 1e-6);
        }
        bool refused = false;
        std::vector<double> weights(2 * size);
        std::vector<std::uint32_t> numbers(size);
        std::vector<dsir::text::RowStatus> status(size);
        try {
            score_by_kernel(array->column(), spec, too_large, ratios.data(), 2, 2,
                            {weights.data(), numbers.data(), numbers.data(), status.data()});
        } catch (const KernelError& error) {
            refused = std::string(error.what()).find("at most 1e15") != std::string::npos;
        }
        CHECK(refused);
    }
}

}  // namespace
