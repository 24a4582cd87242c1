// Replaces the fuzzer if the compiler has none. Runs every file of the given folders once, and then
// as many variations of them as DSIR_FUZZ_RUNS says, the same ones in every run.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "fuzz_input.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> inputs_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_regular_file()) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<Bytes> inputs;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return inputs;
}

void change(Bytes& bytes, std::mt19937_64& random) {
    for (std::uint64_t times = 1 + random() % 4; times > 0; --times) {
        const std::size_t at = random() % (bytes.size() + 1);
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        switch (random() % 3) {
            case 0:
                if (place != bytes.end()) *place = static_cast<std::uint8_t>(random());
                break;
            case 1:
                bytes.insert(place, 1 + random() % 8, static_cast<std::uint8_t>(random()));
                break;
            default:
                bytes.erase(
                    place, place + static_cast<std::ptrdiff_t>(random() % (bytes.size() - at + 1)));
        }
    }
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<Bytes> inputs;
    for (int i = 1; i < count; ++i) {
        for (Bytes& one : inputs_in(arguments[i])) inputs.push_back(std::move(one));
    }
    if (inputs.empty()) {
        std::fprintf(stderr, "no inputs: name folders of them\n");
        return 2;
    }
    for (const Bytes& one : inputs) LLVMFuzzerTestOneInput(one.data(), one.size());
    const char* const wish = std::getenv("DSIR_FUZZ_RUNS");
    const long runs = wish == nullptr ? 0 : std::atol(wish);
    std::mt19937_64 random(1);
    for (long run = 0; run < runs; ++run) {
        Bytes changed = inputs[random() % inputs.size()];
        change(changed, random);
        LLVMFuzzerTestOneInput(changed.data(), changed.size());
    }
    std::printf("%zu inputs and %ld changes of them\n", inputs.size(), runs);
    return 0;
}
