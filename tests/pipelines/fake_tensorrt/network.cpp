// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <cstring>
#include <sstream>

namespace nvinfer1 {
namespace {

int runs_before_failure = -1;
std::string failing_with;

void read_tensor(std::istringstream& words, bool input, EngineState& engine) {
    FakeTensor tensor;
    tensor.input = input;
    words >> tensor.name;
    for (std::string word; words >> word;) {
        if (word == "float")
            tensor.type = DataType::kFLOAT;
        else if (word == "half")
            tensor.type = DataType::kHALF;
        else if (word == "int32")
            tensor.type = DataType::kINT32;
        else if (word == "host")
            tensor.location = TensorLocation::kHOST;
        else if (word == "chw2")
            tensor.format = TensorFormat::kCHW2;
        else if (word == "one")
            tensor.fixed = true;
        else
            tensor.item.push_back(std::stoll(word));
    }
    engine.tensors.push_back(tensor);
}

void read_profile(std::istringstream& words, EngineState& engine) {
    FakeProfile profile;
    words >> profile.batch[0] >> profile.batch[1] >> profile.batch[2];
    for (std::string name; words >> name;) {
        std::vector<int64_t> batch(3);
        words >> batch[0] >> batch[1] >> batch[2];
        profile.others[name] = batch;
    }
    engine.profiles.push_back(profile);
}

float number_at(const FakeTensor& tensor, const void* data, std::size_t i) {
    if (tensor.type == DataType::kHALF) return static_cast<const std::uint16_t*>(data)[i];
    return static_cast<const float*>(data)[i];
}

}  // namespace

std::size_t FakeTensor::item_size() const {
    std::size_t size = 1;
    for (const int64_t one : item) size *= static_cast<std::size_t>(one);
    return size;
}

std::size_t FakeTensor::item_bytes() const {
    return item_size() * (type == DataType::kHALF ? 2 : 4);
}

int64_t FakeProfile::of(const std::string& name, OptProfileSelector select) const {
    const auto found = others.find(name);
    const auto i = static_cast<std::size_t>(select);
    return found == others.end() ? batch[i] : found->second[i];
}

const FakeTensor* EngineState::find(const std::string& name) const {
    for (const FakeTensor& tensor : tensors) {
        if (tensor.name == name) return &tensor;
    }
    return nullptr;
}

bool EngineState::complain(const std::string& text) const {
    logger->log(ILogger::Severity::kERROR, text.c_str());
    return false;
}

std::shared_ptr<EngineState> parse_engine(const std::string& text, std::string& reason) {
    auto engine = std::make_shared<EngineState>();
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    if (line != "engine") {
        reason = "magicTag does not match";
        return nullptr;
    }
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "end") return engine;
        if (word == "input" || word == "output") read_tensor(words, word == "input", *engine);
        if (word == "profile") read_profile(words, *engine);
        if (word == "memory") words >> engine->profiles.back().memory;
        if (word == "unrecordable") engine->recordable = false;
        if (word == "gpu" && line != "gpu 8.7") {
            reason = "the engine was built for compute " + line.substr(4) + ", this device has 8.7";
            return nullptr;
        }
    }
    reason = "the stream ended too early";
    return nullptr;
}

void compute(const EngineState& engine, int64_t batch,
             const std::map<std::string, void*>& addresses) {
    for (int64_t item = 0; item < batch; ++item) {
        float sum = 0;
        for (const FakeTensor& tensor : engine.tensors) {
            if (!tensor.input) continue;
            const std::size_t size = tensor.item_size();
            for (std::size_t k = 0; k < size; ++k) {
                const std::size_t place = static_cast<std::size_t>(item) * size + k;
                sum +=
                    static_cast<float>(k + 1) * number_at(tensor, addresses.at(tensor.name), place);
            }
        }
        for (const FakeTensor& tensor : engine.tensors) {
            if (tensor.input) continue;
            const std::size_t size = tensor.item_size();
            for (std::size_t j = 0; j < size; ++j) {
                const std::size_t place = static_cast<std::size_t>(item) * size + j;
                const float value = static_cast<float>(j + 1) * sum;
                void* data = addresses.at(tensor.name);
                if (tensor.type == DataType::kHALF) {
                    static_cast<std::uint16_t*>(data)[place] = static_cast<std::uint16_t>(value);
                } else {
                    static_cast<float*>(data)[place] = value;
                }
            }
        }
    }
}

void fail_enqueue(int nth, const std::string& complaint) {
    runs_before_failure = nth;
    failing_with = complaint;
}

bool enqueue_fails(std::string& complaint) {
    if (runs_before_failure < 0 || runs_before_failure-- > 0) return false;
    complaint = failing_with;
    return true;
}

}  // namespace nvinfer1
