#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace dsir::ngram {

/// An array of default-constructed elements. If the array is large enough and the system provides
/// huge pages, it lies on those: random look-ups then do not wait for page tables as well.
template <class Element>
class LargeArray {
  public:
    explicit LargeArray(std::size_t size) : size_(size) {
        static_assert(alignof(Element) <= kLine);
        const std::size_t bytes = size * sizeof(Element);
        const std::size_t alignment = bytes >= kHugePage ? kHugePage : kLine;
        const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
        void* const memory = std::aligned_alloc(alignment, rounded);
        if (memory == nullptr) throw std::bad_alloc();
#ifdef __linux__
        if (bytes >= kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);  // a hint that may fail
#endif
        elements_.reset(static_cast<Element*>(memory));
        std::uninitialized_default_construct_n(elements_.get(), size);
    }

    std::size_t size() const { return size_; }
    Element& operator[](std::size_t i) { return elements_[i]; }
    const Element& operator[](std::size_t i) const { return elements_[i]; }
    Element* begin() { return elements_.get(); }
    Element* end() { return elements_.get() + size_; }

  private:
    static constexpr std::size_t kLine = 64;
    static constexpr std::size_t kHugePage = std::size_t{2} << 20;

    struct Free {
        static_assert(std::is_trivially_destructible_v<Element>);
        void operator()(Element* elements) const { std::free(elements); }
    };

    std::size_t size_;
    std::unique_ptr<Element[], Free> elements_;
};

}  // namespace dsir::ngram
