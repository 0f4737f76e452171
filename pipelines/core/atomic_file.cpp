// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace pamtri::core {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnd = ".tmp";

/// A hidden name beside a file's that no other process and no other call has.
fs::path draft_of(const fs::path& final) {
    static std::atomic<unsigned> count{0};
    const std::string number = std::to_string(getpid()) + "-" + std::to_string(count++);
    return final.parent_path() / ("." + final.filename().string() + "." + number + kEnd);
}

/// Write all of it through to the disk; 0, or the error's number.
int fill(int file, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = write(file, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return fsync(file) == 0 ? 0 : errno;
}

}  // namespace

void write_atomically(const std::string& path, std::string_view content) {
    const fs::path draft = draft_of(path);
    unlink(draft.c_str());  // of a process that had our number, and was killed
    const int file = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error = file < 0 ? errno : fill(file, content);
    if (file >= 0 && close(file) != 0 && error == 0) error = errno;
    if (error == 0 && std::rename(draft.c_str(), path.c_str()) != 0) error = errno;
    if (error == 0) return;
    if (file >= 0) unlink(draft.c_str());
    throw std::system_error(error, std::generic_category(), path);
}

void remove_drafts(const std::string& folder, const std::string& beginning) {
    std::error_code code;
    for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
         entry.increment(code)) {
        const std::string name = entry->path().filename().string();
        std::error_code ignored;
        if (name.rfind("." + beginning, 0) == 0 && entry->path().extension() == kEnd)
            fs::remove(entry->path(), ignored);
    }
}

}  // namespace pamtri::core
