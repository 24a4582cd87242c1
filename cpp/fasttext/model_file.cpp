#include "fasttext/model_file.hpp"

#include <cstring>
#include <stdexcept>
#include <string>

namespace dsir::fasttext {
namespace {

constexpr std::int32_t kMagic = 793712314;
constexpr std::int32_t kVersion = 12;
constexpr std::int32_t kVersionWithoutSubwords = 11;
constexpr std::int32_t kSupervised = 3;
constexpr std::size_t kCentroids = 256;

void require(bool condition, const std::string& message) {
    if (!condition) throw std::invalid_argument(message);
}

/// Takes values from the front of the bytes, and throws when they are used up.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::size_t left() const { return bytes_.size(); }

    std::string_view take_bytes(std::size_t size) {
        require(size <= bytes_.size(), "it ends early");
        const std::string_view taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }
    /// Takes `count` things of `size` bytes each.
    std::string_view take_bytes(std::size_t count, std::size_t size) {
        require(size == 0 || count <= bytes_.size() / size, "it ends early");
        return take_bytes(count * size);
    }
    template <class T>
    T take() {
        T value;
        std::memcpy(&value, take_bytes(sizeof value).data(), sizeof value);
        return value;
    }
    /// A count of things that take `least` bytes each, or more.
    template <class T>
    std::size_t take_count(std::size_t least) {
        const auto count = take<T>();
        require(count >= 0, "a number of things is negative");
        require(static_cast<std::uint64_t>(count) <= left() / least, "it ends early");
        return static_cast<std::size_t>(count);
    }
    bool take_flag() {
        const auto flag = take<std::uint8_t>();
        require(flag <= 1, "a flag is neither 0 nor 1");
        return flag == 1;
    }
    /// The bytes up to the next zero, which is taken as well.
    std::string_view take_word() {
        const std::size_t size = bytes_.find('\0');
        require(size != std::string_view::npos, "it ends early");
        const std::string_view word = take_bytes(size);
        take_bytes(1);
        return word;
    }

  private:
    std::string_view bytes_;
};

Settings read_settings(Reader& reader) {
    require(reader.left() >= 8 && reader.take<std::int32_t>() == kMagic,
            "it is not a fastText model");
    const auto version = reader.take<std::int32_t>();
    require(version == kVersion || version == kVersionWithoutSubwords,
            "it has version " + std::to_string(version) + " of the format, not 11 or 12");
    Settings settings;
    settings.dim = reader.take<std::int32_t>();
    for (int skipped = 0; skipped < 4; ++skipped) reader.take<std::int32_t>();
    settings.word_ngrams = reader.take<std::int32_t>();
    settings.loss = static_cast<Loss>(reader.take<std::int32_t>());
    const auto model = reader.take<std::int32_t>();
    settings.bucket = reader.take<std::int32_t>();
    settings.minn = reader.take<std::int32_t>();
    settings.maxn = reader.take<std::int32_t>();
    reader.take<std::int32_t>();
    reader.take<double>();
    require(model == kSupervised,
            "it has word vectors and no labels; only supervised models score");
    if (version == kVersionWithoutSubwords) settings.maxn = 0;
    settings.check();
    return settings;
}

Dictionary::Content read_dictionary(Reader& reader) {
    // A word takes a zero, a count and a type, besides its bytes.
    constexpr std::size_t kLeastWord = 1 + 8 + 1;
    const std::size_t size = reader.take_count<std::int32_t>(kLeastWord);
    const auto words = reader.take<std::int32_t>();
    const auto labels = reader.take<std::int32_t>();
    reader.take<std::int64_t>();
    const auto kept = reader.take<std::int64_t>();
    require(words >= 0 && labels >= 0 &&
                static_cast<std::size_t>(words) + static_cast<std::size_t>(labels) == size,
            "its words and labels do not add up");
    require(size <= reader.left() / kLeastWord, "it ends early");
    Dictionary::Content content;
    content.ends.reserve(size);
    for (std::size_t id = 0; id < size; ++id) {
        content.bytes += reader.take_word();
        content.ends.push_back(content.bytes.size());
        const auto count = reader.take<std::int64_t>();
        const bool is_label = reader.take_flag();
        require(is_label == (id >= static_cast<std::size_t>(words)),
                "a label stands among its words, or a word among its labels");
        if (is_label) content.label_counts.push_back(count);
    }
    require(kept >= -1 && (kept < 0 || static_cast<std::uint64_t>(kept) <= reader.left() / 8),
            "its number of kept n-grams is out of range");
    if (kept >= 0) {
        auto& buckets = content.kept_buckets.emplace();
        buckets.reserve(static_cast<std::size_t>(kept));
        for (std::int64_t k = 0; k < kept; ++k) {
            const auto bucket = reader.take<std::int32_t>();
            buckets.emplace_back(bucket, reader.take<std::int32_t>());
        }
    }
    return content;
}

Matrix read_dense(Reader& reader, std::size_t dim) {
    const auto rows = reader.take<std::int64_t>();
    const auto columns = reader.take<std::int64_t>();
    require(rows >= 0 && static_cast<std::uint64_t>(columns) == dim,
            "a matrix does not have the model's dimension");
    const auto count = static_cast<std::size_t>(rows);
    return {count, dim, reader.take_bytes(count, dim * sizeof(float)).data()};
}

/// Reads the sizes and the centroids of a quantiser of `dim` columns; returns the centroids, and
/// sets the columns of a group.
const char* read_quantiser(Reader& reader, std::size_t dim, std::size_t& group_columns,
                           std::size_t& groups) {
    const auto columns = reader.take<std::int32_t>();
    const auto parts = reader.take<std::int32_t>();
    const auto part_columns = reader.take<std::int32_t>();
    const auto last_columns = reader.take<std::int32_t>();
    require(columns >= 1 && static_cast<std::size_t>(columns) == dim && part_columns >= 1,
            "a quantiser does not have the model's dimension");
    group_columns = static_cast<std::size_t>(part_columns);
    groups = (dim + group_columns - 1) / group_columns;
    require(parts >= 1 && static_cast<std::size_t>(parts) == groups && last_columns >= 1 &&
                static_cast<std::size_t>(last_columns) == dim - (groups - 1) * group_columns,
            "the groups of a quantiser do not add up");
    return reader.take_bytes(dim, kCentroids * sizeof(float)).data();
}

Matrix read_quantised(Reader& reader, std::size_t dim) {
    const bool has_norms = reader.take_flag();
    const auto rows = reader.take<std::int64_t>();
    const auto columns = reader.take<std::int64_t>();
    const auto code_bytes = reader.take<std::int32_t>();
    require(rows >= 0 && static_cast<std::uint64_t>(columns) == dim,
            "a matrix does not have the model's dimension");
    require(code_bytes >= 0, "a number of things is negative");
    const auto count = static_cast<std::size_t>(rows);
    const auto size = static_cast<std::size_t>(code_bytes);
    Codes codes;
    codes.codes = reader.take_bytes(size).data();
    codes.centroids = read_quantiser(reader, dim, codes.group_columns, codes.groups);
    require(size % codes.groups == 0 && size / codes.groups == count,
            "the codes of a matrix do not add up");
    if (has_norms) {
        codes.norm_codes = reader.take_bytes(count).data();
        std::size_t one = 1;
        std::size_t width = 1;
        codes.norms = read_quantiser(reader, one, width, one);
    }
    return {count, dim, codes};
}

}  // namespace

ModelFile read_model(std::string_view bytes) {
    Reader reader(bytes);
    ModelFile file;
    file.settings = read_settings(reader);
    file.dictionary = read_dictionary(reader);
    const auto dim = static_cast<std::size_t>(file.settings.dim);
    const bool quantised = reader.take_flag();
    require(quantised || !file.dictionary.kept_buckets,
            "it is pruned but not quantised, which fastText refuses as well");
    file.input = quantised ? read_quantised(reader, dim) : read_dense(reader, dim);
    const bool output_quantised = reader.take_flag();
    file.output =
        quantised && output_quantised ? read_quantised(reader, dim) : read_dense(reader, dim);
    require(reader.left() == 0,
            "it has " + std::to_string(reader.left()) + " bytes behind its end");
    require(file.output.rows() == file.dictionary.label_counts.size(),
            "its output matrix does not have one row per label");
    require(file.input.finite() && file.output.finite(), "a number in it is not finite");
    return file;
}

}  // namespace dsir::fasttext
