// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// A batch is not given to the network as a batch: it is compiled once, for one item, with as many
// streams as threads, and the items of a batch run side by side. So an item's numbers do not depend
// on its batch, to the bit. (Why this is faster, too, is told in Python's openvino.py.)
#include "openvino_engine.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <openvino/openvino.hpp>
#include <set>
#include <vector>

#include "engine_error.hpp"
#include "openvino_compile.hpp"
#include "openvino_words.hpp"
#include "tensor_checks.hpp"
#include "words.hpp"

namespace pamtri::engines {
namespace {

constexpr int kMostStreams = 8;  // they cost memory; beyond this, streams get more threads
constexpr int kMostItems = 32;   // of a batch: so much memory of its own an engine has
constexpr char kRemedyHere[] = "Export the bundle again with pamtri-export.";

std::vector<Size> shape_of(const ov::Output<const ov::Node>& port) {
    const ov::PartialShape& shape = port.get_partial_shape();
    if (shape.rank().is_dynamic()) return {};
    std::vector<Size> sizes;
    for (const ov::Dimension& side : shape)
        sizes.push_back(side.is_static() ? Size(side.get_length()) : std::nullopt);
    if (!sizes.empty() && sizes[0] == 1) sizes[0] = std::nullopt;
    return sizes;
}

/// A tensor with open sizes behind the batch, or none at all, is refused.
TensorSpec spec_of(const ov::Output<const ov::Node>& port, const char* what,
                   const std::string& path) {
    const std::vector<Size> shape = shape_of(port);
    const auto fixed = [](const Size& size) { return size.has_value(); };
    const std::string name = port.get_any_name();
    if (shape.empty() || shape[0] || !std::all_of(shape.begin() + 1, shape.end(), fixed))
        throw BundleError(path + ": " + what + " '" + name + "' has shape " + shown_shape(shape) +
                          "; expected ('N', ...) with fixed sizes behind the batch. " +
                          kRemedyHere);
    TensorSpec spec{name, ElementType::kFloat32, {}};
    for (auto size = shape.begin() + 1; size != shape.end(); ++size) spec.item.push_back(**size);
    if (port.get_element_type() != ov::element::f32)
        throw BundleError(path + ": " + what + " '" + name + "' is " +
                          port.get_element_type().to_string() + "; expected f32. " + kRemedyHere);
    return spec;
}

ov::Shape single(const TensorSpec& spec) {
    ov::Shape shape{1};
    for (const std::int64_t size : spec.item) shape.push_back(static_cast<std::size_t>(size));
    return shape;
}

/// The narrowest type in which a convolution or matrix product of the compiled network runs.
std::string arithmetic_of(const ov::CompiledModel& compiled) {
    static constexpr const char* kWords[][2] = {
        {"i8", "int8"}, {"u8", "int8"}, {"f16", "fp16"}, {"bf16", "bf16"}, {"f32", "fp32"}};
    std::set<std::string> found;
    for (const auto& node : compiled.get_runtime_model()->get_ordered_ops()) {
        const ov::RTMap& info = node->get_rt_info();
        const auto entry = [&info](const char* key) {
            const auto at = info.find(key);
            return at == info.end() ? std::string() : at->second.as<std::string>();
        };
        const std::string kind = entry("layerType");
        if (kind == "Convolution" || kind == "FullyConnected" || kind == "MatMul")
            found.insert(entry("runtimePrecision"));
    }
    for (const auto& [precision, word] : kWords)
        if (found.count(precision) > 0) return word;
    return "fp32";
}

class OpenVinoEngine final : public Engine {
  public:
    OpenVinoEngine(ov::CompiledModel compiled, std::vector<TensorSpec> inputs,
                   std::vector<TensorSpec> outputs, std::string path, int streams)
        : compiled_(std::move(compiled)),
          inputs_(std::move(inputs)),
          outputs_(std::move(outputs)),
          path_(std::move(path)) {
        for (int size = 1; size <= kMostItems; ++size) sizes_.push_back(size);
        for (int i = 0; i < streams; ++i) requests_.push_back(compiled_.create_infer_request());
    }

    const std::vector<TensorSpec>& inputs() const override { return inputs_; }
    const std::vector<TensorSpec>& outputs() const override { return outputs_; }
    const std::vector<int>& batch_sizes() const override { return sizes_; }
    Place place() const override { return Place::kHost; }

    void* memory(std::string_view tensor) override {
        const TensorSpec* spec = find_tensor(inputs_, tensor);
        if (spec == nullptr) spec = find_tensor(outputs_, tensor);
        if (spec == nullptr)
            throw EngineError(path_ + ": there is no tensor '" + std::string(tensor) + "'.");
        const std::lock_guard<std::mutex> turn(mutex_);
        std::vector<float>& values = memory_[spec->name];
        values.resize(spec->item_bytes() / sizeof(float) * kMostItems);
        return values.data();
    }

    void run(int count, const std::vector<Input>& inputs, const std::vector<Output>& outputs,
             Stream) override {
        if (count < 1 || count > kMostItems)
            throw EngineError(path_ + ": a batch of " + std::to_string(count) +
                              " was given; 1 to " + std::to_string(kMostItems) + " are accepted.");
        check_inputs(inputs_, inputs, path_);
        check_outputs(outputs_, outputs, path_);
        check_places(inputs);
        check_places(outputs);
        const std::lock_guard<std::mutex> turn(mutex_);
        try {
            compute(count, inputs, outputs);
        } catch (const std::exception& error) {
            for (ov::InferRequest& request : requests_) request = compiled_.create_infer_request();
            throw BundleError(path_ + " cannot be computed by OpenVINO (" +
                              last_line(error.what()) +
                              "): it is not a network that pamtri-export writes. " + kRemedyHere);
        }
    }

    void finish(Stream) override {}  // `run` returns when all is done

  private:
    template <typename Tensor>
    void check_places(const std::vector<Tensor>& tensors) const {
        for (const Tensor& tensor : tensors)
            if (tensor.place != Place::kHost)
                throw EngineError(path_ + ": '" + std::string(tensor.name) +
                                  "' is in a device's memory, and OpenVINO computes on the CPU.");
    }

    void compute(int count, const std::vector<Input>& inputs, const std::vector<Output>& outputs) {
        const int streams = static_cast<int>(requests_.size());
        for (int item = 0; item < count + streams; ++item) {
            ov::InferRequest& request = requests_[static_cast<std::size_t>(item % streams)];
            if (item >= streams && item - streams < count) {
                request.wait();
                collect(request, item - streams, outputs);
            }
            if (item >= count) continue;
            for (const Input& input : inputs) set(request, input, item);
            request.start_async();
        }
    }

    void set(ov::InferRequest& request, const Input& input, int item) const {
        const TensorSpec& spec = *find_tensor(inputs_, input.name);
        const auto* start = static_cast<const char*>(input.data) +
                            spec.item_bytes() * static_cast<std::size_t>(item);
        // OpenVINO reads it alone, though it asks for what it could write to.
        request.set_tensor(spec.name,
                           ov::Tensor(ov::element::f32, single(spec), const_cast<char*>(start)));
    }

    void collect(ov::InferRequest& request, int item, const std::vector<Output>& outputs) {
        for (std::size_t index = 0; index < outputs_.size(); ++index) {
            const TensorSpec& spec = outputs_[index];
            const auto same = [&](const Output& one) { return one.name == spec.name; };
            const auto wanted = std::find_if(outputs.begin(), outputs.end(), same);
            const auto own = memory_.find(spec.name);
            void* to = wanted != outputs.end() ? wanted->data
                       : own != memory_.end()  ? static_cast<void*>(own->second.data())
                                               : nullptr;
            if (to == nullptr) continue;
            const std::size_t bytes = spec.item_bytes();
            std::memcpy(static_cast<char*>(to) + bytes * static_cast<std::size_t>(item),
                        request.get_output_tensor(index).data(), bytes);
        }
    }

    ov::CompiledModel compiled_;
    std::vector<TensorSpec> inputs_, outputs_;
    std::string path_;
    std::vector<int> sizes_;
    std::vector<ov::InferRequest> requests_;
    std::map<std::string, std::vector<float>> memory_;
    std::mutex mutex_;
};

}  // namespace

OpenVino load_openvino(const std::string& content, const std::string& path, int threads) {
    OpenVino made;
    try {
        ov::Core core;
        std::shared_ptr<ov::Model> network = core.read_model(content, ov::Tensor());
        std::vector<TensorSpec> inputs, outputs;
        std::map<std::string, ov::PartialShape> shapes;
        for (const ov::Output<const ov::Node>& port :
             std::const_pointer_cast<const ov::Model>(network)->inputs()) {
            inputs.push_back(spec_of(port, "input", path));
            shapes[inputs.back().name] = single(inputs.back());
        }
        network->reshape(shapes);
        for (const ov::Output<const ov::Node>& port :
             std::const_pointer_cast<const ov::Model>(network)->outputs())
            outputs.push_back(spec_of(port, "output", path));
        ov::CompiledModel compiled = compile_for_cpu(
            core, network,
            {ov::hint::inference_precision(ov::element::f32),
             ov::num_streams(std::min(threads, kMostStreams)), ov::inference_num_threads(threads),
             // Two programs would pin themselves to the same processors.
             ov::hint::enable_cpu_pinning(false)});
        network.reset();
        malloc_trim(0);  // what reading and compiling left free: 150 MB for the paper's networks
        made.arithmetic = arithmetic_of(compiled);
        made.streams = static_cast<int>(compiled.get_property(ov::num_streams).num);
        made.engine = std::make_unique<OpenVinoEngine>(compiled, std::move(inputs),
                                                       std::move(outputs), path, made.streams);
    } catch (const BundleError&) {
        throw;
    } catch (const std::exception& error) {  // of whatever kind, for a file of unknown origin
        throw BundleError(std::string("OpenVINO ") + ov::get_openvino_version().buildNumber +
                          " cannot load " + path + ": " + last_line(error.what()) +
                          ". Export the bundle again, or upgrade OpenVINO: pip install --upgrade "
                          "openvino");
    }
    return made;
}

}  // namespace pamtri::engines
