// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The golden arrays of a bundle: a few crops as the graph takes them, and what it gave for them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "manifest.hpp"
#include "npz.hpp"

namespace pamtri::engines {

constexpr std::uint64_t kGoldenLimit = 64 << 20;  ///< bytes of the file, and of its arrays

struct Golden {
    std::map<std::string, Array> inputs, expected, reference;
    std::size_t count = 0;  ///< of the crops
};

/// Read the arrays from the bytes of golden.npz and compare them with what the manifest says.
///
/// source: how errors call the file.
///
/// Throws BundleError: the bytes are not of that form, declare more than a golden file holds, or an
/// array is missing, unknown, or of another shape.
Golden read_golden(std::string_view content, const Manifest& manifest, const std::string& source);

}  // namespace pamtri::engines
