// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detector_files.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "errors.hpp"
#include "sha256.hpp"

namespace pamtri::engines {
namespace {

namespace fs = std::filesystem;

constexpr char kExpected[] = "a network in ONNX form (.onnx), or its description (.detector.json)";
constexpr std::uintmax_t kMostDescription = 64u << 20;
constexpr std::size_t kChunkBytes = 1 << 20;

/// What makes a description of a network.
std::string command_for(const fs::path& network) {
    return "pamtri detector describe " + network.string();
}

void check_regular(const fs::path& path, const std::string& missing) {
    std::error_code fault;
    const fs::file_status status = fs::status(path, fault);
    if (!fs::exists(status)) {
        const std::string reason = fault ? fault.message() : std::string(std::strerror(ENOENT));
        throw core::InputError(missing + " (" + reason + ").");
    }
    if (!fs::is_regular_file(status))
        throw core::InputError(path.string() + " is " +
                               (fs::is_directory(status) ? "a folder" : "no regular file") +
                               "; expected " + kExpected + ".");
}

void read(const fs::path& path, const std::function<void(const char*, std::size_t)>& take) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::vector<char> block(kChunkBytes);
    while (file) {
        file.read(block.data(), static_cast<std::streamsize>(block.size()));
        take(block.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (!file.eof() || !file.is_open())
        throw core::InputError(path.string() + " cannot be read (" +
                               std::strerror(errno ? errno : EIO) + ").");
}

core::DetectorPlan plan_of(const fs::path& path) {
    std::error_code fault;
    if (fs::file_size(path, fault) > kMostDescription)
        throw core::InputError(path.string() + " is no description of a detector: it is too long.");
    std::string text;
    read(path, [&text](const char* bytes, std::size_t size) { text.append(bytes, size); });
    try {
        return core::DetectorPlan::parse(text);
    } catch (const core::InputError& error) {
        throw core::InputError(path.string() + " is no description of a detector: " + error.what() +
                               " Make it again: pamtri detector describe NAME.onnx --overwrite");
    }
}

void check_digest(const fs::path& network, const core::DetectorPlan& plan) {
    core::Sha256 sum;
    read(network, [&sum](const char* bytes, std::size_t size) { sum.update(bytes, size); });
    if (sum.digits() != plan.sha256)
        throw core::InputError(network.string() +
                               " is not the network that was described: its SHA-256 differs. "
                               "Describe it again: " +
                               command_for(network) + " --overwrite");
}

}  // namespace

DetectorFiles find_detector(const std::string& path) {
    const fs::path given(path);
    const bool described = given.extension() == ".json";
    const fs::path description =
        described ? given : fs::path(given).replace_extension(".detector.json");
    if (!described) check_regular(given, "there is no detector " + path);
    const std::string missing = described ? "there is no description " + path
                                          : path + " has no description beside it, " +
                                                description.filename().string() + ", which " +
                                                command_for(given) + " writes";
    check_regular(description, missing);
    core::DetectorPlan plan = plan_of(description);
    const fs::path network = description.parent_path() / plan.file;
    if (!described && network.filename() != given.filename())
        throw core::InputError(description.string() + " describes " + plan.file + ", not " +
                               given.filename().string() + ". Describe it: " + command_for(given) +
                               " --overwrite");
    check_regular(network,
                  description.string() + " describes " + plan.file + ", which is not beside it");
    check_digest(network, plan);
    return {network.string(), std::move(plan)};
}

}  // namespace pamtri::engines
