// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensorrt_lane.hpp"

#include "engine_error.hpp"

namespace pamtri::engines {

Lane::Lane(const Plan& plan, const core::Bucket& bucket, const std::vector<Address>& addresses,
           void* workspace, std::size_t workspace_bytes, cudaStream_t stream, bool graphs)
    : plan_(plan),
      bucket_(bucket),
      context_(plan.new_context()),
      state_(graphs ? State::kFresh : State::kPlain) {
    if (graphs) recorder_ = new_stream();
    set_shapes(stream);
    context_->setDeviceMemoryV2(workspace, static_cast<std::int64_t>(workspace_bytes));
    for (const Address& address : addresses) {
        if (!context_->setTensorAddress(address.name.c_str(), address.data)) {
            throw EngineError(
                plan_.complaint(about("takes no address for '" + address.name + "'")));
        }
    }
}

void Lane::set_shapes(cudaStream_t stream) {
    if (!context_->setOptimizationProfileAsync(bucket_.profile, stream)) {
        throw EngineError(plan_.complaint(about("refuses its profile")));
    }
    check(cudaStreamSynchronize(stream), plan_.about(about("choosing its profile")));
    const auto shape_of = [&](const TensorSpec& spec) {
        nvinfer1::Dims dims{};
        dims.nbDims = static_cast<int>(spec.item.size()) + 1;
        dims.d[0] = bucket_.batch;
        for (std::size_t axis = 0; axis < spec.item.size(); ++axis) {
            dims.d[axis + 1] = spec.item[axis];
        }
        return dims;
    };
    for (const TensorSpec& spec : plan_.inputs()) {
        if (!context_->setInputShape(spec.name.c_str(), shape_of(spec))) {
            throw EngineError(plan_.complaint(about("refuses the shape of '" + spec.name + "'")));
        }
    }
    for (const TensorSpec& spec : plan_.outputs()) {
        const nvinfer1::Dims dims = context_->getTensorShape(spec.name.c_str());
        if (dims.nbDims < 1 || dims.d[0] != bucket_.batch) {
            throw EngineError(plan_.complaint(
                about("does not give output '" + spec.name + "' an item for each of the batch")));
        }
    }
}

void Lane::enqueue(cudaStream_t stream) {
    if (state_ == State::kRun) record();
    if (state_ == State::kRecorded) {
        check(cudaGraphLaunch(graph_.get(), stream), plan_.about(about("replaying its graph")));
        return;
    }
    if (!context_->enqueueV3(stream)) {
        throw EngineError(plan_.complaint(about("TensorRT cannot enqueue it")));
    }
    if (state_ == State::kFresh) state_ = State::kRun;
}

void Lane::record() {
    // On a stream of its own: a caller's may be the default one, which cannot be recorded. Other
    // threads go on calling CUDA meanwhile.
    cudaGraphExec_t executable = nullptr;
    bool enqueued = true;
    cudaError_t code = cudaStreamBeginCapture(recorder_.get(), cudaStreamCaptureModeThreadLocal);
    if (code == cudaSuccess) {
        enqueued = context_->enqueueV3(recorder_.get());
        cudaGraph_t recorded = nullptr;
        code = cudaStreamEndCapture(recorder_.get(), &recorded);
        const OwnedGraph graph(recorded);
        if (enqueued && code == cudaSuccess) code = cudaGraphInstantiate(&executable, recorded, 0);
    }
    graph_.reset(executable);
    state_ = executable != nullptr ? State::kRecorded : State::kPlain;
    if (state_ == State::kRecorded) return;
    cudaGetLastError();
    const char* reason = enqueued ? cudaGetErrorString(code) : "TensorRT refuses";
    plan_.warn(plan_.complaint(about(std::string("it cannot be recorded as a CUDA graph, so each "
                                                 "run is enqueued anew, which costs the CPU some "
                                                 "time (") +
                                     reason + ")")));
}

std::string Lane::about(const std::string& text) const {
    return "batch " + std::to_string(bucket_.batch) + ": " + text;
}

}  // namespace pamtri::engines
