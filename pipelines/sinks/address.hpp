// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A sink's URI, taken apart; and what of it may be shown.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pamtri::sinks {

enum class Kind { kFile, kMqtt, kRedis, kKafka };

/// One server.
struct Place {
    std::string host;  ///< name or number; IPv6 without brackets
    int port = 0;
};

struct Address {
    Kind kind = Kind::kFile;
    std::string scheme;
    bool tls = false;
    std::string user;
    std::string password;
    std::vector<Place> places;  ///< one; of Kafka several; of a file none
    std::string target;         ///< path, topic or stream
    std::vector<std::pair<std::string, std::string>> options;
    std::string shown;  ///< the URI without user, password and options
};

/// Take a URI apart. Throws InputError, without a word of what may be a password.
Address parse_address(const std::string& uri);

}  // namespace pamtri::sinks
