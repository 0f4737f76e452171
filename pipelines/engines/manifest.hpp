// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What a bundle says of itself: manifest.json, its fields and their checks, as Python's
// pamtri_edge.manifest has them, with the same words.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine.hpp"

namespace pamtri::engines {

/// From which cosine on two embeddings may be called one vehicle's.
struct Matching {
    double threshold = 0;
    double false_match_rate = 0, true_match_rate = 0;
    std::string set;  ///< name of the set on which it was measured
};

/// Limits of the self-test for one output; what is not given is not asked.
struct Tolerance {
    std::optional<double> cosine, max_abs, share;
};

/// The fields that a pipeline needs; all of the file's are checked.
struct Manifest {
    std::string name;
    std::string precision;  ///< "fp32", "fp16" or "int8"
    std::string geometry;   ///< "unified" or "original"
    std::string size;
    std::vector<TensorSpec> inputs, outputs;
    std::int64_t embedding_dim = 0;
    std::string embedding_norm;  ///< "unit" or "raw"
    std::string embedding_space;
    std::optional<std::vector<std::string>> colors, types, keypoint_names;
    bool trained = false;
    std::map<std::string, Tolerance> tolerance;
    std::optional<Matching> matching;
    std::vector<std::pair<std::string, std::string>> files;  ///< path and SHA-256, as listed

    bool has_file(std::string_view path) const;

    /// SHA-256 of a file as listed; "" where it is not.
    std::string digest_of(std::string_view path) const;
};

/// Read a manifest.
///
/// source: how errors call the file.
///
/// Throws BundleError: not JSON, a newer schema, a missing field, a wrong type, or fields that
/// disagree.
Manifest read_manifest(std::string_view text, const std::string& source);

}  // namespace pamtri::engines
