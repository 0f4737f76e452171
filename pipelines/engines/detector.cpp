// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detector.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <openvino/openvino.hpp>
#include <tuple>
#include <utility>

#include "detector_files.hpp"
#include "errors.hpp"
#include "openvino_compile.hpp"
#include "openvino_words.hpp"

namespace pamtri::engines {
namespace {

constexpr double kSmallest = 1.0;  // side of a box, in pixels

const std::map<std::string, ov::element::Type>& types() {
    static const std::map<std::string, ov::element::Type> kTypes = {{"f32", ov::element::f32},
                                                                    {"f16", ov::element::f16},
                                                                    {"u8", ov::element::u8},
                                                                    {"i64", ov::element::i64},
                                                                    {"i32", ov::element::i32}};
    return kTypes;
}

/// Write numbers to the front of a tensor, in the tensor's own type.
template <typename Number>
void fill(ov::Tensor& tensor, const Number* from, std::size_t count) {
    const auto put = [&](auto* to) {
        for (std::size_t i = 0; i < count; ++i)
            to[i] = static_cast<std::remove_reference_t<decltype(*to)>>(from[i]);
    };
    switch (tensor.get_element_type()) {
        case ov::element::f32:
            return put(tensor.data<float>());
        case ov::element::f16:
            return put(tensor.data<ov::float16>());
        case ov::element::u8:
            return put(tensor.data<std::uint8_t>());
        case ov::element::i64:
            return put(tensor.data<std::int64_t>());
        default:
            return put(tensor.data<std::int32_t>());
    }
}

template <typename T>
std::vector<float> numbers_in(const ov::Tensor& tensor) {
    const T* from = tensor.data<T>();
    std::vector<float> numbers(tensor.get_size());
    std::transform(from, from + numbers.size(), numbers.begin(),
                   [](T value) { return static_cast<float>(value); });
    return numbers;
}

/// The numbers of an output that is not f32.
std::vector<float> numbers_of(const ov::Tensor& tensor) {
    switch (tensor.get_element_type()) {
        case ov::element::f16:
            return numbers_in<ov::float16>(tensor);
        case ov::element::bf16:
            return numbers_in<ov::bfloat16>(tensor);
        case ov::element::f64:
            return numbers_in<double>(tensor);
        case ov::element::i64:
            return numbers_in<std::int64_t>(tensor);
        case ov::element::i32:
            return numbers_in<std::int32_t>(tensor);
        case ov::element::i8:
            return numbers_in<std::int8_t>(tensor);
        case ov::element::u8:
        case ov::element::boolean:
            return numbers_in<std::uint8_t>(tensor);
        default:
            throw core::InputError("the detector gives numbers of the type " +
                                   tensor.get_element_type().to_string() +
                                   "; expected f32, f16, i32 or i64.");
    }
}

/// Give the network the shapes with which it was described.
void fix(ov::Model& model, const core::DetectorPlan& plan) {
    std::map<std::size_t, ov::PartialShape> shapes;
    const auto add = [&](const core::NetworkInput& input) {
        if (input.number >= model.inputs().size())
            throw core::InputError("it has no input number " + std::to_string(input.number) + ".");
        const auto port = model.input(input.number);
        if (port.get_element_type() != types().at(input.type))
            throw core::InputError("its input is " + port.get_element_type().to_string() +
                                   ", not " + input.type + ".");
        shapes[input.number] = ov::Shape(input.shape.begin(), input.shape.end());
    };
    add(plan.picture.input);
    if (plan.sizes) add(*plan.sizes);
    if (shapes.size() != model.inputs().size())
        throw core::InputError("it has " + std::to_string(model.inputs().size()) + " inputs, not " +
                               std::to_string(shapes.size()) + ".");
    const bool fixed = std::all_of(shapes.begin(), shapes.end(), [&](const auto& shape) {
        return model.input(shape.first).get_partial_shape() == shape.second;
    });
    if (!fixed) model.reshape(shapes);
}

ov::CompiledModel compiled(const DetectorFiles& files, int threads) {
    try {
        ov::Core core;
        const std::shared_ptr<ov::Model> model = core.read_model(files.network);
        fix(*model, files.plan);
        ov::AnyMap options{ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                           ov::hint::inference_precision(ov::element::f32),
                           // Two programs would pin themselves to the same processors.
                           ov::hint::enable_cpu_pinning(false)};
        if (threads > 0) options.insert(ov::inference_num_threads(threads));
        return compile_for_cpu(core, model, std::move(options));
    } catch (const core::InputError& error) {
        throw core::InputError(files.network + " is not as it was described: " + error.what() +
                               " Describe it again: pamtri detector describe " + files.network +
                               " --overwrite");
    } catch (const std::exception& error) {  // of whatever kind, for a file of unknown origin
        throw core::InputError(files.network + " cannot be loaded as a detector (" +
                               last_line(error.what()) + ").");
    }
}

/// Detectors of one network share what was compiled of it, and take turns in it.
std::shared_ptr<ov::CompiledModel> shared_model(const DetectorFiles& files, int threads) {
    static std::mutex mutex;
    using Key = std::tuple<std::string, std::string, std::vector<std::size_t>, int>;
    static std::map<Key, std::weak_ptr<ov::CompiledModel>> open;
    // Held while one is compiled: a second detector waits for it, instead of compiling its own.
    const std::lock_guard<std::mutex> lock(mutex);
    std::weak_ptr<ov::CompiledModel>& known =
        open[{files.network, files.plan.sha256, files.plan.picture.input.shape, threads}];
    std::shared_ptr<ov::CompiledModel> model = known.lock();
    if (!model) known = model = std::make_shared<ov::CompiledModel>(compiled(files, threads));
    return model;
}

class OpenVinoDetector final : public Detector {
  public:
    OpenVinoDetector(DetectorFiles files, const ClassWish& wish, int threads)
        : path_(files.network),
          wanted_(core::wanted_classes(path_, wish.asked, wish.fold, files.plan.classes)),
          model_(shared_model(files, threads)),
          request_(model_->create_infer_request()),
          plan_(std::move(files.plan)) {
        picture_ = tensor_of(plan_.picture.input);
        std::fill_n(static_cast<char*>(picture_.data()), picture_.get_byte_size(), '\0');
        request_.set_input_tensor(plan_.picture.input.number, picture_);
        if (!plan_.sizes) return;
        ov::Tensor sizes = tensor_of(*plan_.sizes);
        std::vector<float> pairs;
        for (std::size_t i = 0; i < plan_.sizes->shape[0]; ++i)
            pairs.insert(pairs.end(), {static_cast<float>(plan_.picture.size.width),
                                       static_cast<float>(plan_.picture.size.height)});
        fill(sizes, pairs.data(), pairs.size());
        request_.set_input_tensor(plan_.sizes->number, sizes);
    }

    const core::DetectorPlan& plan() const override { return plan_; }

    std::vector<Detection> detect(const RgbPicture& picture, const DetectionSpec& spec) override {
        const core::FrameSize frame{picture.width, picture.height};
        const core::FramePlace place =
            core::place_frame(frame, plan_.picture.size, plan_.picture.fit);
        const std::vector<float> numbers = picture_numbers(picture, plan_.picture, place);
        fill(picture_, numbers.data(), numbers.size());
        infer();
        const core::Candidates found = read(spec.confidence);
        std::vector<Detection> detections;
        for (const std::size_t kept : core::suppress(found.boxes, found.scores, spec.overlap)) {
            const float* box = &found.boxes[4 * kept];
            const core::Box inside = place.in_frame({box[0], box[1], box[2], box[3]}, frame);
            if (std::min(inside.x2 - inside.x1, inside.y2 - inside.y1) >= kSmallest)
                detections.push_back({inside, found.scores[kept], found.classes[kept]});
        }
        return detections;
    }

  private:
    static ov::Tensor tensor_of(const core::NetworkInput& input) {
        return {types().at(input.type), ov::Shape(input.shape.begin(), input.shape.end())};
    }

    void infer() {
        try {
            request_.infer();
        } catch (const std::exception& error) {
            throw core::InputError(path_ + " failed on a picture (" + last_line(error.what()) +
                                   ").");
        }
    }

    core::Candidates read(float least) {
        try {
            std::vector<std::vector<float>> numbers;
            std::vector<core::OutputView> outputs;
            for (std::size_t i = 0; i < model_->outputs().size(); ++i) {
                const ov::Tensor tensor = request_.get_output_tensor(i);
                const ov::Shape shape = tensor.get_shape();
                const bool plain = tensor.get_element_type() == ov::element::f32;
                if (!plain) numbers.push_back(numbers_of(tensor));
                outputs.push_back({{shape.begin(), shape.end()},
                                   plain ? tensor.data<float>() : numbers.back().data()});
            }
            return plan_.decoder.read(outputs, wanted_, least);
        } catch (const core::InputError& error) {
            throw core::InputError(path_ + ": " + error.what());
        }
    }

    std::string path_;
    std::vector<int> wanted_;
    std::shared_ptr<ov::CompiledModel> model_;
    ov::InferRequest request_;
    core::DetectorPlan plan_;
    ov::Tensor picture_;
};

}  // namespace

std::unique_ptr<Detector> Detector::open(const std::string& path, const ClassWish& wish,
                                         int threads) {
    return std::make_unique<OpenVinoDetector>(find_detector(path), wish, threads);
}

}  // namespace pamtri::engines
