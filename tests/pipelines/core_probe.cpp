// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Lets Python look at what pipelines stand on:
//
//     core_probe json            each line of the input is read; "ok VALUE" or "error WHY"
//     core_probe folders BUNDLE  where engines may lie
//     core_probe find BUNDLE MODEL ONNX PRECISION TENSORRT CUDA COMPUTE GPU L4T
//                                the engine's path and arithmetic, or why there is none
//     core_probe name ...        the name of its files
#include <cstdio>
#include <iostream>
#include <string>

#include "engine_file.hpp"
#include "engine_files.hpp"
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
                std::cout << "ok " << value << std::endl;  // whoever asks waits for it
            } catch (const JsonError& error) {
                std::cout << "error " << error.what() << std::endl;
            }
        }
        return 0;
    }
    if (mode == "folders") {
        for (const std::string& folder : engine_folders(arguments[2])) std::cout << folder << "\n";
        return 0;
    }
    // find BUNDLE MODEL ONNX PRECISION TENSORRT CUDA COMPUTE GPU L4T
    const Fingerprint wanted =
        wanted_engine({arguments[6], arguments[7], arguments[8], arguments[9], arguments[10]},
                      arguments[4], arguments[5]);
    if (mode == "name") {
        std::cout << digest_of(wanted) << "\n";
        return 0;
    }
    const EngineSearch search = find_engine(wanted, engine_folders(arguments[2]), arguments[3]);
    if (search.found)
        std::cout << search.found->path << "\n" << search.found->arithmetic << "\n";
    else
        std::cout << search.why << "\n";
    return search.found ? 0 : 1;
}
