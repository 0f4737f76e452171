// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "bundle.hpp"

#include "bundle_files.hpp"
#include "engine_error.hpp"
#include "golden.hpp"
#include "json.hpp"
#include "onnx_wire.hpp"
#include "words.hpp"

namespace pamtri::engines {
namespace {

constexpr int kAttempts = 5;  // it is not overwritten so often in the time that reading it takes
constexpr std::uint64_t kManifestLimit = 4 << 20;                // of ours: 10 kB
constexpr std::uint64_t kNetworkLimit = std::uint64_t{2} << 30;  // ONNX files cannot be larger
constexpr char kManifest[] = "manifest.json";

bool is_network(const std::string& name) {
    constexpr std::string_view kEnding = ".onnx";
    return name.size() >= kEnding.size() &&
           name.compare(name.size() - kEnding.size(), kEnding.size(), kEnding) == 0;
}

Bundle read(const Folder& folder) {
    const std::string source = folder.path() + "/" + kManifest;
    const std::string text = folder.read(
        kManifest, kManifestLimit, folder.path() + " is not a bundle: it has no " + kManifest);
    if (!core::is_utf8(text))
        throw BundleError(source + " cannot be read (it is not UTF-8). " + kRemedy);
    Bundle bundle;
    bundle.path = folder.path();
    bundle.manifest = read_manifest(text, source);
    for (const char* name : {kModelFile, kGoldenFile}) {
        if (!bundle.manifest.has_file(name))
            throw BundleError(source + " lists no " + name + ". " + kRemedy);
    }
    for (const auto& [name, digest] : bundle.manifest.files) {
        const bool model = name == kModelFile, golden = name == kGoldenFile;
        std::string content = folder.check(
            name, digest, is_network(name) ? kNetworkLimit : kGoldenLimit, model || golden);
        if (model) bundle.network = std::move(content);
        if (golden) bundle.golden = std::move(content);
    }
    refuse_outside_weights(bundle.network, bundle.model());
    return bundle;
}

}  // namespace

Bundle open_bundle(const std::string& path) {
    for (int attempt = 1;; ++attempt) {
        const Folder folder(path);
        try {
            return read(folder);
        } catch (const BundleError&) {
            if (!folder.replaced() || attempt == kAttempts) throw;
        }
    }
}

}  // namespace pamtri::engines
