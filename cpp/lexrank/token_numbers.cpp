#include "lexrank/token_numbers.hpp"

#include <string_view>

#include "hashing/fast_hash.hpp"
#include "text/row_status.hpp"
#include "text/wordpunct.hpp"

namespace dsir::lexrank {

void TokenNumbers::add(const arrow::TextColumn& column) {
    text::TokenBuffer buffer;
    offsets.reserve(offsets.size() + static_cast<std::size_t>(column.size()));
    for (std::int64_t row = 0; row < column.size(); ++row) {
        const auto document = column[row];
        if (document && document->size() <= text::kLargestDocument) {
            buffer.clear();
            text::WordPunct tokenizer(*document, buffer);
            while (tokenizer.next()) {
                for (std::size_t k = 0; k < buffer.size(); ++k) {
                    const std::string_view token = buffer[k];
                    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(token.data());
                    const std::uint32_t number =
                        tokens.add(token, hashing::token_hash(bytes, token.size()));
                    numbers.push_back(static_cast<std::int32_t>(number));
                }
            }
            if (!tokenizer.valid()) numbers.resize(static_cast<std::size_t>(offsets.back()));
        }
        offsets.push_back(static_cast<std::int64_t>(numbers.size()));
    }
}

}  // namespace dsir::lexrank
