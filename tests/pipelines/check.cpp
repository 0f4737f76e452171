// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>

#include "engine_error.hpp"

namespace test {
namespace {

std::map<std::string, void (*)()>& all() {
    static std::map<std::string, void (*)()> tests;
    return tests;
}

}  // namespace

Registered::Registered(const char* name, void (*body)()) { all()[name] = body; }

void fail(const char* file, int line, const std::string& what) {
    std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
    throw Failed{};
}

void expect_error(const char* file, int line, const std::function<void()>& action,
                  const std::vector<std::string>& parts) {
    std::string text;
    try {
        action();
    } catch (const pamtri::engines::EngineError& error) {
        text = error.what();
    }
    if (text.empty()) fail(file, line, "no error");
    for (const std::string& part : parts) {
        if (text.find(part) == std::string::npos) {
            fail(file, line, "'" + part + "' is not in: " + text);
        }
    }
    if (text.find('\n') != std::string::npos) fail(file, line, "not one line: " + text);
}

int run(const std::vector<std::string>& wanted) {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // what passed is told, then what crashes
    int failures = 0;
    for (const auto& [name, body] : all()) {
        const bool left_out = std::find(wanted.begin(), wanted.end(), name) == wanted.end();
        if (!wanted.empty() && left_out) continue;
        try {
            body();
            afterwards();
            std::printf("passed %s\n", name.c_str());
        } catch (const Failed&) {
            std::printf("FAILED %s\n", name.c_str());
            ++failures;
        } catch (const std::exception& error) {
            std::printf("FAILED %s: %s\n", name.c_str(), error.what());
            ++failures;
        }
    }
    return failures == 0 ? 0 : 1;
}

}  // namespace test
