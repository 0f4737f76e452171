// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Lets Python look at what pipelines stand on:
//
//     core_probe json                      each line of the input is read; "ok VALUE" or "error
//     WHY" core_probe find BUNDLE MODEL TENSORRT CUDA COMPUTE GPU L4T      the engine's path and
//     arithmetic core_probe folders BUNDLE
#include <cstdio>
#include <iostream>
#include <string>

#include "engine_error.hpp"
#include "engine_file.hpp"
#include "json.hpp"
#include "json_text.hpp"

using namespace pamtri::core;
using namespace pamtri::engines;

namespace {

std::string in_hexadecimal(const std::string& string) {
    std::string text;
    char buffer[4];
    for (const char c : string) {
        std::snprintf(buffer, sizeof(buffer), "%02x", static_cast<unsigned char>(c));
        text += buffer;
    }
    return text;
}

/// As JSON again, every text in hexadecimal, so that nothing need be escaped.
std::string shown(const Json& json) {
    std::string text;
    if (json.is_object()) {
        for (auto member = json.begin(); member != json.end(); ++member)
            text += in_hexadecimal(member.key()) + ":" + shown(member.value()) + ",";
        return "{" + text + "}";
    }
    if (json.is_array()) {
        for (const Json& item : json) text += shown(item) + ",";
        return "[" + text + "]";
    }
    if (json.is_string()) return "'" + in_hexadecimal(json.get<std::string>()) + "'";
    return python_json(json);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string mode = count > 1 ? arguments[1] : "";
    if (mode == "json") {
        for (std::string line; std::getline(std::cin, line);) {
            try {
                const std::string value = shown(parse_json(line));
                std::cout << "ok " << value << "\n";
            } catch (const JsonError& error) {
                std::cout << "error " << error.what() << "\n";
            }
        }
        return 0;
    }
    if (mode == "folders") {
        for (const std::string& folder : engine_folders(arguments[2])) std::cout << folder << "\n";
        return 0;
    }
    Machine machine;
    machine.tensorrt = arguments[4];
    machine.cuda_major = std::stoi(arguments[5]);
    machine.compute = arguments[6];
    machine.gpu = arguments[7];
    machine.l4t = arguments[8];
    try {
        const EngineFile found = find_engine(arguments[2], machine, arguments[3]);
        std::cout << found.path << "\n" << found.arithmetic << "\n";
        return 0;
    } catch (const EngineError& error) {
        std::cout << error.what() << "\n";
        return 1;
    }
}
