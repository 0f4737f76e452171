// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The bundle: one folder NAME.pamtri with the typed network, its manifest and its golden results.
#pragma once

#include <string>

#include "manifest.hpp"

namespace pamtri::engines {

/// An opened bundle: its files were all present and unchanged.
struct Bundle {
    std::string path;
    Manifest manifest;
    std::string network;  ///< the bytes of model.onnx, whose SHA-256 the manifest has
    std::string golden;   ///< the bytes of golden.npz

    std::string model() const { return path + "/model.onnx"; }
    std::string golden_path() const { return path + "/golden.npz"; }
};

/// Open a bundle, checking the schema, and the presence and SHA-256 of every file. One that is
/// overwritten meanwhile is opened again.
///
/// Throws BundleError: what is wrong with which file, and what to do.
Bundle open_bundle(const std::string& path);

}  // namespace pamtri::engines
