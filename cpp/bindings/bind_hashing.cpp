#include "bindings/python.hpp"
#include "hashing/fast_hash.hpp"
#include "hashing/sha256.hpp"
#include "ngram/feature_spec.hpp"

namespace dsir::bindings {
namespace {

std::uint64_t fast_token_hash(const py::bytes& token) {
    const std::string_view bytes = token;
    require(!bytes.empty(), "a token has at least one byte");
    std::string padded(bytes);
    padded.append(8, '\0');
    return hashing::token_hash(reinterpret_cast<const std::uint8_t*>(padded.data()), bytes.size());
}

std::uint32_t sha256_bucket(const py::bytes& ngram, std::uint32_t buckets) {
    require(buckets >= ngram::kMinBuckets && buckets <= ngram::kMaxBuckets,
            "buckets must be 2 to 2^24");
    const std::string_view bytes = ngram;
    return hashing::Sha256Buckets(buckets)(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                           bytes.size());
}

}  // namespace

void bind_hashing(py::module_& module) {
    module.attr("FAST_HASH_VERSION") = hashing::kFastHashVersion;
    module.def("fast_token_hash", &fast_token_hash, py::arg("token"));
    module.def("fast_extend_hash", &hashing::extend_hash, py::arg("shorter"), py::arg("token"));
    module.def("fast_bucket", &hashing::bucket_of, py::arg("hash"), py::arg("buckets"));
    module.def("sha256_bucket", &sha256_bucket, py::arg("ngram"), py::arg("buckets"));
}

}  // namespace dsir::bindings
