// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "bundle_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <vector>

#include "engine_error.hpp"
#include "sha256.hpp"
#include "words.hpp"

namespace pamtri::engines {
namespace {

// A pipe that nobody writes to must not block the opening, and a terminal must not become ours.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr std::size_t kBlock = 1 << 20;

/// A path as a shell takes it.
std::string shell_quoted(const std::string& path) {
    const auto plain = [](char c) {
        return std::strchr("@%+=:,./-_", c) != nullptr || (c >= '0' && c <= '9') ||
               (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    if (!path.empty() && std::all_of(path.begin(), path.end(), plain)) return path;
    std::string text = "'";
    for (const char c : path) text += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
    return text + "'";
}

std::string not_there(const std::string& folder) {
    namespace fs = std::filesystem;
    std::error_code code;
    const fs::path real = fs::weakly_canonical(folder, code);
    const fs::path previous = real.parent_path() / ("." + real.filename().string() + ".previous");
    if (!code && fs::is_directory(previous, code)) {
        return folder + " does not exist: replacing it was interrupted. Put it back: mv " +
               shell_quoted(previous.string()) + " " + shell_quoted(folder);
    }
    const bool named = fs::path(folder).extension() == ".pamtri";
    return folder +
           " does not exist. Check the path, or make a bundle of the trained weights that come "
           "with the package: pamtri-export --model lite --output " +
           shell_quoted(named ? folder : folder + ".pamtri");
}

int open_folder(const std::string& path) {
    if (path.find('\0') != std::string::npos)
        throw BundleError(in_quotes(path) +
                          " cannot be opened (embedded null byte). Check the path.");
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) return descriptor;
    if (errno == ENOENT) throw BundleError(not_there(path));
    if (errno == ENOTDIR)
        throw BundleError(path +
                          " is not a folder; a bundle is a folder with a manifest.json in it. "
                          "One that came packed (.zip, .tar) is unpacked first.");
    throw BundleError(in_quotes(path) + " cannot be opened (" + std::strerror(errno) +
                      "). Check the path.");
}

const char* kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "something else";
}

/// Opens one file of a folder and gives its content; errors name it by its whole path.
class Reader {
  public:
    Reader(int folder, std::string path, const std::string& name, std::string missing)
        : path_(std::move(path)), missing_(std::move(missing)), descriptor_(opened(folder, name)) {}

    void blocks(std::uint64_t limit, const std::function<void(const char*, std::size_t)>& take) {
        struct stat about{};
        fstat(descriptor_.get(), &about);
        const auto size = static_cast<std::uint64_t>(about.st_size);
        if (size > limit) too_long(size, limit);
        std::vector<char> block(
            std::max<std::size_t>(1, std::min<std::uint64_t>(kBlock, size + 1)));
        for (std::uint64_t at = 0;;) {
            const ssize_t count = ::read(descriptor_.get(), block.data(), block.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) unreadable();
            if (count == 0) return;
            take(block.data(), static_cast<std::size_t>(count));
            at += static_cast<std::uint64_t>(count);
            if (at > limit) too_long(at, limit);
        }
    }

  private:
    int opened(int folder, const std::string& name) const {
        struct stat about{};
        // Looked at first, because opening some devices already does something.
        if (fstatat(folder, name.c_str(), &about, 0) != 0) unreadable();
        require_regular(about.st_mode);
        const int descriptor = openat(folder, name.c_str(), kFlags);
        if (descriptor < 0) unreadable();
        if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
            ::close(descriptor);
            require_regular(about.st_mode);
        }
        return descriptor;
    }

    void require_regular(mode_t mode) const {
        if (S_ISREG(mode)) return;
        throw BundleError(path_ + " is " + kind_of(mode) + "; expected a regular file. " + kRemedy);
    }

    [[noreturn]] void unreadable() const {
        if (errno == ENOENT) throw BundleError(missing_ + ". " + kRemedy);
        throw BundleError(path_ + " cannot be read (" + std::strerror(errno) + "). " + kRemedy);
    }

    [[noreturn]] void too_long(std::uint64_t size, std::uint64_t limit) const {
        throw BundleError(path_ + " has " + formatted("%.0f", static_cast<double>(size) / 1e6) +
                          " MB; in a bundle it has " +
                          formatted("%.0f", static_cast<double>(limit) / 1e6) + " MB at most. " +
                          kRemedy);
    }

    std::string path_, missing_;
    Descriptor descriptor_;
};

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Folder::Folder(const std::string& path) : path_(tidy(path)), descriptor_(open_folder(path_)) {}

bool Folder::replaced() const {
    struct stat mine{}, there{};
    return fstat(descriptor_.get(), &mine) != 0 || stat(path_.c_str(), &there) != 0 ||
           mine.st_dev != there.st_dev || mine.st_ino != there.st_ino;
}

std::string Folder::read(const std::string& name, std::uint64_t limit,
                         const std::string& missing) const {
    std::string content;
    Reader(descriptor_.get(), path_ + "/" + name, name, missing)
        .blocks(limit, [&](const char* data, std::size_t size) { content.append(data, size); });
    return content;
}

std::string Folder::check(const std::string& name, const std::string& digest, std::uint64_t limit,
                          bool keep) const {
    const std::string path = tidy(path_ + "/" + name);
    std::string content;
    core::Sha256 sum;
    Reader(descriptor_.get(), path, name, path + " is missing, though the manifest lists it")
        .blocks(limit, [&](const char* data, std::size_t size) {
            sum.update(data, size);
            if (keep) content.append(data, size);
        });
    const std::string found = sum.digits();
    if (found != digest) {
        throw BundleError(path + " was changed or damaged: its SHA-256 is " + found.substr(0, 12) +
                          "..., the manifest says " + digest.substr(0, 12) + ".... " + kRemedy);
    }
    return content;
}

std::string tidy(const std::string& path) {
    std::string text = path.substr(0, 1) == "/" ? "/" : "";
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string part = path.substr(at, end - at);
        if (!part.empty() && part != ".") text += (text.empty() || text == "/" ? "" : "/") + part;
        at = end + 1;
    }
    return text.empty() ? "." : text;
}

}  // namespace pamtri::engines
