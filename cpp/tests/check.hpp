#pragma once

// What a test program needs, including main(). Include this file in one .cpp per program.
//
//     TEST(lines_end_at_newlines) { CHECK_EQUAL(count_lines("a\nb"), 2); }
//
// A failed check is reported with its place, and the test continues. An exception ends the test. A
// program's exit code is 1 if a check failed or if no check was made.

#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dsir::test {

struct Test {
    const char* name;
    void (*body)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

struct Tally {
    long checks = 0;
    long failures = 0;
};

inline Tally& tally() {
    static Tally counts;
    return counts;
}

inline bool add(const char* name, void (*body)()) {
    tests().push_back({name, body});
    return true;
}

/// The value as text, for the message of a failure.
template <class T>
std::string shown(const T& value) {
    if constexpr (std::is_enum_v<T>) {
        return std::to_string(static_cast<long long>(value));
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
        std::string out = "\"";
        for (const char c : std::string_view(value)) {
            const bool plain = c >= ' ' && c <= '~';
            constexpr const char* kHex = "0123456789abcdef";
            const auto byte = static_cast<unsigned char>(c);
            out +=
                plain ? std::string(1, c) : std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
        }
        return out + "\"";
    } else if constexpr (requires(std::ostream& stream) { stream << value; }) {
        std::ostringstream stream;
        stream.precision(17);
        stream << value;
        return stream.str();
    } else if constexpr (requires { value.begin(); }) {
        std::string out = "[";
        for (const auto& element : value) out += shown(element) + " ";
        return out + "]";
    } else {
        return "(not printable)";
    }
}

inline void report(bool passed, const char* file, int line, std::string_view message) {
    ++tally().checks;
    if (passed) return;
    // Enough to see what is wrong. A wrong kernel fails everywhere.
    if (++tally().failures <= 20) std::cerr << file << ":" << line << ": " << message << "\n";
}

template <class A, class B, class Context>
void check_equal(const A& found, const B& expected, const char* file, int line, const char* text,
                 const Context& context) {
    bool equal = false;
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<A, B>) {
        equal = std::cmp_equal(found, expected);
    } else {
        equal = found == expected;
    }
    if (equal) return report(true, file, line, {});
    std::string message =
        std::string(text) + ": found " + shown(found) + ", expected " + shown(expected);
    const std::string where = shown(context);
    if (where != "\"\"") message += ", for " + where;
    report(false, file, line, message);
}

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#else
inline constexpr bool kThreadSanitizer = false;
#endif

/// How often to try something random on one thread. Under the thread sanitizer, a tenth: it finds
/// nothing there and is the slowest.
constexpr int rounds(int count) {
    return kThreadSanitizer ? (count + 9) / 10 : count;
}

/// Random numbers for a test: the same in every run and on every machine.
class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t word() { return engine_(); }
    /// 0 to bound - 1.
    std::size_t below(std::size_t bound) { return engine_() % bound; }
    /// 0 to 1.
    double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

  private:
    std::mt19937_64 engine_;
};

}  // namespace dsir::test

#define TEST(name)                                                                         \
    static void test_##name();                                                             \
    [[maybe_unused]] static const bool added_##name = dsir::test::add(#name, test_##name); \
    static void test_##name()

#define CHECK(condition) dsir::test::report(bool(condition), __FILE__, __LINE__, #condition)

#define CHECK_EQUAL(found, ...) \
    dsir::test::check_equal(found, __VA_ARGS__, __FILE__, __LINE__, #found, "")

/// Like CHECK_EQUAL, if the line does not show the input: `context` names it.
#define CHECK_EQUAL_FOR(context, found, ...) \
    dsir::test::check_equal(found, __VA_ARGS__, __FILE__, __LINE__, #found, context)

/// Checks that the expression throws `type` with `part` in the message.
#define CHECK_THROWS(type, part, expression)                                               \
    do {                                                                                   \
        std::string found_ = "nothing was thrown";                                         \
        try {                                                                              \
            (void)(expression);                                                            \
        } catch (const type& error) {                                                      \
            found_ = error.what();                                                         \
        }                                                                                  \
        dsir::test::report(                                                                \
            found_.find(part) != std::string::npos, __FILE__, __LINE__,                    \
            std::string(#expression) + ": expected \"" + (part) + "\", found: " + found_); \
    } while (false)

int main() {
    using dsir::test::tally;
    for (const auto& test : dsir::test::tests()) {
        const auto begin = std::chrono::steady_clock::now();
        const long failures_before = tally().failures;
        const long checks_before = tally().checks;
        try {
            test.body();
        } catch (const std::exception& error) {
            dsir::test::report(false, test.name, 0, std::string("threw ") + error.what());
        }
        const long made = tally().checks - checks_before;
        if (made == 0) dsir::test::report(false, test.name, 0, "checks nothing");
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begin);
        std::cout << (tally().failures == failures_before ? "ok     " : "FAILED ") << test.name
                  << " (" << made << " checks, " << took.count() << " ms)\n";
    }
    std::cout << tally().checks << " checks, " << tally().failures << " failed\n";
    return tally().failures == 0 && tally().checks > 0 ? 0 : 1;
}
