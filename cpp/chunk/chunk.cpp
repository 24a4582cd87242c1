#include "chunk/chunk.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "parallel/for_ranges.hpp"
#include "text/normalized_spans.hpp"
#include "text/row_status.hpp"

namespace dsir::chunk {
namespace {

/// The windows of consecutive rows.
struct Part {
    std::int64_t first_row;
    Chunks chunks;
};

void append(std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

/// Cuts a document as it is.
template <class OwnSpans>
class AsIs {
  public:
    bool operator()(std::string_view document, const WindowSpec& spec,
                    std::vector<Window>& windows) {
        OwnSpans spans(document, buffer_);
        return append_windows(spans, buffer_, spec, windows);
    }

  private:
    text::SpanBuffer buffer_;
};

/// Cuts a document by its tokens in a normal form.
template <class OwnSpans, text::Form kForm>
class InForm {
  public:
    bool operator()(std::string_view document, const WindowSpec& spec,
                    std::vector<Window>& windows) {
        const std::optional<std::string_view> composed = normalizer_(document);
        if (!composed) return false;
        if (normalizer_.changes().empty()) return as_is_(document, spec, windows);
        text::NormalizedSpans<OwnSpans> spans(*composed, normalizer_.changes(), buffer_);
        return append_windows(spans, buffer_, spec, windows);
    }

  private:
    text::Normalizer normalizer_{kForm, true};
    text::SpanBuffer buffer_;
    AsIs<OwnSpans> as_is_;
};

template <class Cut>
Chunks chunk_rows(const arrow::TextColumn& column, const WindowSpec& spec, std::int64_t begin,
                  std::int64_t end) {
    Chunks out;
    Cut cut;
    std::vector<Window> windows;
    for (std::int64_t row = begin; row < end; ++row) {
        const std::optional<std::string_view> document = column[row];
        windows.clear();
        if (document) {
            const bool valid =
                document->size() <= text::kLargestDocument && cut(*document, spec, windows);
            if (!valid) out.invalid_rows.push_back(row);
        }
        if (windows.empty()) windows.push_back({0, 0});
        for (const Window& window : windows) {
            out.rows.push_back(row);
            out.starts.push_back(window.start);
            out.lengths.push_back(window.length);
        }
    }
    return out;
}

template <class Cut>
Chunks chunk_by(const arrow::TextColumn& column, const WindowSpec& spec, unsigned threads) {
    std::mutex mutex;
    std::vector<Part> parts;
    parallel::for_ranges(column.size(), threads,
                         [&](unsigned, std::int64_t begin, std::int64_t end) {
                             Part part{begin, chunk_rows<Cut>(column, spec, begin, end)};
                             const std::lock_guard lock(mutex);
                             parts.push_back(std::move(part));
                         });
    if (parts.size() == 1) return std::move(parts.front().chunks);
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.first_row < b.first_row; });
    Chunks all;
    for (Part& part : parts) {
        append(all.rows, part.chunks.rows);
        append(all.starts, part.chunks.starts);
        append(all.lengths, part.chunks.lengths);
        append(all.invalid_rows, part.chunks.invalid_rows);
        part.chunks = {};
    }
    return all;
}

}  // namespace

Chunks chunk(const arrow::TextColumn& column, text::TokenizerKind tokenizer, text::Form form,
             const WindowSpec& spec, unsigned threads) {
    return text::visit_tokenizer(tokenizer, [&]<class Entry>(const Entry&) -> Chunks {
        if constexpr (Entry::kOfWholeTexts) {
            using Spans = typename Entry::Spans;
            switch (form) {
                case text::Form::nfc:
                    return chunk_by<InForm<Spans, text::Form::nfc>>(column, spec, threads);
                case text::Form::nfkc:
                    return chunk_by<InForm<Spans, text::Form::nfkc>>(column, spec, threads);
                case text::Form::as_is:
                    break;
            }
            return chunk_by<AsIs<Spans>>(column, spec, threads);
        } else {
            throw std::invalid_argument("tokenizer must be one of whole texts");
        }
    });
}

}  // namespace dsir::chunk
