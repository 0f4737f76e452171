// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// An engine on a device, as far as it is seen from outside, that knows the golden crops: it gives
// for each picture what is expected of the crop with the same pixels, and zeros for another.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "engine_error.hpp"
#include "golden.hpp"
#include "manifest.hpp"

class LookupEngine final : public pamtri::engines::Engine {
  public:
    LookupEngine(const pamtri::engines::Manifest& manifest, pamtri::engines::Golden golden)
        : inputs_(manifest.inputs),
          outputs_(manifest.outputs),
          golden_(std::move(golden)),
          memory_(golden_.inputs.at("images").values.size() / golden_.count * max_batch()) {}

    const std::vector<pamtri::engines::TensorSpec>& inputs() const override { return inputs_; }
    const std::vector<pamtri::engines::TensorSpec>& outputs() const override { return outputs_; }
    const std::vector<int>& batch_sizes() const override { return sizes_; }
    pamtri::engines::Place place() const override { return pamtri::engines::Place::kDevice; }
    void* memory(std::string_view) override { return memory_.data(); }
    void finish(pamtri::engines::Stream) override {}

    void run(int count, const std::vector<pamtri::engines::Input>& inputs,
             const std::vector<pamtri::engines::Output>& outputs,
             pamtri::engines::Stream) override {
        using pamtri::engines::Place;
        if (count > max_batch()) throw pamtri::engines::EngineError("the batch is too large");
        const bool here = inputs[0].data == memory_.data();
        if (here != (inputs[0].place == Place::kDevice))
            throw pamtri::engines::EngineError("the pictures are not where they are said to be");
        const std::vector<float>& crops = golden_.inputs.at("images").values;
        const std::size_t size = crops.size() / golden_.count;
        for (int item = 0; item < count; ++item) {
            const float* picture = static_cast<const float*>(inputs[0].data) + item * size;
            std::size_t row = 0;
            while (row < golden_.count &&
                   !std::equal(picture, picture + size, crops.begin() + row * size))
                ++row;
            for (const pamtri::engines::Output& output : outputs) {
                const std::vector<float>& all =
                    golden_.expected.at(std::string(output.name)).values;
                const std::size_t part = all.size() / golden_.count;
                float* to = static_cast<float*>(output.data) + item * part;
                if (row < golden_.count)
                    std::copy_n(all.begin() + row * part, part, to);
                else
                    std::fill_n(to, part, 0.0f);
            }
        }
    }

  private:
    std::vector<pamtri::engines::TensorSpec> inputs_, outputs_;
    pamtri::engines::Golden golden_;
    std::vector<int> sizes_{1, 2};
    std::vector<float> memory_;
};
