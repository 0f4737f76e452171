// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Events appended to a file: a line each, or each with its length (a varint) before it. An event
// counts as written when all of it is; what a kill left of one is cut off when the file is opened
// again.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "files.hpp"
#include "transports.hpp"

namespace pamtri::sinks {

using core::InputError;

namespace {

/// Where the whole lines end. What is behind is a torn event only if it begins like one.
std::uint64_t end_of_lines(int file, std::uint64_t size, const std::string& shown) {
    std::uint64_t end = size;
    std::vector<char> bytes(1 << 16);
    while (end > 0) {
        const std::uint64_t count = std::min<std::uint64_t>(bytes.size(), end);
        if (!read_at(file, bytes.data(), count, end - count)) break;
        const auto last =
            std::find(bytes.rend() - static_cast<std::ptrdiff_t>(count), bytes.rend(), '\n');
        if (last != bytes.rend()) {
            end = end - count + static_cast<std::uint64_t>(bytes.rend() - last);
            break;
        }
        end -= count;
    }
    char first = '{';
    if (end < size && read_at(file, &first, 1, end) && first != '{') {
        throw InputError(
            "the sink " + shown +
            " is a file whose last line is no event and has no end; give another name.");
    }
    return end;
}

/// Where the whole messages end.
std::uint64_t end_of_messages(int file, std::uint64_t size, const std::string& shown) {
    std::uint64_t at = 0;
    while (at < size) {
        std::uint64_t length = 0;
        std::uint64_t behind = at;
        unsigned shift = 0;
        char byte = '\0';
        do {
            if (behind == size) return at;
            if (shift > 28 || !read_at(file, &byte, 1, behind++)) {
                throw InputError(
                    "the sink " + shown +
                    " is a file that holds no length-delimited protobuf; give another name.");
            }
            length |= std::uint64_t{static_cast<unsigned char>(byte) & 0x7fu} << shift;
            shift += 7;
        } while (static_cast<unsigned char>(byte) & 0x80u);
        if (length > size - behind) return at;
        at = behind + length;
    }
    return at;
}

std::string varint(std::uint64_t value) {
    std::string bytes;
    while (value >= 0x80) {
        bytes += static_cast<char>(value | 0x80);
        value >>= 7;
    }
    return bytes + static_cast<char>(value);
}

class FileTransport final : public Transport {
  public:
    FileTransport(const Settings& settings, Format format)
        : path_(settings.address.target),
          shown_(settings.address.shown),
          sync_(settings.sync),
          format_(format) {
        struct stat facts{};
        if (stat(path_.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode) &&
            !S_ISCHR(facts.st_mode)) {
            throw InputError("the sink " + shown_ + " is no file; give the name of one.");
        }
        try {
            connect(Milliseconds(
                0));  // a mistyped path is told at once, not when the first event comes
        } catch (const TransportError& error) {
            if (error.refused)
                throw InputError("the sink " + shown_ + " cannot be written: " + error.what() +
                                 ".");
        }
    }

    ~FileTransport() override { close(); }

    void connect(Milliseconds) override {
        if (file_ >= 0) return;
        file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        struct stat facts{};
        if (file_ < 0 || fstat(file_, &facts) != 0) {
            const int error = errno;
            close();
            const bool later =
                error == ENOSPC || error == EDQUOT || error == EINTR || error == EMFILE;
            throw TransportError(word_of(error), !later);
        }
        regular_ = S_ISREG(facts.st_mode);
        if (!regular_) return;
        if (lock_file(file_) == EWOULDBLOCK) {
            close();
            throw TransportError(
                "another process or sink writes to it; give each a file of its own", true);
        }
        fstat(file_, &facts);
        const auto size = static_cast<std::uint64_t>(facts.st_size);
        try {
            end_ = format_ == Format::kJson ? end_of_lines(file_, size, shown_)
                                            : end_of_messages(file_, size, shown_);
        } catch (...) {
            close();
            throw;
        }
        if (end_ < size && ftruncate(file_, static_cast<off_t>(end_)) != 0) {
            const int error = errno;
            close();
            throw TransportError(word_of(error));
        }
    }

    void send(const std::vector<Message>& messages) override {
        if (regular_ && !is_at(file_, path_)) throw TransportError("it was moved or removed");
        const bool json = format_ == Format::kJson;
        int error = 0;
        for (const Message& message : messages) {
            if (json && message.payload.find('\n') != std::string::npos) {
                outcomes_.push_back({message.id, Verdict::kRejected, "its JSON has a line end"});
                continue;
            }
            // Behind an event that a full disk did not take none of this batch is tried.
            if (error == 0) {
                error = write(json ? message.payload + "\n"
                                   : varint(message.payload.size()) + message.payload);
            }
            outcomes_.push_back({message.id, error == 0 ? Verdict::kAcknowledged : Verdict::kFailed,
                                 error == 0 ? "" : word_of(error)});
        }
        if (sync_ && fdatasync(file_) != 0) throw TransportError(word_of(errno));
    }

    std::vector<Outcome> poll(Milliseconds) override { return std::exchange(outcomes_, {}); }

    void close() noexcept override {
        if (file_ >= 0) ::close(file_);
        file_ = -1;
        outcomes_.clear();
    }

  private:
    /// Append; an error, whose number is returned, leaves the file as it was.
    int write(const std::string& record) {
        if (regular_) {
            const int error = write_at(file_, record.data(), record.size(), end_);
            if (error == 0) end_ += record.size();
            // Where this fails, what is torn is written over, or cut when the file is opened again.
            if (error != 0 && ftruncate(file_, static_cast<off_t>(end_)) != 0) return error;
            return error;
        }
        for (std::size_t at = 0; at < record.size();) {
            const ssize_t done = ::write(file_, record.data() + at, record.size() - at);
            if (done < 0 && errno != EINTR) return errno;
            if (done > 0) at += static_cast<std::size_t>(done);
        }
        return 0;
    }

    const std::string path_;
    const std::string shown_;
    const bool sync_;
    const Format format_;
    int file_ = -1;
    bool regular_ = true;
    std::uint64_t end_ = 0;
    std::vector<Outcome> outcomes_;
};

}  // namespace

std::shared_ptr<Transport> make_file_transport(const Settings& settings, Format format) {
    return std::make_shared<FileTransport>(settings, format);
}

}  // namespace pamtri::sinks
