// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A decoder from its description.
#include "decoding_json.hpp"

#include <algorithm>

#include "errors.hpp"

namespace pamtri::core {

namespace {

constexpr std::int64_t kMostOutputs = 64, kMostColumns = 1 << 16;
constexpr std::size_t kMostGrids = 16;
constexpr std::int64_t kMostCells = 1 << 22;

std::size_t output_of(JsonFields& fields, const char* name) {
    return static_cast<std::size_t>(fields.integer(name, 0, kMostOutputs - 1));
}

BoxForm form_of(JsonFields& fields) {
    static const std::vector<std::string> names = {"corners", "centers", "unit_centers", "cells"};
    const std::string name = fields.one_of("form", names);
    return static_cast<BoxForm>(std::find(names.begin(), names.end(), name) - names.begin());
}

/// Null is none.
template <typename Read>
auto optional_of(JsonFields& fields, const char* name, const Read& read)
    -> std::optional<decltype(read())> {
    if (!fields.is_null(name)) return read();
    fields.any(name);
    return std::nullopt;
}

Column column_of(JsonFields& fields, const char* name) {
    JsonFields column = fields.object(name);
    Column found;
    found.output = output_of(column, "output");
    found.column = optional_of(column, "column", [&] {
        return static_cast<std::size_t>(column.integer("column", 0, kMostColumns));
    });
    column.finish();
    return found;
}

Dense dense_of(JsonFields& fields) {
    Dense dense;
    dense.picture = size_of(fields, "size");
    dense.form = form_of(fields);
    dense.classes = static_cast<std::size_t>(fields.integer("classes", 1, kMostClasses));
    dense.objectness = fields.boolean("objectness");
    dense.transposed = fields.boolean("transposed");
    dense.logits = fields.boolean("logits");
    dense.boxes_output = output_of(fields, "boxes_output");
    dense.scores_output =
        optional_of(fields, "scores_output", [&] { return output_of(fields, "scores_output"); });
    const bool in_cells = dense.form == BoxForm::kCells;
    const std::int64_t largest = std::max(dense.picture.width, dense.picture.height);
    for (const std::int64_t stride :
         fields.integers("strides", in_cells ? 1 : 0, in_cells ? kMostGrids : 0, 1, largest))
        dense.strides.push_back(static_cast<int>(stride));
    std::int64_t count = 0;
    for (const std::int64_t stride : dense.strides)
        count += (dense.picture.width / stride) * (dense.picture.height / stride);
    if (count > kMostCells)
        fields.refuse("strides", "grids of " + std::to_string(kMostCells) + " cells at most");
    return dense;
}

Picked picked_of(JsonFields& fields) {
    Picked picked;
    picked.picture = size_of(fields, "size");
    picked.form = form_of(fields);
    if (picked.form == BoxForm::kCells) fields.refuse("form", "corners, centers or unit_centers");
    picked.box = column_of(fields, "box");
    picked.score = column_of(fields, "score");
    picked.label = column_of(fields, "label");
    picked.image = optional_of(fields, "image", [&] { return column_of(fields, "image"); });
    picked.objectness =
        optional_of(fields, "objectness", [&] { return column_of(fields, "objectness"); });
    picked.count = optional_of(fields, "count", [&] { return output_of(fields, "count"); });
    picked.classes = optional_of(fields, "classes", [&] {
        return static_cast<int>(fields.integer("classes", 1, kMostClasses));
    });
    return picked;
}

}  // namespace

FrameSize size_of(JsonFields& fields, const char* name) {
    const std::vector<std::int64_t> sides = fields.integers(name, 2, 2, 1, kMostSide);
    return {static_cast<int>(sides[1]), static_cast<int>(sides[0])};
}

Decoder decoder_of(JsonFields fields) {
    const bool dense = fields.one_of("kind", {"dense", "picked"}) == "dense";
    Decoder decoder = dense ? Decoder(dense_of(fields)) : Decoder(picked_of(fields));
    fields.finish();
    return decoder;
}

Decoder Decoder::parse(const std::string& description) {
    try {
        return decoder_of({parse_json(description), "decoder"});
    } catch (const JsonError& error) {
        throw InputError(std::string("a decoder's description is no JSON: ") + error.what() + ".");
    }
}

}  // namespace pamtri::core
