// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tested_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <mutex>

#include "buckets.hpp"
#include "selftest.hpp"
#include "tensor_checks.hpp"

namespace pamtri::engines {
namespace {

constexpr int kChunk = 32;  // pictures that are prepared at a time: 25 MB, however long the batch

class TestedNetwork final : public Network {
  public:
    TestedNetwork(Bundle bundle, Candidate candidate)
        : bundle_(std::move(bundle)), candidate_(std::move(candidate)) {
        const std::vector<std::int64_t>& item = bundle_.manifest.inputs.front().item;
        size_ = {static_cast<int>(item[2]), static_cast<int>(item[1])};
    }

    const Manifest& manifest() const override { return bundle_.manifest; }
    PictureSize picture_size() const override { return size_; }
    const std::string& backend() const override { return candidate_.name; }
    const std::string& arithmetic() const override { return candidate_.arithmetic; }

    std::vector<Answer> run(const std::uint8_t* pictures, int count) override {
        std::vector<Answer> answers;
        answers.reserve(static_cast<std::size_t>(std::max(count, 0)));
        const std::size_t area = static_cast<std::size_t>(size_.width) * size_.height;
        for (int at = 0; at < count; at += kChunk) {
            const int part = std::min(kChunk, count - at);
            const auto results =
                run_on_host(*candidate_.engine, part,
                            {{"images", planes(pictures + 3 * area * at, part, area)}});
            for (int i = 0; i < part; ++i) {
                answers.push_back(answer(results, static_cast<std::size_t>(i), part));
                check(answers.back().embedding, at + i, count);
            }
        }
        return answers;
    }

    std::vector<Answer> run_on_device(int count, const Fill& fill, Stream stream) override {
        Engine& engine = *candidate_.engine;
        if (engine.place() != Place::kDevice) return Network::run_on_device(count, fill, stream);
        const TensorSpec& input = engine.inputs().front();
        auto* memory = static_cast<float*>(engine.memory(input.name));
        std::vector<Answer> answers;
        answers.reserve(static_cast<std::size_t>(std::max(count, 0)));
        // The engine has one place for its pictures.
        const std::lock_guard<std::mutex> turn(mutex_);
        for (const auto& [at, part, size] : core::chunks(engine.batch_sizes(), count)) {
            fill(at, part, memory, stream);
            std::map<std::string, std::vector<float>> results;
            std::vector<Output> wanted;
            for (const TensorSpec& spec : engine.outputs()) {
                std::vector<float>& values = results[spec.name];
                values.resize(spec.item_bytes() / sizeof(float) * static_cast<std::size_t>(part));
                wanted.push_back({spec.name, values.data(), Place::kHost});
            }
            engine.run(part, {{input.name, memory, Place::kDevice}}, wanted, stream);
            engine.finish(stream);
            for (int i = 0; i < part; ++i) {
                answers.push_back(answer(results, static_cast<std::size_t>(i), part));
                check(answers.back().embedding, at + i, count);
            }
        }
        return answers;
    }

  private:
    /// Pictures as the graph takes them: a plane a color, float32 of 0 to 255.
    static std::vector<float> planes(const std::uint8_t* pictures, int count, std::size_t area) {
        std::vector<float> planes(3 * area * static_cast<std::size_t>(count));
        float* plane = planes.data();
        for (int picture = 0; picture < count; ++picture, pictures += 3 * area)
            for (std::size_t color = 0; color < 3; ++color, plane += area)
                for (std::size_t pixel = 0; pixel < area; ++pixel)
                    plane[pixel] = pictures[3 * pixel + color];
        return planes;
    }

    static Answer answer(const std::map<std::string, std::vector<float>>& results, std::size_t row,
                         int count) {
        const auto values = [&](const char* output) -> std::vector<float> {
            const auto found = results.find(output);
            if (found == results.end()) return {};
            const std::size_t size = found->second.size() / static_cast<std::size_t>(count);
            const auto first = found->second.begin() + static_cast<std::ptrdiff_t>(row * size);
            return {first, first + static_cast<std::ptrdiff_t>(size)};
        };
        Answer answer{
            values("embedding"), values("color"), values("type"), values("keypoints"), {}};
        if (const std::vector<float> quality = values("quality"); !quality.empty())
            answer.quality = quality.front();
        return answer;
    }

    /// Refuse an embedding that cannot be compared.
    void check(const std::vector<float>& embedding, int picture, int count) const {
        float length = 0;
        for (const float value : embedding) length += value * value;
        if (std::isfinite(length) && length > 0) return;
        const std::string what = length == 0 ? "zero length" : "values that are not finite";
        throw EngineError("the network of " + bundle_.path + " gave an embedding of " + what +
                          " for picture " + std::to_string(picture) + " of " +
                          std::to_string(count) +
                          "; it cannot be compared with others. Its weights are not usable: "
                          "export a bundle of other weights, or look at them with pamtri verify.");
    }

    Bundle bundle_;
    Candidate candidate_;
    PictureSize size_;
    std::mutex mutex_;
};

}  // namespace

std::unique_ptr<Network> tested_network(Bundle bundle, Candidate candidate) {
    const std::vector<TensorSpec>& inputs = bundle.manifest.inputs;
    const std::vector<std::int64_t>& item = inputs.front().item;
    if (inputs.size() > 1)
        throw BundleError(bundle.path +
                          " is of geometry 'original', whose network takes a second picture of "
                          "each vehicle; expected 'unified'. Export it with --geometry unified, "
                          "or run it from Python.");
    if (item.size() != 3 || item[0] != 3)
        throw BundleError(bundle.path + " takes no pictures of three colors; export it again.");
    self_test(bundle, {*candidate.engine, candidate.name, candidate.device, candidate.arithmetic},
              candidate.by_itself);
    bundle.network = {};  // the engine has its own; these were megabytes
    bundle.golden = {};
    return std::make_unique<TestedNetwork>(std::move(bundle), std::move(candidate));
}

}  // namespace pamtri::engines
