#pragma once

#include <cstdint>
#include <vector>

/// Coordinates for rows of which only distances are known. Every sum is taken in a fixed order, so
/// the results are the same on every machine and for any number of threads.
namespace dsir::gais {

/// A graph with lengths of 0 or more: the edges of row i are offsets[i] to offsets[i + 1] - 1. A
/// view: the caller owns the arrays.
struct LengthGraph {
    std::int64_t rows;
    const std::int64_t* offsets;
    const std::int32_t* ends;
    const float* lengths;
};

/// The length of the shortest path from one row to every row (Dijkstra 1959); infinite where no
/// path leads.
std::vector<float> shortest_paths(const LengthGraph& graph, std::int32_t source);

/// Squared distances from a few rows, the landmarks, to all rows: [landmarks, rows]. Row number
/// at[l] is landmark l. A view: the caller owns the arrays.
struct LandmarkDistances {
    std::int64_t landmarks;
    std::int64_t rows;
    const float* squared;
    const std::int32_t* at;
};

struct Coordinates {
    std::int64_t width;
    std::vector<float> values;  ///< [rows, width]
};

/// Landmark MDS (de Silva & Tenenbaum 2004): classical scaling of the landmarks (Torgerson 1952),
/// and every row where its distances to them put it. Distances of points in a Euclidean space of
/// few dimensions come out as they were. Directions are kept, most of `most`, that spread the
/// landmarks by more than a ten thousandth of the first, and by more than what is not Euclidean in
/// the distances (the negative eigenvalue of the greatest size). There is at least one direction;
/// it is 0 if all distances are.
Coordinates landmark_coordinates(const LandmarkDistances& known, std::int64_t most,
                                 unsigned threads);

}  // namespace dsir::gais
