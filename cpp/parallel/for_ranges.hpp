#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dsir::parallel {

/// Calls body(thread, begin, end) for consecutive ranges that together cover 0 to size, on up to
/// `threads` threads, and returns when all calls are done. The caller's thread is number 0.
///
/// A thread that becomes free takes the next range, so the work is balanced even when documents
/// differ much in length. `thread` is below `threads`, so a body can keep scratch memory per
/// thread. If a body throws, the first exception is thrown again here after all threads have ended.
template <class Body>
void for_ranges(std::int64_t size, unsigned threads, Body&& body) {
    if (size == 0) return;
    // Eight ranges per thread are enough to balance the work, and few enough that setting up a
    // range costs little.
    const std::int64_t parts = std::int64_t{threads} * 8;
    const std::int64_t step = threads <= 1 ? size : (size + parts - 1) / parts;
    if (step >= size) {
        body(0U, std::int64_t{0}, size);
        return;
    }
    std::atomic<std::int64_t> next{0};
    std::exception_ptr failure;
    std::mutex mutex;
    const auto work = [&](unsigned thread) {
        try {
            while (true) {
                const std::int64_t begin = next.fetch_add(step);
                if (begin >= size) return;
                body(thread, begin, begin + step < size ? begin + step : size);
            }
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next = size;
        }
    };
    std::vector<std::jthread> others;  // joined on every way out
    for (unsigned t = 1; t < threads; ++t) others.emplace_back(work, t);
    work(0);
    others.clear();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace dsir::parallel
