// The text field of JSON lines: a line gives a UTF-8 text that fits its room, or is left to the
// other reader. Kernels of every width agree. (tests/endurance/fuzz_cases.py compares the texts
// with Python's.)

#include <optional>

#include "fuzz_input.hpp"
#include "json/text_field.hpp"
#include "text/lower.hpp"

namespace {

using namespace dsir;

struct Found {
    json::LineKind kind;
    std::string text;
    bool operator==(const Found&) const = default;
};

Found read(std::string_view line, const std::vector<std::string>& path, simd::Level level) {
    const std::size_t room = line.size() + simd::kJsonSlack;
    const std::unique_ptr<std::uint8_t[]> values(new std::uint8_t[room]);
    json::TextFieldReader reader(path, simd::json_string_kernels(level));
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(line.data());
    std::uint8_t* out = values.get();
    const json::LineKind kind = reader.read(begin, begin + line.size(), out);
    const auto size = static_cast<std::size_t>(out - values.get());
    HOLDS(size <= line.size());
    HOLDS(kind == json::LineKind::text || size == 0);
    return {kind, std::string(reinterpret_cast<const char*>(values.get()), size)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::vector<std::vector<std::string>> paths = {
        {"text"}, {"doc", "body"}, {""}, {"a", "b", "c"}, {"t\"\\\n"}, {"\xE9\xA1\x8C"}};
    const auto& path = paths[input.below(paths.size())];
    const fuzz::ExactText line(input.rest());
    const Found found = read(line, path, simd::Level::scalar);
    HOLDS(text::is_utf8(found.text));
    for (const simd::Level level : simd::levels_up_to_active()) {
        HOLDS(read(line, path, level) == found);
    }
    // White space around an object changes nothing. Anything else makes it a line for the other
    // reader.
    const std::string_view plain = line;
    HOLDS(read(fuzz::ExactText(" \t" + std::string(plain) + " \r"), path, simd::Level::scalar) ==
          found);
    if (found.kind == json::LineKind::look_again) return 0;
    const fuzz::ExactText longer(std::string(plain) + "}");
    HOLDS(read(longer, path, simd::Level::scalar).kind == json::LineKind::look_again);
    return 0;
}
