// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace pamtri::engines {

/// Refuse a network whose weights lie in other files, which a bundle's checksums do not cover.
///
/// content: the bytes of the ONNX file.
/// source:  how errors call it.
///
/// Throws BundleError: a tensor names another file; or the bytes, which may do so, cannot be
/// followed.
void refuse_outside_weights(std::string_view content, const std::string& source);

}  // namespace pamtri::engines
