#include <atomic>
#include <stdexcept>
#include <thread>

#include "check.hpp"
#include "parallel/for_ranges.hpp"

namespace {

using dsir::parallel::for_ranges;

TEST(each_index_once) {
    for (const std::int64_t size : {0, 1, 2, 7, 8, 9, 63, 64, 65, 1000, 4097}) {
        for (const unsigned threads : {1U, 2U, 3U, 7U, 16U}) {
            // Plain integers: if two threads touched the same one, the sanitizer would report a
            // race.
            std::vector<int> seen(static_cast<std::size_t>(size));
            std::atomic<bool> in_order = true;
            for_ranges(size, threads, [&](unsigned thread, std::int64_t begin, std::int64_t end) {
                if (thread >= threads || begin >= end || end > size) in_order = false;
                for (auto i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
            });
            CHECK(in_order);
            CHECK_EQUAL(seen, std::vector<int>(static_cast<std::size_t>(size), 1));
        }
    }
}

TEST(scratch_memory_per_thread) {
    constexpr std::int64_t kSize = 10000;
    std::vector<std::int64_t> sums(7);
    for_ranges(kSize, 7, [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) sums[thread] += i;
    });
    std::int64_t total = 0;
    for (const auto sum : sums) total += sum;
    CHECK_EQUAL(total, kSize * (kSize - 1) / 2);
}

TEST(one_thread_is_the_callers) {
    const auto caller = std::this_thread::get_id();
    bool same = false;
    for_ranges(1000, 1, [&](unsigned, std::int64_t, std::int64_t) {
        same = std::this_thread::get_id() == caller;
    });
    CHECK(same);
}

TEST(exceptions_reach_the_caller) {
    for (const unsigned threads : {1U, 2U, 7U}) {
        for (const std::int64_t bad : {0, 1, 499, 999}) {
            CHECK_THROWS(
                std::runtime_error, "at the bad index",
                for_ranges(1000, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
                    if (begin <= bad && bad < end) {
                        throw std::runtime_error("at the bad index");
                    }
                }));
        }
    }
    // All calls throw, and one exception arrives.
    CHECK_THROWS(std::runtime_error, "all",
                 for_ranges(1000, 7, [](unsigned, std::int64_t, std::int64_t) {
                     throw std::runtime_error("all");
                 }));
}

TEST(threads_end_before_the_call_does) {
    std::atomic<int> running = 0;
    try {
        for_ranges(1000, 7, [&](unsigned, std::int64_t begin, std::int64_t) {
            ++running;
            if (begin == 0) {
                --running;
                throw std::runtime_error("early");
            }
            std::this_thread::yield();
            --running;
        });
    } catch (const std::runtime_error&) {
    }
    CHECK_EQUAL(running.load(), 0);
}

}  // namespace
