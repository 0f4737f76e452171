// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The files of a bundle: regular files of a bounded size, of one folder, with the promised SHA-256.
// A bundle may be overwritten while it is read, so its folder is opened once and its files in it.
#pragma once

#include <cstdint>
#include <string>

namespace pamtri::engines {

/// A file descriptor that is closed with its owner.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();
    int get() const { return number_; }

  private:
    int number_;
};

/// An opened folder. Its files are those of the moment of opening, whatever takes its name later.
class Folder {
  public:
    /// Throws BundleError: there is no such folder.
    explicit Folder(const std::string& path);

    const std::string& path() const { return path_; }

    /// Whether its path now leads to another folder, or nowhere.
    bool replaced() const;

    /// The content of a file.
    ///
    /// missing: how the error begins where there is none.
    ///
    /// Throws BundleError: it is missing, no regular file, or longer than `limit` bytes.
    std::string read(const std::string& name, std::uint64_t limit,
                     const std::string& missing) const;

    /// The content of a file that has this SHA-256; "" where it is not to be kept.
    ///
    /// Throws BundleError: as `read`, or it was changed.
    std::string check(const std::string& name, const std::string& digest, std::uint64_t limit,
                      bool keep) const;

  private:
    std::string path_;
    Descriptor descriptor_;
};

/// A path as it is shown: no blank parts, no "." among them, no slash at its end.
std::string tidy(const std::string& path);

}  // namespace pamtri::engines
