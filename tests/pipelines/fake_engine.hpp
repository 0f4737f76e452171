// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// An engine that knows the answers: what it is told to give, row for row.
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "golden.hpp"
#include "manifest.hpp"

class FakeEngine final : public pamtri::engines::Engine {
  public:
    FakeEngine(const pamtri::engines::Manifest& manifest, pamtri::engines::Golden golden)
        : inputs_(manifest.inputs),
          outputs_(manifest.outputs),
          golden_(std::move(golden)),
          sizes_{static_cast<int>(golden_.count)} {}

    const std::vector<pamtri::engines::TensorSpec>& inputs() const override { return inputs_; }
    const std::vector<pamtri::engines::TensorSpec>& outputs() const override { return outputs_; }
    const std::vector<int>& batch_sizes() const override { return sizes_; }
    pamtri::engines::Place place() const override { return pamtri::engines::Place::kHost; }
    void* memory(std::string_view) override { return nullptr; }
    void finish(pamtri::engines::Stream) override {}

    void run(int count, const std::vector<pamtri::engines::Input>&,
             const std::vector<pamtri::engines::Output>& outputs,
             pamtri::engines::Stream) override {
        for (const pamtri::engines::Output& output : outputs) {
            const std::vector<float>& all = golden_.expected.at(std::string(output.name)).values;
            const std::size_t size = all.size() / golden_.count * static_cast<std::size_t>(count);
            std::copy_n(all.begin(), size, static_cast<float*>(output.data));
        }
    }

  private:
    std::vector<pamtri::engines::TensorSpec> inputs_, outputs_;
    pamtri::engines::Golden golden_;
    std::vector<int> sizes_;
};
