#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "digest/sha256.hpp"
#include "hashing/content_hash.hpp"
#include "hashing/fast_hash.hpp"
#include "ngram/feature_spec.hpp"

namespace dsir::bindings {
namespace {

std::uint64_t fast_token_hash(const py::bytes& token) {
    const std::string_view bytes = token;
    require(!bytes.empty(), "a token must have at least one byte");
    std::string padded(bytes);
    padded.append(8, '\0');
    return hashing::token_hash(reinterpret_cast<const std::uint8_t*>(padded.data()), bytes.size());
}

std::uint32_t sha256_bucket(const py::bytes& ngram, std::uint32_t buckets) {
    require(buckets >= ngram::kMinBuckets && buckets <= ngram::kMaxBuckets,
            "buckets must be 2 to 2^24");
    const std::string_view bytes = ngram;
    return digest::Sha256Buckets(buckets)(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                          bytes.size());
}

py::array_t<std::uint64_t> content_hashes(const py::object& array, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(threads >= 1, "threads must be at least 1");
    py::array_t<std::uint64_t> hashes(column.size());
    std::uint64_t* const out = hashes.mutable_data();
    {
        // `imported` and `hashes` outlive the call. Only memory is touched.
        const py::gil_scoped_release release;
        hashing::content_hashes(column, threads, out);
    }
    return hashes;
}

}  // namespace

void bind_hashing(py::module_& module) {
    module.attr("FAST_HASH_VERSION") = hashing::kFastHashVersion;
    module.attr("CONTENT_HASH") = hashing::kContentHash;
    module.def("content_hashes", &content_hashes, py::arg("array"), py::kw_only(),
               py::arg("threads") = 1,
               "64-bit hashes of the texts; see docs/reference/formats.md.");
    module.def("fast_token_hash", &fast_token_hash, py::arg("token"));
    module.def("fast_extend_hash", &hashing::extend_hash, py::arg("shorter"), py::arg("token"));
    module.def("fast_bucket", &hashing::bucket_of, py::arg("hash"), py::arg("buckets"));
    module.def("sha256_bucket", &sha256_bucket, py::arg("ngram"), py::arg("buckets"));
}

}  // namespace dsir::bindings
