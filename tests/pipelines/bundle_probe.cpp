// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Lets Python look at how bundles are opened and run. Each prints a line for each thing it did:
// "ok ..." or "refused SENTENCE".
//
//     bundle_probe open                         each line of the input is a bundle's path
//     bundle_probe manifests                    each line of the input is a manifest
//     bundle_probe run BUNDLE PICTURES OUTPUT THREADS [DEVICE [BACKEND]]
//     bundle_probe fake BUNDLE FACTOR           on an engine that gives the expected values times
//     bundle_probe device BUNDLE ROW...         golden crops, on an engine that has them on its
//     device bundle_probe not-on-device BUNDLE         pictures on a device, on an engine of the
//     host bundle_probe sha256 FILE bundle_probe processors ROOT
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>

#include "bundle.hpp"
#include "errors.hpp"
#include "fake_engine.hpp"
#include "golden.hpp"
#include "lookup_engine.hpp"
#include "manifest.hpp"
#include "network.hpp"
#include "processors.hpp"
#include "sha256.hpp"
#include "tested_network.hpp"

using namespace pamtri::engines;

namespace {

void told(const std::function<std::string()>& action) {
    try {
        const std::string result = action();
        std::cout << "ok " << result << std::endl;  // whoever asks waits for it
    } catch (const EngineError& error) {
        std::cout << "refused " << error.what() << std::endl;
    } catch (const pamtri::core::InputError& error) {
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

std::string run(const std::string& bundle, const std::string& pictures, const std::string& output,
                const NetworkOptions& options) {
    const std::unique_ptr<Network> network = Network::load(bundle, options);
    const std::string content = content_of(pictures);
    const PictureSize size = network->picture_size();
    const std::size_t picture = static_cast<std::size_t>(3 * size.width * size.height);
    const std::vector<Answer> answers =
        network->run(reinterpret_cast<const std::uint8_t*>(content.data()),
                     static_cast<int>(content.size() / picture));
    for (const Answer& answer : answers) {
        write(output + "/embedding", answer.embedding);
        write(output + "/color", answer.color);
        write(output + "/type", answer.type);
        write(output + "/keypoints", answer.keypoints);
        write(output + "/quality",
              answer.quality ? std::vector<float>{*answer.quality} : std::vector<float>());
    }
    return network->manifest().name + " " + network->backend() + " " + network->arithmetic();
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

/// What a network on the host says of pictures on a device.
std::string not_on_device(const std::string& path) {
    const std::unique_ptr<Network> network = Network::load(path, {"cpu", 1, "auto"});
    network->run_on_device(1, [](int, int, float*, Stream) {}, nullptr);
    return "";
}

}  // namespace

int main(int count, char** arguments) {
    const std::string mode = count > 1 ? arguments[1] : "";
    if (mode == "open" || mode == "manifests") {
        for (std::string line; std::getline(std::cin, line);) {
            told([&] {
                if (mode == "manifests") return read_manifest(line, "manifest.json").name;
                const Bundle bundle = open_bundle(line);
                read_golden(bundle.golden, bundle.manifest, bundle.golden_path());
                return bundle.manifest.name;
            });
        }
    } else if (mode == "run") {
        NetworkOptions options;
        options.threads = std::stoi(arguments[5]);
        options.device = count > 6 ? arguments[6] : "cpu";
        options.backend = count > 7 ? arguments[7] : "auto";
        told([&] { return run(arguments[2], arguments[3], arguments[4], options); });
    } else if (mode == "fake") {
        told([&] { return on_fake(arguments[2], std::stof(arguments[3])); });
    } else if (mode == "device") {
        std::vector<std::size_t> rows;
        for (int i = 3; i < count; ++i) rows.push_back(std::stoul(arguments[i]));
        told([&] { return on_device(arguments[2], rows); });
    } else if (mode == "not-on-device") {
        told([&] { return not_on_device(arguments[2]); });
    } else if (mode == "sha256") {
        const std::string content = content_of(arguments[2]);
        pamtri::core::Sha256 sum;  // in pieces of odd sizes
        for (std::size_t at = 0, size = 1; at < content.size(); at += size, size = size * 3 % 257)
            sum.update(content.data() + at, std::min(size, content.size() - at));
        std::cout << sum.digits() << "\n";
    } else if (mode == "processors") {
        std::cout << pamtri::available_processors(arguments[2]) << "\n";
    }
    return 0;
}
