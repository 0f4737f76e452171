// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "dump.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "engine_error.hpp"
#include "errors.hpp"
#include "files.hpp"
#include "json.hpp"
#include "tracks.hpp"

namespace pamtri::gst {

namespace {

namespace fs = std::filesystem;
using core::Json;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files are little-endian");

constexpr int kSchema = 1;
constexpr mode_t kMode = 0666;

bool is_view(const fs::path& path) {
    const std::string name = path.filename().string();
    return name.rfind("crop-", 0) == 0 && path.extension() == ".json";
}

/// Write a new file; 0, or the error's number.
int write_file(const std::string& path, const std::string& content, int flags) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, kMode);
    if (file < 0) return errno;
    int error = sinks::write_at(file, content.data(), content.size(), 0);
    if (close(file) != 0 && error == 0) error = errno;
    if (error != 0) unlink(path.c_str());
    return error;
}

[[noreturn]] void refuse(const std::string& path, int error) {
    throw engines::EngineError("dump-dir: " + path + " cannot be written (" +
                               sinks::word_of(error) +
                               "); make room for it, or leave dump-dir unset.");
}

/// Arrays one behind the other, and where each lies.
struct Arrays {
    Json described = Json::object();
    std::string content;

    void add(const std::string& name, const char* type, const std::vector<std::int64_t>& shape,
             const void* first, std::size_t bytes) {
        described[name] = {{"dtype", type}, {"shape", shape}, {"offset", content.size()}};
        content.append(static_cast<const char*>(first), bytes);
    }

    /// A network's output, in the shape that its manifest has.
    void add(const engines::Manifest& manifest, const std::string& name,
             const std::vector<float>& values) {
        const auto spec =
            std::find_if(manifest.outputs.begin(), manifest.outputs.end(),
                         [&](const engines::TensorSpec& one) { return one.name == name; });
        if (spec == manifest.outputs.end() || values.empty()) return;
        add(name, "float32", spec->item, values.data(), values.size() * sizeof(float));
    }
};

/// A number that JSON can hold.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace

Dump::Dump(std::string folder, std::size_t most) : folder_(std::move(folder)), most_(most) {
    std::error_code fault;
    fs::create_directories(folder_, fault);
    if (fault && !fs::is_directory(folder_))
        throw core::InputError("dump-dir is " + folder_ + ", which cannot be made: " +
                               fault.message() + ". Name another folder.");
    std::string name = folder_ + "/.dump-XXXXXX";
    const int file = mkstemp(name.data());
    if (file < 0)
        throw core::InputError("dump-dir is " + folder_ + ", which cannot be written to: " +
                               sinks::word_of(errno) + ". Name another folder.");
    close(file);
    unlink(name.c_str());
    fs::directory_iterator at(folder_, fault);
    for (; !fault && at != fs::directory_iterator(); at.increment(fault))
        if (is_view(at->path()))
            throw core::InputError(
                "dump-dir is " + folder_ + ", which holds views of an earlier run (" +
                at->path().filename().string() + "); remove them, or name another folder.");
    if (fault)
        throw core::InputError("dump-dir is " + folder_ + ", which cannot be read: " +
                               fault.message() + ". Name another folder.");
}

std::vector<engines::Answer> Dump::described(Dump* dump, const std::vector<Picture>& pictures,
                                             const engines::Manifest& manifest,
                                             const Describe& describe) {
    const bool wanted = dump && dump->has_room() &&
                        std::any_of(pictures.begin(), pictures.end(), [](const Picture& picture) {
                            return picture.original != nullptr;
                        });
    std::vector<float> images;
    std::vector<engines::Answer> answers = describe(wanted ? &images : nullptr);
    if (!wanted) return answers;
    const std::size_t values = images.size() / pictures.size();
    const int side = static_cast<int>(std::lround(std::sqrt(values / 3.0)));
    for (std::size_t i = 0; i < pictures.size() && dump->has_room(); ++i)
        if (pictures[i].original)
            dump->write(*pictures[i].original, images.data() + i * values, side, answers[i],
                        manifest);
    return answers;
}

void Dump::write(const Original& original, const float* image, int side,
                 const engines::Answer& answer, const engines::Manifest& manifest) {
    Arrays arrays;
    for (const Original::Plane& plane : original.planes)
        arrays.add(plane.name, "uint8", plane.shape, plane.bytes.data(), plane.bytes.size());
    const std::size_t values = 3 * static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
    arrays.add("images", "float32", {3, side, side}, image, values * sizeof(float));
    arrays.add(manifest, "embedding", answer.embedding);
    arrays.add(manifest, "color", answer.color);
    arrays.add(manifest, "type", answer.type);
    arrays.add(manifest, "keypoints", answer.keypoints);
    if (answer.quality) arrays.add(manifest, "quality", {*answer.quality});
    const core::Rectangle& r = original.inside;
    const core::Box& box = original.box;
    Json record = {{"schema", kSchema},
                   {"source", original.origin.source},
                   {"frame", original.origin.frame},
                   {"track", original.track == core::kUntracked ? Json() : Json(original.track)},
                   {"box", {number(box.x1), number(box.y1), number(box.x2), number(box.y2)}},
                   {"crop", {r.x1, r.y1, r.x2 - r.x1, r.y2 - r.y1}}};
    if (!original.conversion.empty()) record["conversion"] = original.conversion;
    record["arrays"] = std::move(arrays.described);

    const std::string path = claim(arrays.content);
    const std::string part = path + ".json.part";
    int error = write_file(part, core::written(record) + "\n", O_TRUNC);
    if (error == 0 && rename(part.c_str(), (path + ".json").c_str()) != 0) error = errno;
    if (error != 0) {
        unlink(part.c_str());
        unlink((path + ".bin").c_str());
        refuse(path + ".json", error);
    }
    ++written_;
}

/// Write the arrays under the next number that nobody has, another element neither; the files'
/// common path.
std::string Dump::claim(const std::string& content) {
    while (true) {
        char number[24];
        std::snprintf(number, sizeof number, "%08zu", next_++);
        const std::string path = folder_ + "/crop-" + number;
        const int error = write_file(path + ".bin", content, O_EXCL);
        if (error == 0) return path;
        if (error != EEXIST) refuse(path + ".bin", error);
    }
}

}  // namespace pamtri::gst
