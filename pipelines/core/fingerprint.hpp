// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What an engine was built of, with and for: it serves nowhere else, and this says in words why
// not.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pamtri::core {

/// A fact is text, or none.
using Fact = std::optional<std::string>;

/// The facts by name: "onnx" (SHA-256 of the network), "library" ("TensorRT" and its version),
/// "cuda", "compute" (the GPU's architecture), "gpu", "l4t" (a Jetson's system software),
/// "precision" and "profiles" (batches that it is tuned for).
using Fingerprint = std::map<std::string, Fact>;

/// Twenty hexadecimal digits: the name of the engine's files. Facts that `differences` takes for
/// the same give the same, however exactly a program knows its versions.
std::string digest_of(const Fingerprint& fingerprint);

/// What differs in one fact, such as "the GPU was 'A', is 'B'".
std::string difference(const std::string& fact, const Fact& was, const Fact& is);

/// What differs in a record of another engine, in the order in which it is told, as far as an
/// engine needs it to run here: of TensorRT's versions one may lack its build (Python's package
/// leaves it out in some releases), and CUDA's minor version makes no difference. Facts of `mine`
/// alone are compared.
std::vector<std::string> differences(const Fingerprint& mine, const Fingerprint& record);

/// The fact "l4t" of a Jetson, out of its file /etc/nv_tegra_release: "36.4.0" of a line such as
/// "# R36 (release), REVISION: 4.0, GCID: ..."; a first line of another form as it is; "unknown" of
/// a file that says nothing.
std::string jetson_release(const std::string& text);

}  // namespace pamtri::core
