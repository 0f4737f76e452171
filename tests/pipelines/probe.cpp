// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The tests, and what lets Python look at what pipelines stand on: pipeline_tests probe MODE ...
//
//     json                     each line of the input is read; "ok VALUE" or "error WHY"
//     folders BUNDLE           where engines may lie
//     find BUNDLE MODEL ONNX PRECISION TENSORRT CUDA COMPUTE GPU L4T
//                              the engine's path and arithmetic, or why there is none
//     name ...                 the name of its files
//     sha256 FILE
//     processors ROOT
//
// and how bundles are opened and run, each thing that is done a line: "ok ..." or "refused
// SENTENCE".
//
//     open                     each line of the input is a bundle's path
//     manifests                each line of the input is a manifest
//     run BUNDLE PICTURES OUTPUT THREADS [DEVICE [BACKEND]]
//                              and once more, as if the pictures lay on a device
//     fake BUNDLE FACTOR       on an engine that gives the expected values times that
//     device BUNDLE ROW...     golden crops, on an engine that has them on its device
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>

#include "bundle.hpp"
#include "check.hpp"
#include "engine_file.hpp"
#include "engine_files.hpp"
#include "errors.hpp"
#include "fake_engine.hpp"
#include "golden.hpp"
#include "json.hpp"
#include "json_text.hpp"
#include "lookup_engine.hpp"
#include "manifest.hpp"
#include "network.hpp"
#include "processors.hpp"
#include "sha256.hpp"
#include "tested_network.hpp"

namespace pamtri::engines {
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
std::string shown(const core::Json& json) {
    std::string text;
    if (json.is_object()) {
        for (auto member = json.begin(); member != json.end(); ++member)
            text += in_hexadecimal(member.key()) + ":" + shown(member.value()) + ",";
        return "{" + text + "}";
    }
    if (json.is_array()) {
        for (const core::Json& item : json) text += shown(item) + ",";
        return "[" + text + "]";
    }
    if (json.is_string()) return "'" + in_hexadecimal(json.get<std::string>()) + "'";
    return core::python_json(json);
}

void told(const std::function<std::string()>& action) {
    try {
        const std::string result = action();
        std::cout << "ok " << result << std::endl;  // whoever asks waits for it
    } catch (const EngineError& error) {
        std::cout << "refused " << error.what() << std::endl;
    } catch (const core::InputError& error) {
        std::cout << "refused " << error.what() << std::endl;
    }
}

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::vector<float>& values) {
    std::ofstream file(path, std::ios::binary | std::ios::app);
    file.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(float)));
}

std::string run(Network& network, const std::string& pictures, const std::string& output) {
    const std::string content = content_of(pictures);
    const PictureSize size = network.picture_size();
    const std::size_t picture = static_cast<std::size_t>(3 * size.width * size.height);
    const std::vector<Answer> answers =
        network.run(reinterpret_cast<const std::uint8_t*>(content.data()),
                    static_cast<int>(content.size() / picture));
    for (const Answer& answer : answers) {
        write(output + "/embedding", answer.embedding);
        write(output + "/color", answer.color);
        write(output + "/type", answer.type);
        write(output + "/keypoints", answer.keypoints);
        write(output + "/quality",
              answer.quality ? std::vector<float>{*answer.quality} : std::vector<float>());
    }
    return network.manifest().name + " " + network.backend() + " " + network.arithmetic();
}

std::string on_fake(const std::string& path, float factor) {
    Bundle bundle = open_bundle(path);
    Golden golden = read_golden(bundle.golden, bundle.manifest, bundle.golden_path());
    for (auto& [name, array] : golden.expected)
        for (float& value : array.values) value *= factor;
    auto engine = std::make_unique<FakeEngine>(bundle.manifest, std::move(golden));
    return tested_network(std::move(bundle), {std::move(engine), "fake", "cpu", "fp32", {}})
        ->manifest()
        .name;
}

/// The rows of golden crops whose answers come back, in order.
std::string on_device(const std::string& path, const std::vector<std::size_t>& rows) {
    Bundle bundle = open_bundle(path);
    const Golden golden = read_golden(bundle.golden, bundle.manifest, bundle.golden_path());
    auto engine = std::make_unique<LookupEngine>(bundle.manifest, golden);
    const auto network =
        tested_network(std::move(bundle), {std::move(engine), "lookup", "cuda:0", "fp32", {1, 2}});
    const std::vector<float>& crops = golden.inputs.at("images").values;
    const std::size_t size = crops.size() / golden.count;
    const auto fill = [&](int first, int count, float* memory, Stream) {
        for (int i = 0; i < count; ++i) {
            const std::size_t row = rows[static_cast<std::size_t>(first + i)];
            std::copy_n(crops.begin() + static_cast<std::ptrdiff_t>(row * size), size,
                        memory + static_cast<std::size_t>(i) * size);
        }
    };
    std::string found;
    const std::vector<float>& expected = golden.expected.at("embedding").values;
    for (const Answer& answer :
         network->run_on_device(static_cast<int>(rows.size()), fill, nullptr))
        for (std::size_t row = 0; row < golden.count; ++row)
            if (std::equal(
                    answer.embedding.begin(), answer.embedding.end(),
                    expected.begin() + static_cast<std::ptrdiff_t>(row * answer.embedding.size())))
                found += std::to_string(row);
    return found;
}

void each_line(const std::function<std::string(const std::string&)>& action) {
    for (std::string line; std::getline(std::cin, line);) told([&] { return action(line); });
}

void read_json() {
    for (std::string line; std::getline(std::cin, line);) {
        try {
            const std::string value = shown(core::parse_json(line));
            std::cout << "ok " << value << std::endl;  // whoever asks waits for it
        } catch (const core::JsonError& error) {
            std::cout << "error " << error.what() << std::endl;
        }
    }
}

core::Fingerprint wanted(char** arguments) {
    return wanted_engine({arguments[4], arguments[5], arguments[6], arguments[7], arguments[8]},
                         arguments[2], arguments[3]);
}

int find(char** arguments) {
    const core::EngineSearch search =
        core::find_engine(wanted(arguments), engine_folders(arguments[0]), arguments[1]);
    if (search.found)
        std::cout << search.found->path << "\n" << search.found->arithmetic << "\n";
    else
        std::cout << search.why << "\n";
    return search.found ? 0 : 1;
}

std::string sha256(const std::string& path) {
    const std::string content = content_of(path);
    core::Sha256 sum;  // in pieces of odd sizes
    for (std::size_t at = 0, size = 1; at < content.size(); at += size, size = size * 3 % 257)
        sum.update(content.data() + at, std::min(size, content.size() - at));
    return sum.digits();
}

int probe(const std::string& mode, int count, char** arguments) {
    if (mode == "json") {
        read_json();
    } else if (mode == "folders") {
        for (const std::string& folder : engine_folders(arguments[0])) std::cout << folder << "\n";
    } else if (mode == "find") {
        return find(arguments);
    } else if (mode == "name") {
        std::cout << core::digest_of(wanted(arguments)) << "\n";
    } else if (mode == "sha256") {
        std::cout << sha256(arguments[0]) << "\n";
    } else if (mode == "processors") {
        std::cout << available_processors(arguments[0]) << "\n";
    } else if (mode == "open") {
        each_line([](const std::string& path) {
            const Bundle bundle = open_bundle(path);
            read_golden(bundle.golden, bundle.manifest, bundle.golden_path());
            return bundle.manifest.name;
        });
    } else if (mode == "manifests") {
        each_line(
            [](const std::string& text) { return read_manifest(text, "manifest.json").name; });
    } else if (mode == "run") {
        NetworkOptions options;
        options.threads = std::stoi(arguments[3]);
        options.device = count > 4 ? arguments[4] : "cpu";
        options.backend = count > 5 ? arguments[5] : "auto";
        std::unique_ptr<Network> network;
        told([&] {
            network = Network::load(arguments[0], options);
            return run(*network, arguments[1], arguments[2]);
        });
        if (network)
            told([&] {
                network->run_on_device(1, [](int, int, float*, Stream) {}, nullptr);
                return std::string();
            });
    } else if (mode == "fake") {
        told([&] { return on_fake(arguments[0], std::stof(arguments[1])); });
    } else if (mode == "device") {
        std::vector<std::size_t> rows;
        for (int i = 1; i < count; ++i) rows.push_back(std::stoul(arguments[i]));
        told([&] { return on_device(arguments[0], rows); });
    }
    return 0;
}

}  // namespace
}  // namespace pamtri::engines

int main(int count, char** arguments) {
    if (count > 2 && std::string(arguments[1]) == "probe")
        return pamtri::engines::probe(arguments[2], count - 3, arguments + 3);
    return test::run({arguments + 1, arguments + count});
}
