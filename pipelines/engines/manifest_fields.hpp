// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The fields of a manifest: what each may hold, and the error that says what it holds instead; as
// Python's pamtri_edge.manifest_fields, with the same words.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json.hpp"
#include "manifest.hpp"

namespace pamtri::engines::fields {

/// What a field should have been.
struct Wrong {
    std::string expected;
};

using core::Json;

std::string printable(const Json& value);
std::int64_t integer(const Json& value);
std::int64_t size(const Json& value);
bool boolean(const Json& value);
void mapping(const Json& value);
std::string one_of(const Json& value, const std::vector<std::string>& choices);
std::optional<std::vector<std::string>> optional_names(const Json& value);
std::map<std::string, bool> variant(const Json& value);
std::vector<TensorSpec> tensors(const Json& value);
std::map<std::string, Tolerance> tolerance(const Json& value);
Matching matching(const Json& value);
void retrieval(const Json& value);
std::vector<std::pair<std::string, std::string>> files(const Json& value);

/// A value short enough for a message.
std::string shown(const Json& value);

}  // namespace pamtri::engines::fields
