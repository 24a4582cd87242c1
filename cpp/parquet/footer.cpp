#include "parquet/footer.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parquet/thrift.hpp"

namespace dsir::parquet {
namespace {

constexpr std::int64_t kMagicBytes = 4;
constexpr std::int32_t kRequired = 0;
constexpr std::int32_t kRepeated = 2;
constexpr int kDeepest = 256;

struct SchemaElement {
    std::optional<std::int32_t> type;
    std::int32_t length = 0;
    std::int32_t repetition = 0;
    std::string_view name;
    std::int32_t children = 0;
};

struct NamedLeaf {
    Leaf leaf;
    std::vector<std::string_view> path;
};

struct Chunk {
    bool described = false;
    std::int32_t type = 0;
    std::int32_t codec = 0;
    std::vector<std::string_view> path;
    std::int64_t values = -1;
    std::int64_t uncompressed = -1;
    std::int64_t compressed = -1;
    std::int64_t data_page = -1;
    std::optional<std::int64_t> dictionary_page;

    std::int64_t start() const {
        const std::int64_t dictionary = dictionary_page.value_or(0);
        return dictionary > 0 ? std::min(dictionary, data_page) : data_page;
    }
};

struct RowGroup {
    std::int64_t rows = -1;
    std::vector<Chunk> chunks;
};

struct Span {
    std::int64_t start;
    std::int64_t end;
};

void require(bool condition, const std::string& what) {
    if (!condition) throw std::invalid_argument(what);
}

std::string in_group(std::size_t group, const std::string& what) {
    return "row group " + std::to_string(group) + " " + what;
}

SchemaElement read_element(ThriftReader& reader) {
    SchemaElement element;
    reader.read_struct([&](std::int64_t id, Type type) {
        if (id == 1) {
            element.type = reader.i32(type);
        } else if (id == 2) {
            element.length = reader.i32(type);
        } else if (id == 3) {
            element.repetition = reader.i32(type);
        } else if (id == 4) {
            element.name = reader.binary(type);
        } else if (id == 5) {
            element.children = reader.i32(type);
        } else {
            reader.skip(type);
        }
    });
    return element;
}

void read_column(ThriftReader& reader, Chunk& chunk) {
    chunk.described = true;
    reader.read_struct([&](std::int64_t id, Type type) {
        if (id == 1) {
            chunk.type = reader.i32(type);
        } else if (id == 3) {
            chunk.path.clear();
            reader.read_list(type, Type::kBinary,
                             [&] { chunk.path.push_back(reader.binary(Type::kBinary)); });
        } else if (id == 4) {
            chunk.codec = reader.i32(type);
        } else if (id == 5) {
            chunk.values = reader.i64(type);
        } else if (id == 6) {
            chunk.uncompressed = reader.i64(type);
        } else if (id == 7) {
            chunk.compressed = reader.i64(type);
        } else if (id == 9) {
            chunk.data_page = reader.i64(type);
        } else if (id == 11) {
            chunk.dictionary_page = reader.i64(type);
        } else {
            reader.skip(type);
        }
    });
}

Chunk read_chunk(ThriftReader& reader) {
    Chunk chunk;
    reader.read_struct([&](std::int64_t id, Type type) {
        if (id == 3 && type == Type::kStruct) {
            read_column(reader, chunk);
        } else {
            reader.skip(type);
        }
    });
    return chunk;
}

RowGroup read_group(ThriftReader& reader) {
    RowGroup group;
    reader.read_struct([&](std::int64_t id, Type type) {
        if (id == 1) {
            reader.read_list(type, Type::kStruct,
                             [&] { group.chunks.push_back(read_chunk(reader)); });
        } else if (id == 3) {
            group.rows = reader.i64(type);
        } else {
            reader.skip(type);
        }
    });
    return group;
}

/// Reads one element and what is under it, and adds its leaves.
void add_leaves(const std::vector<SchemaElement>& schema, std::size_t& at, NamedLeaf above,
                int depth, std::vector<NamedLeaf>& leaves) {
    require(at < schema.size() && depth < kDeepest, "the schema is no tree");
    const SchemaElement& element = schema[at++];
    above.path.push_back(element.name);
    above.leaf.repeated = above.leaf.repeated || element.repetition == kRepeated;
    above.leaf.nullable = above.leaf.nullable || element.repetition != kRequired;
    require(element.children >= 0, "the schema is no tree");
    if (element.type.has_value()) {
        require(element.children == 0, "the schema is no tree");
        require(element.length >= 0, "the schema has a negative length");
        above.leaf.type = *element.type;
        above.leaf.length = element.length;
        leaves.push_back(std::move(above));
        return;
    }
    for (std::int32_t child = 0; child < element.children; ++child) {
        add_leaves(schema, at, above, depth + 1, leaves);
    }
}

std::vector<NamedLeaf> leaves_of(const std::vector<SchemaElement>& schema) {
    std::vector<NamedLeaf> leaves;
    std::size_t at = 0;
    if (!schema.empty() && !schema[0].type.has_value()) {
        const SchemaElement& top = schema[at++];
        require(top.children >= 0, "the schema is no tree");
        for (std::int32_t child = 0; child < top.children; ++child) {
            NamedLeaf root;
            root.leaf.column = static_cast<std::uint32_t>(child);
            add_leaves(schema, at, std::move(root), 1, leaves);
        }
    }
    require(at == schema.size(), "the schema is no tree");
    return leaves;
}

void check_group(const RowGroup& group, std::size_t number, const std::vector<NamedLeaf>& leaves,
                 std::int64_t data_end, std::vector<Span>& spans) {
    require(group.rows >= 0, in_group(number, "has " + std::to_string(group.rows) + " rows"));
    require(group.chunks.size() == leaves.size(),
            in_group(number, "has " + std::to_string(group.chunks.size()) +
                                 " columns, the schema " + std::to_string(leaves.size())));
    for (std::size_t column = 0; column < leaves.size(); ++column) {
        const Chunk& chunk = group.chunks[column];
        const auto& [leaf, path] = leaves[column];
        const auto where = [&](const std::string& what) {
            return "row group " + std::to_string(number) + ", column " + std::to_string(column) +
                   " " + what;
        };
        require(chunk.described, where("has no description of its data"));
        require(chunk.path == path && chunk.type == leaf.type,
                where("has another name or type in the schema"));
        require(leaf.repeated ? chunk.values >= group.rows : chunk.values == group.rows,
                where("has " + std::to_string(chunk.values) + " values for " +
                      std::to_string(group.rows) + " rows"));
        require(chunk.compressed >= 0 && chunk.uncompressed >= 0, where("has a negative size"));
        if (chunk.values == 0) continue;  // No page of it is read.
        const std::int64_t start = chunk.start();
        require(start >= kMagicBytes && start <= data_end && chunk.compressed <= data_end - start,
                where("lies outside of the file"));
        spans.push_back({start, start + chunk.compressed});
    }
}

}  // namespace

Footer::Footer(std::string_view footer, std::int64_t data_end) {
    ThriftReader reader(footer);
    std::vector<SchemaElement> schema;
    std::vector<RowGroup> groups;
    std::int64_t rows = -1;
    reader.read_struct([&](std::int64_t id, Type type) {
        if (id == 2) {
            reader.read_list(type, Type::kStruct, [&] { schema.push_back(read_element(reader)); });
        } else if (id == 3) {
            rows = reader.i64(type);
        } else if (id == 4) {
            reader.read_list(type, Type::kStruct, [&] { groups.push_back(read_group(reader)); });
        } else {
            reader.skip(type);
        }
    });
    const std::vector<NamedLeaf> leaves = leaves_of(schema);
    require(rows >= 0, "the file has " + std::to_string(rows) + " rows");
    std::vector<Span> spans;
    std::int64_t left = rows;
    for (std::size_t number = 0; number < groups.size(); ++number) {
        check_group(groups[number], number, leaves, data_end, spans);
        require(groups[number].rows <= left, "the row groups have more rows than the file");
        left -= groups[number].rows;
        for (const Chunk& chunk : groups[number].chunks) {
            chunks_.push_back({chunk.start(), chunk.values, chunk.codec, chunk.compressed});
        }
    }
    groups_ = groups.size();
    for (const NamedLeaf& named : leaves) leaves_.push_back(named.leaf);
    require(left == 0, "the row groups have fewer rows than the file");
    std::sort(spans.begin(), spans.end(),
              [](const Span& a, const Span& b) { return a.start < b.start; });
    for (std::size_t k = 1; k < spans.size(); ++k) {
        require(spans[k - 1].end <= spans[k].start, "column chunks overlap");
    }
}

std::span<const ColumnChunk> Footer::chunks(std::size_t group) const {
    require(group < groups_, "there is no such row group");
    return std::span(chunks_).subspan(group * leaves_.size(), leaves_.size());
}

}  // namespace dsir::parquet
