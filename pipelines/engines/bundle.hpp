// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The bundle: one folder NAME.pamtri with the typed network, its manifest and its golden results.
#pragma once

#include <string>

#include "manifest.hpp"

namespace pamtri::engines {

/// The files of a bundle beside its manifest that engines need.
inline constexpr char kModelFile[] = "model.onnx", kGoldenFile[] = "golden.npz";

/// An opened bundle: its files were all present and unchanged.
struct Bundle {
    std::string path;
    Manifest manifest;
    std::string network;  ///< the bytes of kModelFile, whose SHA-256 the manifest has
    std::string golden;   ///< the bytes of kGoldenFile

    std::string model() const { return path + "/" + kModelFile; }
    std::string golden_path() const { return path + "/" + kGoldenFile; }
};

/// Open a bundle, checking the schema, and the presence and SHA-256 of every file. One that is
/// overwritten meanwhile is opened again.
///
/// Throws BundleError: what is wrong with which file, and what to do.
Bundle open_bundle(const std::string& path);

}  // namespace pamtri::engines
