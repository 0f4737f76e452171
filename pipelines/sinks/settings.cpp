// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>

#include "errors.hpp"
#include "text.hpp"

namespace pamtri::sinks {

using core::InputError;

namespace {

constexpr std::size_t kLongestFile = 1 << 16;

/// Which sinks an option belongs to.
enum Where : unsigned {
    kFiles = 1,
    kMqtts = 2,
    kRediss = 4,
    kKafkas = 8,
    kBrokers = kMqtts | kRediss | kKafkas,
    kAll = kFiles | kBrokers,
};

unsigned where_of(Kind kind) {
    switch (kind) {
        case Kind::kFile:
            return kFiles;
        case Kind::kMqtt:
            return kMqtts;
        case Kind::kRedis:
            return kRediss;
        default:
            return kKafkas;
    }
}

struct Option {
    const char* name;
    unsigned where;
    bool tls;     ///< means something over TLS alone
    bool secret;  ///< never in a URI's query, which is shown by shells and logs
    std::function<std::string(Settings&, const std::string&)>
        set;  ///< returns what is accepted, or ""
};

bool number_of(const std::string& text, double least, double most, double& value) {
    // Not strtod, which reads "0.5" by the country that the program is set to.
    const char* end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && behind == end && std::isfinite(value) && value >= least &&
           value <= most;
}

auto seconds(std::chrono::milliseconds Settings::* field, double least) {
    return [field, least](Settings& self, const std::string& text) -> std::string {
        double value = 0;
        if (!number_of(text, least, 86'400, value)) {
            std::ostringstream accepted;
            accepted << "seconds from " << least << " to 86400";
            return accepted.str();
        }
        self.*field = std::chrono::milliseconds(std::llround(value * 1000));
        return "";
    };
}

template <typename T>
auto whole(T Settings::* field, double least, double most) {
    return [field, least, most](Settings& self, const std::string& text) -> std::string {
        double value = 0;
        if (!number_of(text, least, most, value) || value != std::floor(value)) {
            std::ostringstream accepted;
            accepted.precision(17);
            accepted << "a whole number from " << least << " to " << most;
            return accepted.str();
        }
        self.*field = static_cast<T>(value);
        return "";
    };
}

auto text_of(std::string Settings::* field) {
    return [field](Settings& self, const std::string& text) -> std::string {
        self.*field = text;
        return text.empty() ? "something" : "";
    };
}

auto readable(std::string Settings::* field) {
    return [field](Settings& self, const std::string& text) -> std::string {
        const std::ifstream file(text);
        if (!file) return "a file that can be read (" + std::string(std::strerror(errno)) + ")";
        self.*field = text;
        return "";
    };
}

auto choice(std::string Settings::* field, const std::vector<std::string>& words) {
    return [field, words](Settings& self, const std::string& text) -> std::string {
        if (std::find(words.begin(), words.end(), text) == words.end()) return one_of(words);
        self.*field = text;
        return "";
    };
}

auto either(bool Settings::* field, const std::string& yes, const std::string& no) {
    return [field, yes, no](Settings& self, const std::string& text) -> std::string {
        if (text != yes && text != no) return one_of({yes, no});
        self.*field = text == yes;
        return "";
    };
}

std::string set_bytes(Settings& self, const std::string& text) {
    static constexpr struct {
        const char* unit;
        double size;
    } kUnits[] = {{"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"", 1.0}};
    for (const auto& [unit, size] : kUnits) {
        const std::size_t length = std::strlen(unit);
        if (text.size() < length || text.compare(text.size() - length, length, unit) != 0) continue;
        double value = 0;
        if (!number_of(text.substr(0, text.size() - length), 0, 1e12, value)) break;
        if (value * size < 65'536 || value * size > 1099511627776.0) break;
        self.queue_bytes = static_cast<std::uint64_t>(value * size);
        return "";
    }
    return "a size from 64KiB to 1024GiB";
}

const std::vector<Option>& known_options() {
    static const std::vector<Option> options = {
        {"queue", kAll, false, false, set_bytes},
        {"full", kAll, false, false, either(&Settings::drop_oldest, "oldest", "newest")},
        {"window", kAll, false, false, whole(&Settings::window, 1, 10'000)},
        {"timeout", kAll, false, false, seconds(&Settings::timeout, 0.05)},
        {"backoff", kAll, false, false, seconds(&Settings::backoff, 0.001)},
        {"most-backoff", kAll, false, false, seconds(&Settings::most_backoff, 0.001)},
        {"flush", kAll, false, false, seconds(&Settings::flush, 0)},
        {"sync", kFiles, false, false, either(&Settings::sync, "true", "false")},
        {"user", kBrokers, false, true,
         [](Settings& self, const std::string& text) {
             self.address.user = text;
             return std::string();
         }},
        {"password", kBrokers, false, true,
         [](Settings& self, const std::string& text) {
             self.address.password = text;
             return std::string();
         }},
        {"ca", kBrokers, true, false, readable(&Settings::ca)},
        {"cert", kBrokers, true, false, readable(&Settings::certificate)},
        {"key", kBrokers, true, false, readable(&Settings::key)},
        {"client-id", kMqtts, false, false, text_of(&Settings::client_id)},
        {"maxlen", kRediss, false, false, whole(&Settings::maxlen, 1, 1e15)},
        {"db", kRediss, false, false, whole(&Settings::database, 0, 1e6)},
        {"compression", kKafkas, false, false,
         choice(&Settings::compression, {"none", "gzip", "snappy", "lz4", "zstd"})},
        {"sasl", kKafkas, false, false,
         choice(&Settings::sasl, {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})},
    };
    return options;
}

void set_option(Settings& settings, const std::string& name, const std::string& value,
                const std::string& whose, bool in_file) {
    const unsigned where = where_of(settings.address.kind);
    std::vector<std::string> names;
    for (const Option& option : known_options()) {
        if (!(option.where & where) || (option.tls && !settings.address.tls)) continue;
        if (name != option.name) {
            if (in_file || !option.secret) names.emplace_back(option.name);
            continue;
        }
        if (option.secret && !in_file) {
            throw InputError(whose + " has " + name +
                             " among its options, where others see it; put it into a file: "
                             "options=FILE, with a line " +
                             name + "=...");
        }
        const std::string accepted = option.set(settings, value);
        if (!accepted.empty()) {
            throw InputError(whose + ": " + name + " is '" + value + "'; expected " + accepted +
                             ".");
        }
        return;
    }
    for (const Option& option : known_options()) {
        if (name == option.name && (option.where & where)) {  // so it is one of TLS
            throw InputError(whose + ": " + name + " belongs to TLS: " + settings.address.scheme +
                             "s://...");
        }
    }
    if (!in_file && where != kFiles) names.emplace_back("options");
    const std::string meant = nearest(name, names);
    throw InputError(whose + " has no option '" + name + "'" +
                     (meant.empty() ? "" : "; did you mean " + meant + "?") +
                     (meant.empty() ? "; it has " : " It has ") + one_of(names) + ".");
}

std::string trimmed(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string::npos) return "";
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

void read_options_file(Settings& settings, const std::string& path) {
    std::ifstream file(path);
    std::string text(kLongestFile + 1, '\0');
    if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad()) {
        throw InputError("the options file " + path + " cannot be read: " + std::strerror(errno) +
                         ".");
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kLongestFile) {
        throw InputError("the options file " + path +
                         " has over 65536 bytes; expected lines name=value.");
    }
    std::istringstream lines(text);
    int row = 0;
    for (std::string line; std::getline(lines, line);) {
        ++row;
        line = trimmed(line);
        if (line.empty() || line[0] == '#') continue;
        const std::size_t equals = line.find('=');
        const std::string whose = path + ":" + std::to_string(row);
        if (equals == std::string::npos) {
            throw InputError(whose + " is no option; expected name=value, or # and a comment.");
        }
        set_option(settings, trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)),
                   whose, true);
    }
}

}  // namespace

std::string Settings::hide(const std::string& text) const {
    return sinks::hide(text, {address.password, address.user});
}

Settings parse_settings(const std::string& uri) {
    Settings settings;
    settings.address = parse_address(uri);
    const Address given = settings.address;
    const std::string whose = "the sink " + given.shown;
    for (const auto& [name, value] : given.options) {
        if (name == "options" && given.kind != Kind::kFile) read_options_file(settings, value);
    }
    for (const auto& [name, value] : given.options) {
        if (name != "options" || given.kind == Kind::kFile) {
            set_option(settings, name, value, whose, false);
        }
    }
    if (!given.user.empty()) settings.address.user = given.user;
    if (!given.password.empty()) settings.address.password = given.password;
    if (settings.certificate.empty() != settings.key.empty()) {
        throw InputError(whose + " has one of cert and key; give both, or neither.");
    }
    settings.most_backoff = std::max(settings.most_backoff, settings.backoff);
    return settings;
}

}  // namespace pamtri::sinks
