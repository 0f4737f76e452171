// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What a spool and a file of events ask of the system's files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace pamtri::sinks {

/// Write all of it at an offset. Returns 0, or the error's number; a file that may not grow
/// (RLIMIT_FSIZE) is an error like others and ends no process by SIGXFSZ.
int write_at(int file, const char* data, std::size_t size, std::uint64_t offset);

/// Read all of it; false if there is less.
bool read_at(int file, char* data, std::size_t size, std::uint64_t offset);

/// Keep others out of an open file. Returns 0, or the error's number (EWOULDBLOCK: another has it).
int lock_file(int file);

/// Whether the open file is still the one of this name.
bool is_at(int file, const std::string& path);

/// "process 123 (pamtri)" for this one: without arguments, which may hold passwords.
std::string this_process();

/// The system's word for an error, such as "No space left on device".
std::string word_of(int error);

std::uint32_t checksum(const char* data, std::size_t size, std::uint32_t before = 0);

}  // namespace pamtri::sinks
