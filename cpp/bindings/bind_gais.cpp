#include <algorithm>
#include <cmath>

#include "bindings/group_members.hpp"
#include "bindings/python.hpp"
#include "gais/facility_location.hpp"
#include "gais/group_neighbours.hpp"
#include "gais/landmarks.hpp"
#include "gais/near_rows.hpp"
#include "gais/prototypes.hpp"

namespace dsir::bindings {
namespace {

using numeric::DenseRows;

DenseRows dense_rows(const Array<float>& values) {
    require(values.ndim() == 2, "the rows must be two-dimensional");
    require(values.shape(0) < 0x7FFFFFFF, "there are more than 2^31 - 2 rows");
    return {values.shape(0), values.shape(1), values.data()};
}

gais::Parts parts_of(const Array<std::int32_t>& members, const Array<std::int64_t>& offsets,
                     std::int64_t rows) {
    check_cut(members, offsets, rows);
    return {members.data(), offsets.data(), offsets.size() - 1};
}

py::tuple group_neighbours(
    const Array<float>& rows,
    const std::vector<std::pair<Array<std::int32_t>, Array<std::int64_t>>>& tables, std::int64_t k,
    float threshold, unsigned threads) {
    const DenseRows view = dense_rows(rows);
    require(k >= 1 && k <= 1 << 20, "k must be 1 to 1,048,576");
    require(threads >= 1, "threads must be at least 1");
    std::vector<gais::GroupTable> views;
    for (const auto& [members, offsets] : tables) {
        check_cut(members, offsets, view.size);
        std::vector<std::uint8_t> seen(static_cast<std::size_t>(view.size), 0);
        for (py::ssize_t m = 0; m < members.size(); ++m) seen[members.data()[m]] = 1;
        require(members.size() == view.size && std::find(seen.begin(), seen.end(), 0) == seen.end(),
                "every row must be in one group of each table");
        views.push_back({members.data(), offsets.data(), offsets.size() - 1});
    }
    gais::Neighbours found;
    {
        const py::gil_scoped_release release;
        found = gais::group_neighbours(view, views, k, threshold, threads);
    }
    return py::make_tuple(to_numpy(std::move(found.offsets)), to_numpy(std::move(found.neighbours)),
                          to_numpy(std::move(found.cosines)), to_numpy(std::move(found.shares)));
}

py::array_t<std::uint64_t> sign_codes(const Array<float>& rows, const Array<float>& planes,
                                      unsigned threads) {
    const DenseRows view = dense_rows(rows);
    require(planes.ndim() == 2 && planes.shape(1) == view.width && planes.shape(0) <= 64,
            "planes must be at most 64 rows as wide as the data");
    require(threads >= 1, "threads must be at least 1");
    std::vector<std::uint64_t> codes;
    {
        const py::gil_scoped_release release;
        codes = gais::sign_codes(view, planes.data(), planes.shape(0), threads);
    }
    return to_numpy(std::move(codes));
}

py::array_t<std::int32_t> cluster_prototypes(const Array<float>& rows,
                                             const Array<std::int32_t>& members,
                                             const Array<std::int64_t>& offsets,
                                             const Array<std::int64_t>& wanted,
                                             std::int64_t iterations, std::uint64_t seed,
                                             unsigned threads) {
    const DenseRows view = dense_rows(rows);
    const gais::Parts parts = parts_of(members, offsets, view.size);
    require(wanted.ndim() == 1 && wanted.size() == parts.count,
            "wanted must have one number per part");
    for (std::int64_t g = 0; g < parts.count; ++g) {
        require(
            wanted.data()[g] >= 0 && wanted.data()[g] <= parts.offsets[g + 1] - parts.offsets[g],
            "a part has fewer rows than `wanted` asks for");
    }
    require(iterations >= 1 && threads >= 1, "iterations and threads must be at least 1");
    std::vector<std::int32_t> chosen;
    {
        const py::gil_scoped_release release;
        chosen = gais::cluster_prototypes(view, parts, wanted.data(), iterations, seed, threads);
    }
    return to_numpy(std::move(chosen));
}

py::array_t<std::int32_t> nearest_chosen(const Array<float>& rows,
                                         const Array<std::int32_t>& members,
                                         const Array<std::int64_t>& offsets,
                                         const Array<std::int32_t>& chosen,
                                         const Array<std::int64_t>& ends, unsigned threads) {
    const DenseRows view = dense_rows(rows);
    const gais::Parts parts = parts_of(members, offsets, view.size);
    const gais::Parts kept = parts_of(chosen, ends, view.size);
    require(kept.count == parts.count, "ends must have as many parts as offsets");
    for (std::int64_t g = 0; g < kept.count; ++g) {
        require(kept.offsets[g] < kept.offsets[g + 1], "a part has no chosen rows");
    }
    require(threads >= 1, "threads must be at least 1");
    std::vector<std::int32_t> nearest;
    {
        const py::gil_scoped_release release;
        nearest = gais::nearest_chosen(view, parts, kept, threads);
    }
    return to_numpy(std::move(nearest));
}

using Start = std::pair<Array<std::int32_t>, Array<std::int64_t>>;

gais::NearRows near_rows(const Array<float>& rows, const Array<std::int32_t>& labels,
                         const Array<std::int32_t>& members, const Array<std::int64_t>& offsets,
                         const std::vector<Start>& starts, std::int64_t most, unsigned threads) {
    const DenseRows view = dense_rows(rows);
    const gais::Parts parts = parts_of(members, offsets, view.size);
    require(labels.ndim() == 1 && labels.size() == view.size, "labels must have one entry per row");
    require(std::all_of(labels.data(), labels.data() + labels.size(),
                        [](std::int32_t label) { return label >= 0 && label < 1 << 24; }),
            "a label is out of range");
    require(threads >= 1, "threads must be at least 1");
    std::vector<gais::NearRows::Start> views;
    for (const auto& [prototypes, ends] : starts) {
        check_cut(prototypes, ends, view.size);
        require(ends.size() == offsets.size(),
                "ends must have one entry more than there are parts");
        views.push_back({prototypes.data(), ends.data()});
    }
    const py::gil_scoped_release release;
    return {view, labels.data(), parts, views, most, threads};
}

py::tuple exchange_prototypes(const Array<float>& rows, const Array<std::int32_t>& labels,
                              const Array<std::uint8_t>& allowed,
                              const Array<std::int32_t>& members,
                              const Array<std::int64_t>& offsets,
                              const Array<std::int32_t>& prototypes,
                              const Array<std::int64_t>& ends, double passes, double sharpness,
                              double local, std::uint64_t seed, unsigned threads,
                              const gais::NearRows* near) {
    const DenseRows view = dense_rows(rows);
    const gais::Parts parts = parts_of(members, offsets, view.size);
    require(near == nullptr || near->fits(parts), "the near rows are those of other parts");
    check_cut(prototypes, ends, view.size);
    require(ends.size() == offsets.size(), "ends must have one entry more than there are parts");
    require(labels.ndim() == 1 && labels.size() == view.size && allowed.ndim() == 1 &&
                allowed.size() == view.size,
            "labels and allowed must have one entry per row");
    require(std::all_of(labels.data(), labels.data() + labels.size(),
                        [](std::int32_t label) { return label >= 0 && label < 1 << 24; }),
            "a label is out of range");
    for (std::int64_t g = 0; g < parts.count; ++g) {
        // A class that only prototypes had would have no pool.
        std::int32_t most = -1;
        for (std::int64_t m = parts.offsets[g]; m < parts.offsets[g + 1]; ++m) {
            most = std::max(most, labels.data()[parts.members[m]]);
        }
        for (std::int64_t p = ends.data()[g]; p < ends.data()[g + 1]; ++p) {
            require(labels.data()[prototypes.data()[p]] <= most,
                    "a prototype has a class that its part does not have");
        }
    }
    require(
        passes >= 0 && passes <= 1e6 && sharpness > 0 && local >= 0 && local <= 1 && threads >= 1,
        "passes, sharpness, local or threads is out of range");
    std::vector<std::int32_t> chosen(prototypes.data(), prototypes.data() + prototypes.size());
    std::vector<double> losses(static_cast<std::size_t>(2 * parts.count));
    {
        const py::gil_scoped_release release;
        gais::exchange_prototypes(view, labels.data(), allowed.data(), parts, ends.data(),
                                  chosen.data(), losses.data(), {passes, sharpness, local, seed},
                                  threads, near != nullptr && near->known() ? near : nullptr);
    }
    return py::make_tuple(to_numpy(std::move(chosen)), to_numpy(std::move(losses)));
}

py::tuple facility_location(const Array<std::int64_t>& offsets, const Array<std::int32_t>& served,
                            const Array<float>& values, const Array<std::int32_t>& group,
                            const std::vector<std::int64_t>& wanted, std::int64_t rows) {
    check_cut(served, offsets, rows);
    require(values.ndim() == 1 && values.size() == served.size(),
            "values must have one entry per entry of `served`");
    require(std::all_of(values.data(), values.data() + values.size(),
                        [](float value) { return value >= 0 && std::isfinite(value); }),
            "values must be finite and not negative");
    const std::int64_t candidates = offsets.size() - 1;
    require(group.ndim() == 1 && group.size() == candidates,
            "group must have one entry per candidate");
    const auto groups = static_cast<std::int64_t>(wanted.size());
    require(std::all_of(group.data(), group.data() + candidates,
                        [&](std::int32_t g) { return g < groups; }),
            "a group is out of range");
    require(std::all_of(wanted.begin(), wanted.end(), [](std::int64_t w) { return w >= 0; }),
            "wanted must not be negative");
    gais::FacilityLocation found;
    {
        const py::gil_scoped_release release;
        found = gais::facility_location(
            {candidates, rows, offsets.data(), served.data(), values.data()}, group.data(), wanted);
    }
    return py::make_tuple(to_numpy(std::move(found.chosen)), to_numpy(std::move(found.gains)));
}

py::array_t<float> shortest_paths(const Array<std::int64_t>& offsets,
                                  const Array<std::int32_t>& ends, const Array<float>& lengths,
                                  std::int32_t source) {
    const std::int64_t rows = offsets.size() - 1;
    check_cut(ends, offsets, rows);
    require(lengths.ndim() == 1 && lengths.size() == ends.size(),
            "lengths must have one entry per edge");
    require(std::all_of(lengths.data(), lengths.data() + lengths.size(),
                        [](float length) { return length >= 0; }),
            "lengths must not be negative");
    require(source >= 0 && source < rows, "source is out of range");
    std::vector<float> found;
    {
        const py::gil_scoped_release release;
        found = gais::shortest_paths({rows, offsets.data(), ends.data(), lengths.data()}, source);
    }
    return to_numpy(std::move(found));
}

py::array_t<float> landmark_coordinates(const Array<float>& squared,
                                        const Array<std::int32_t>& landmarks, std::int64_t most,
                                        unsigned threads) {
    const DenseRows view = dense_rows(squared);
    require(landmarks.ndim() == 1 && landmarks.size() == view.size && view.size >= 1,
            "squared must have one row per landmark");
    require(std::all_of(landmarks.data(), landmarks.data() + landmarks.size(),
                        [&](std::int32_t row) { return row >= 0 && row < view.width; }),
            "a landmark is out of range");
    require(std::all_of(view.values, view.values + view.entries(),
                        [](float value) { return std::isfinite(value); }),
            "distances must be finite");
    require(most >= 1 && threads >= 1, "most and threads must be at least 1");
    gais::Coordinates found;
    {
        const py::gil_scoped_release release;
        found = gais::landmark_coordinates({view.size, view.width, view.values, landmarks.data()},
                                           most, threads);
    }
    return to_numpy(std::move(found.values)).reshape({view.width, found.width});
}

}  // namespace

void bind_gais(py::module_& module) {
    module.def("group_neighbours", &group_neighbours, py::arg("rows").noconvert(),
               py::arg("tables"), py::kw_only(), py::arg("k"), py::arg("threshold"),
               py::arg("threads") = 1);
    module.def("sign_codes", &sign_codes, py::arg("rows").noconvert(),
               py::arg("planes").noconvert(), py::kw_only(), py::arg("threads") = 1);
    module.def("cluster_prototypes", &cluster_prototypes, py::arg("rows").noconvert(),
               py::arg("members").noconvert(), py::arg("offsets").noconvert(),
               py::arg("wanted").noconvert(), py::kw_only(), py::arg("iterations"), py::arg("seed"),
               py::arg("threads") = 1);
    module.def("nearest_chosen", &nearest_chosen, py::arg("rows").noconvert(),
               py::arg("members").noconvert(), py::arg("offsets").noconvert(),
               py::arg("chosen").noconvert(), py::arg("ends").noconvert(), py::kw_only(),
               py::arg("threads") = 1);
    py::class_<gais::NearRows>(module, "NearRows")
        .def(py::init(&near_rows), py::arg("rows").noconvert(), py::arg("labels").noconvert(),
             py::arg("members").noconvert(), py::arg("offsets").noconvert(), py::arg("starts"),
             py::kw_only(), py::arg("most"), py::arg("threads") = 1)
        .def_property_readonly("entries", &gais::NearRows::entries);
    module.def("exchange_prototypes", &exchange_prototypes, py::arg("rows").noconvert(),
               py::arg("labels").noconvert(), py::arg("allowed").noconvert(),
               py::arg("members").noconvert(), py::arg("offsets").noconvert(),
               py::arg("prototypes").noconvert(), py::arg("ends").noconvert(), py::kw_only(),
               py::arg("passes"), py::arg("sharpness"), py::arg("local"), py::arg("seed"),
               py::arg("threads") = 1, py::arg("near") = py::none());
    module.def("shortest_paths", &shortest_paths, py::arg("offsets").noconvert(),
               py::arg("ends").noconvert(), py::arg("lengths").noconvert(), py::kw_only(),
               py::arg("source"));
    module.def("landmark_coordinates", &landmark_coordinates, py::arg("squared").noconvert(),
               py::arg("landmarks").noconvert(), py::kw_only(), py::arg("most"),
               py::arg("threads") = 1);
    module.def("facility_location", &facility_location, py::arg("offsets").noconvert(),
               py::arg("served").noconvert(), py::arg("values").noconvert(),
               py::arg("group").noconvert(), py::arg("wanted"), py::kw_only(), py::arg("rows"));
}

}  // namespace dsir::bindings
