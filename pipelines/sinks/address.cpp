// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "address.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "errors.hpp"
#include "text.hpp"

namespace pamtri::sinks {

using core::InputError;

namespace {

struct Scheme {
    const char* name;
    Kind kind;
    bool tls;
    int port;
    const char* target;
};

constexpr Scheme kSchemes[] = {
    {"file", Kind::kFile, false, 0, "path"},        {"mqtt", Kind::kMqtt, false, 1883, "topic"},
    {"mqtts", Kind::kMqtt, true, 8883, "topic"},    {"redis", Kind::kRedis, false, 6379, "stream"},
    {"rediss", Kind::kRedis, true, 6379, "stream"}, {"kafka", Kind::kKafka, false, 9092, "topic"},
    {"kafkas", Kind::kKafka, true, 9093, "topic"},
};

constexpr const char* kForms =
    "file:PATH, mqtt[s]://HOST[:PORT]/TOPIC, redis[s]://HOST[:PORT]/STREAM or "
    "kafka[s]://HOST[:PORT][,HOST...]/TOPIC";

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Percent escapes undone; a "%" that begins none stays.
std::string unescaped(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 &&
            hex(text[i + 2]) >= 0) {
            plain += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
            i += 2;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

bool is_host(const std::string& host) {
    if (host.empty() || host.size() > 253) return false;
    return std::all_of(host.begin(), host.end(),
                       [](char c) { return is_word(c) || c == '.' || c == '-' || c == '_'; });
}

bool is_ipv6(const std::string& host) {
    return host.find(':') != std::string::npos && host.size() <= 64 &&
           std::all_of(host.begin(), host.end(), [](char c) {
               return hex(c) >= 0 || c == ':' || c == '.' || c == '%' || is_word(c);
           });
}

/// A port's number; 0 for what is none.
int port_of(const std::string& text) {
    if (text.empty() || text.size() > 5 ||
        !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return 0;
    }
    const int port = std::stoi(text);
    return port <= 65535 ? port : 0;
}

std::optional<Place> place_of(const std::string& text, int usual_port) {
    std::string host = text;
    int port = usual_port;
    if (!text.empty() && text[0] == '[') {
        const std::size_t end = text.find(']');
        if (end == std::string::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        if (!is_ipv6(host)) return std::nullopt;
        const std::string behind = text.substr(end + 1);
        if (!behind.empty()) port = behind[0] == ':' ? port_of(behind.substr(1)) : 0;
    } else {
        const std::size_t colon = text.rfind(':');
        if (colon != std::string::npos) {
            host = text.substr(0, colon);
            port = port_of(text.substr(colon + 1));
        }
        if (!is_host(host)) return std::nullopt;
    }
    if (port == 0) return std::nullopt;
    return Place{host, port};
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == separator) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

void check_target(const Address& address, const Scheme& scheme) {
    const std::string& target = address.target;
    const std::string kind = scheme.name;
    if (target.empty()) {
        throw InputError("the sink " + address.shown + " names no " + scheme.target +
                         "; expected " + kForms + ".");
    }
    const bool controls = std::any_of(target.begin(), target.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (controls) {
        throw InputError("the " + std::string(scheme.target) + " of a " + kind +
                         " sink holds a control character; leave it out.");
    }
    if (address.kind == Kind::kMqtt && target.find_first_of("+#") != std::string::npos) {
        throw InputError(
            "the topic '" + target +
            "' holds + or #, which stand for several topics; events go to one: leave them out.");
    }
    const bool plain = std::all_of(target.begin(), target.end(), [](char c) {
        return is_word(c) || c == '.' || c == '_' || c == '-';
    });
    if (address.kind == Kind::kKafka && (!plain || target.size() > 249)) {
        throw InputError("'" + target +
                         "' cannot be a topic of Kafka; expected at most 249 letters, digits, '.', "
                         "'_' and '-'.");
    }
}

const Scheme& scheme_of(const std::string& uri, std::size_t colon) {
    std::string name = uri.substr(0, colon == std::string::npos ? 0 : colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    std::vector<std::string> names;
    for (const Scheme& scheme : kSchemes) {
        if (name == scheme.name) return scheme;
        names.emplace_back(scheme.name);
    }
    // What stands before a colon may be a user's name: it is shown only where it is like a scheme.
    const std::string meant = nearest(name, names);
    if (!meant.empty()) {
        throw InputError("no sink is called '" + name + "'; did you mean " + meant + "? Expected " +
                         kForms + ".");
    }
    throw InputError(
        std::string("the sink's URI begins with none of the kinds there are; expected ") + kForms +
        ".");
}

void read_options(Address& address, const std::string& query) {
    for (const std::string& pair : split(query, '&')) {
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        if (equals == std::string::npos) {
            throw InputError("an option of the sink " + address.shown +
                             " has no value; expected ?option=value&option=value.");
        }
        address.options.emplace_back(unescaped(pair.substr(0, equals)),
                                     unescaped(pair.substr(equals + 1)));
    }
}

void read_broker(Address& address, const Scheme& scheme, const std::string& body) {
    const std::string kind = scheme.name;
    const std::size_t end = std::min(body.find_first_of("/?#"), body.size());
    const std::string authority = body.substr(0, end);
    const std::string rest = body.substr(end);
    if (rest.find('@') != std::string::npos || rest.find('#') != std::string::npos) {
        throw InputError(
            "the URI of the " + kind +
            " sink holds one of @ / ? # where it ends a part; in a user's name, a password, a "
            "topic or an option write %40 %2F %3F %23 instead.");
    }
    const std::size_t at = authority.rfind('@');
    if (at != std::string::npos) {
        const std::string info = authority.substr(0, at);
        const std::size_t colon = info.find(':');
        address.user = unescaped(info.substr(0, colon));
        if (colon != std::string::npos) address.password = unescaped(info.substr(colon + 1));
    }
    const std::string places = at == std::string::npos ? authority : authority.substr(at + 1);
    for (const std::string& text : split(places, ',')) {
        const std::optional<Place> place = place_of(text, scheme.port);
        if (!place) {
            throw InputError("the URI of the " + kind + " sink has no usable host; expected " +
                             kForms + ", with a port from 1 to 65535.");
        }
        address.places.push_back(*place);
    }
    if (address.places.size() > 1 && scheme.kind != Kind::kKafka) {
        throw InputError("a " + kind + " sink has one host; several, with commas, are for Kafka.");
    }
    const std::size_t question = std::min(rest.find('?'), rest.size());
    if (question > 0) address.target = unescaped(rest.substr(1, question - 1));
    address.shown = kind + "://" + (at == std::string::npos ? "" : std::string(kHidden) + "@") +
                    places + "/" + address.target;
    check_target(address, scheme);
    if (question < rest.size()) read_options(address, rest.substr(question + 1));
}

void read_file(Address& address, const Scheme& scheme, std::string body) {
    if (body.rfind("//", 0) == 0) {
        if (body.rfind("///", 0) != 0) {
            throw InputError("a file sink has no host; expected file:PATH, or file:///PATH.");
        }
        body.erase(0, 2);
    }
    const std::size_t question = std::min(body.find('?'), body.size());
    address.target = unescaped(body.substr(0, question));
    address.shown = "file:" + address.target;
    check_target(address, scheme);
    if (question < body.size()) read_options(address, body.substr(question + 1));
}

}  // namespace

Address parse_address(const std::string& uri) {
    const std::size_t begin = uri.find_first_not_of(" \t\n");
    const std::string text = begin == std::string::npos ? "" : uri.substr(begin);
    const std::size_t colon = text.find(':');
    const Scheme& scheme = scheme_of(text, colon);
    Address address;
    address.kind = scheme.kind;
    address.scheme = scheme.name;
    address.tls = scheme.tls;
    const std::string body = text.substr(colon + 1);
    if (scheme.kind == Kind::kFile) {
        read_file(address, scheme, body);
    } else if (body.rfind("//", 0) == 0) {
        read_broker(address, scheme, body.substr(2));
    } else {
        throw InputError("the URI of the " + address.scheme +
                         " sink has no // behind its kind; expected " + kForms + ".");
    }
    return address;
}

}  // namespace pamtri::sinks
