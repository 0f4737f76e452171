// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "engine_cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include "atomic_file.hpp"
#include "json_text.hpp"
#include "sha256.hpp"

namespace pamtri::core {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPatience{100};

std::string words_of(int error) { return std::generic_category().message(error); }

/// Why no file can be put into a folder, which is made if it is not there; "" if one can.
std::string refusal_of(const std::string& folder) {
    std::error_code code;
    fs::create_directories(folder, code);
    if (code && !fs::is_directory(folder)) return code.message();
    std::string probe = folder + "/.XXXXXX";
    const int file = mkstemp(probe.data());
    if (file < 0) return words_of(errno);
    close(file);
    unlink(probe.c_str());
    return "";
}

/// The first folder that a file can be put into.
std::string writable(const std::vector<std::string>& folders, const EngineBuild& how) {
    std::string first, all;
    for (const std::string& folder : folders) {
        const std::string why = refusal_of(folder);
        if (why.empty()) {
            if (!first.empty() && how.warns)
                how.warns(first + " cannot be written; engines are kept in " + folder);
            return folder;
        }
        const std::string refused = folder + " (" + why + ")";
        if (first.empty()) first = refused;
        all += (all.empty() ? "" : " and ") + refused;
    }
    throw NoPlace("there is no place to keep an engine: " + all +
                  " cannot be written. Make one of them writable, or name another place with the "
                  "environment variable PAMTRI_CACHE.");
}

/// A lock that keeps other processes, and other threads of this one, from building the same.
class Lock {
  public:
    Lock(const std::string& path, const EngineBuild& how)
        : file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
        if (file_ < 0)
            throw NoPlace(path + " cannot be opened (" + words_of(errno) +
                          "), which keeps others from building the same engine. Make it writable.");
        try {
            // On a file system without locks both build, and each writes whole files.
            while (flock(file_, LOCK_EX | LOCK_NB) != 0 &&
                   (errno == EWOULDBLOCK || errno == EINTR)) {
                if (how.waits) how.waits();
                std::this_thread::sleep_for(kPatience);
            }
        } catch (...) {
            close(file_);
            throw;
        }
    }
    ~Lock() { close(file_); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

  private:
    const int file_;
};

/// The file of what was measured on this device with this TensorRT, whatever the network.
std::string timing_path(const std::string& folder, const Fingerprint& wanted) {
    Fingerprint device;
    for (const char* name : {"library", "cuda", "compute", "gpu", "l4t"})
        if (const auto fact = wanted.find(name); fact != wanted.end()) device.insert(*fact);
    return folder + "/" + digest_of(device) + ".timing";
}

}  // namespace

CachedEngine cached_engine(const Fingerprint& wanted, const std::vector<std::string>& folders,
                           const std::string& model, const EngineBuild& how) {
    const auto warn = [&how](const std::string& text) {
        if (how.warns) how.warns(text);
    };
    const EngineSearch search = find_engine(wanted, folders, model);
    for (const std::string& fault : search.faults) warn(fault);
    if (search.found) return {*search.found, false};
    if (!how.build)
        throw NoEngine("there is no engine of " + model + " for this machine in " +
                       folders.front() + ": " + search.why);
    const std::string folder = writable(folders, how);
    const Lock lock(folder + "/." + digest_of(wanted) + ".lock", how);
    // Another process may have built it meanwhile.
    if (const EngineSearch again = find_engine(wanted, {folder}, model); again.found)
        return {*again.found, false};
    const auto library = wanted.find("library");
    warn("building an engine of " + model + " with " +
         (library == wanted.end() ? "TensorRT" : library->second.value_or("TensorRT")) +
         ", which can take minutes: " + search.why);
    const std::string timing = timing_path(folder, wanted);
    const BuiltEngine built = how.build(contents_of(timing).value_or(""));
    if (!built.timing.empty()) {
        try {
            write_atomically(timing, built.timing);
        } catch (const std::system_error&) {  // it only saves time
        }
    }
    try {
        return {store_engine(wanted, folder, model, built), true};
    } catch (const std::system_error& error) {
        // A full disk: it serves this process, and the next one builds it again.
        const std::string path = folder + "/" + digest_of(wanted) + ".engine";
        warn("the engine was built, but " + path + " cannot be written (" + error.code().message() +
             ")");
        return {{path, built.arithmetic}, true};
    }
}

}  // namespace pamtri::core
