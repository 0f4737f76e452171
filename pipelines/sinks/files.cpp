// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

namespace pamtri::sinks {

namespace {

/// SIGXFSZ held back in this thread: pwrite then says EFBIG.
class SizeSignalHeld {
  public:
    SizeSignalHeld() {
        sigemptyset(&signal_);
        sigaddset(&signal_, SIGXFSZ);
        pthread_sigmask(SIG_BLOCK, &signal_, &before_);
    }
    ~SizeSignalHeld() {
        const timespec now{0, 0};
        const int error = errno;
        if (!sigismember(&before_, SIGXFSZ)) sigtimedwait(&signal_, nullptr, &now);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = error;
    }
    SizeSignalHeld(const SizeSignalHeld&) = delete;
    SizeSignalHeld& operator=(const SizeSignalHeld&) = delete;

  private:
    sigset_t signal_{};
    sigset_t before_{};
};

constexpr std::array<std::uint32_t, 256> crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = value & 1 ? 0xEDB88320u ^ (value >> 1) : value >> 1;
        table[i] = value;
    }
    return table;
}

}  // namespace

int write_at(int file, const char* data, std::size_t size, std::uint64_t offset) {
    const SizeSignalHeld held;
    while (size > 0) {
        const ssize_t done = pwrite(file, data, size, static_cast<off_t>(offset));
        if (done < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        data += done;
        size -= static_cast<std::size_t>(done);
        offset += static_cast<std::uint64_t>(done);
    }
    return 0;
}

bool read_at(int file, char* data, std::size_t size, std::uint64_t offset) {
    while (size > 0) {
        const ssize_t done = pread(file, data, size, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        data += done;
        size -= static_cast<std::size_t>(done);
        offset += static_cast<std::uint64_t>(done);
    }
    return true;
}

int lock_file(int file) {
    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

bool is_at(int file, const std::string& path) {
    struct stat open{};
    struct stat named{};
    return fstat(file, &open) == 0 && stat(path.c_str(), &named) == 0 &&
           open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

std::string this_process() {
    std::string name;
    std::ifstream comm("/proc/self/comm");
    std::getline(comm, name);
    return "process " + std::to_string(getpid()) + (name.empty() ? "" : " (" + name + ")");
}

std::string word_of(int error) { return std::generic_category().message(error); }

std::uint32_t checksum(const char* data, std::size_t size, std::uint32_t before) {
    static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
    std::uint32_t value = ~before;
    for (std::size_t i = 0; i < size; ++i) {
        value = kTable[(value ^ static_cast<unsigned char>(data[i])) & 0xFF] ^ (value >> 8);
    }
    return ~value;
}

}  // namespace pamtri::sinks
