// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>

using Step = std::function<void()>;

struct CUgraph_st {
    std::vector<Step> steps;
};
struct CUgraphExec_st {
    std::vector<Step> steps;
};
struct CUstream_st {
    std::deque<Step> steps;
    std::unique_ptr<CUgraph_st> recording;
    bool invalid = false;
};
struct CUevent_st {
    std::shared_ptr<bool> reached;
    cudaStream_t stream = nullptr;
};

namespace {

constexpr std::size_t kPage = 4096;

struct Failure {
    cudaError_t code;
    int countdown;
};

// One device for the process. The mutex is recursive: a step may put others.
std::recursive_mutex mutex;
std::map<std::uintptr_t, std::size_t> memories;
std::set<cudaStream_t> streams;
std::set<cudaEvent_t> events;
int graphs = 0;
CUstream_st default_stream;
std::vector<std::string> lines;
std::map<std::string, Failure> failures;
int devices = 1;
cudaError_t devices_code = cudaSuccess;
thread_local int current = 0;
thread_local cudaError_t last = cudaSuccess;
int open = 0;

using Lock = std::lock_guard<std::recursive_mutex>;

cudaError_t result(cudaError_t code) {
    if (code != cudaSuccess) last = code;
    return code;
}

/// Note a call; the code that a test wants it to fail with, else success.
cudaError_t called(const std::string& function, const std::string& rest = "") {
    lines.push_back(function + rest);
    const auto found = failures.find(function);
    if (found == failures.end() || found->second.countdown-- > 0) return cudaSuccess;
    const cudaError_t code = found->second.code;
    failures.erase(found);
    return result(code);
}

std::size_t pages(std::size_t size) { return (size + kPage - 1) / kPage * kPage; }

void protect(int mode) {
    for (const auto& [start, size] : memories) {
        mprotect(reinterpret_cast<void*>(start), pages(size), mode);
    }
}

/// Opens the device's memory while it works.
struct Working {
    Working() {
        if (open++ == 0) protect(PROT_READ | PROT_WRITE);
    }
    ~Working() {
        if (--open == 0) protect(PROT_NONE);
    }
};

CUstream_st& stream_of(cudaStream_t stream) { return stream ? *stream : default_stream; }

bool step_of(CUstream_st& stream) {
    if (stream.steps.empty()) return false;
    const Step step = std::move(stream.steps.front());
    stream.steps.pop_front();
    const Working working;
    step();
    return true;
}

/// Run a stream to its end, all others a step of theirs in turn.
void finish(cudaStream_t stream) {
    while (!stream_of(stream).steps.empty()) {
        for (const cudaStream_t other : streams) {
            if (other != stream) step_of(*other);
        }
        step_of(stream_of(stream));
    }
}

bool known(cudaStream_t stream) { return stream == nullptr || streams.count(stream) > 0; }

bool recording_anywhere() {
    for (const cudaStream_t stream : streams) {
        if (stream->recording) return true;
    }
    return false;
}

/// What no recorded thread may call spoils the recording, as in CUDA.
cudaError_t refuse_while_recording() {
    if (!recording_anywhere()) return cudaSuccess;
    for (const cudaStream_t stream : streams) stream->invalid = stream->recording != nullptr;
    return result(cudaErrorStreamCaptureUnsupported);
}

}  // namespace

namespace device {

Live live() {
    const Lock lock(mutex);
    return {static_cast<int>(memories.size()), static_cast<int>(streams.size()),
            static_cast<int>(events.size()), graphs};
}

std::size_t bytes() {
    const Lock lock(mutex);
    std::size_t sum = 0;
    for (const auto& memory : memories) sum += memory.second;
    return sum;
}

std::vector<std::string> journal() {
    const Lock lock(mutex);
    return lines;
}

void clear_journal() {
    const Lock lock(mutex);
    lines.clear();
}

void note(const std::string& line) {
    const Lock lock(mutex);
    lines.push_back(line);
}

void fail(const std::string& function, cudaError_t code, int nth) {
    const Lock lock(mutex);
    failures[function] = {code, nth};
}

void set_devices(int count, cudaError_t code) {
    const Lock lock(mutex);
    devices = count;
    devices_code = code;
}

cudaError_t put(cudaStream_t stream, Step step) {
    const Lock lock(mutex);
    if (!known(stream)) return result(cudaErrorInvalidResourceHandle);
    CUstream_st& one = stream_of(stream);
    if (one.recording) {
        one.recording->steps.push_back(std::move(step));
    } else {
        one.steps.push_back(std::move(step));
    }
    return cudaSuccess;
}

bool is_recording(cudaStream_t stream) {
    const Lock lock(mutex);
    return stream_of(stream).recording != nullptr;
}

bool owns(const void* memory, std::size_t size) {
    const Lock lock(mutex);
    const auto start = reinterpret_cast<std::uintptr_t>(memory);
    auto after = memories.upper_bound(start);
    if (after == memories.begin()) return false;
    --after;
    return start + size <= after->first + after->second;
}

}  // namespace device

extern "C" {

cudaError_t cudaGetLastError() {
    const cudaError_t code = last;
    last = cudaSuccess;
    return code;
}

const char* cudaGetErrorName(cudaError_t error) {
    return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaErrorFake";
}

const char* cudaGetErrorString(cudaError_t error) {
    return error == cudaErrorMemoryAllocation ? "out of memory" : "a fake error";
}

cudaError_t cudaGetDeviceCount(int* count) {
    const Lock lock(mutex);
    *count = devices;
    return result(devices_code);
}

cudaError_t cudaGetDevice(int* device) {
    *device = current;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    const Lock lock(mutex);
    if (device < 0 || device >= devices) return result(cudaErrorInvalidDevice);
    current = device;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    if (device < 0 || device >= devices) return result(cudaErrorInvalidDevice);
    std::strcpy(properties->name, "Fake GPU");
    properties->major = 8;
    properties->minor = 7;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = 12060;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = 12060;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t size) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaMalloc", " " + std::to_string(size))) return code;
    if (const cudaError_t code = refuse_while_recording()) return code;
    void* start = mmap(nullptr, pages(size), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return result(cudaErrorMemoryAllocation);
    memories[reinterpret_cast<std::uintptr_t>(start)] = size;
    const Working working;
    std::memset(start, 0xcb, size);  // nobody may rely on what is in new memory
    *memory = start;
    return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
    const Lock lock(mutex);
    if (memory == nullptr) return cudaSuccess;
    const auto found = memories.find(reinterpret_cast<std::uintptr_t>(memory));
    if (found == memories.end()) return result(cudaErrorInvalidValue);
    munmap(memory, pages(found->second));
    memories.erase(found);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t size, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    const Lock lock(mutex);
    static const char* const kinds[] = {"host>host", "host>device", "device>host", "device>device"};
    const std::string rest = std::string(" ") + kinds[kind] + " " + std::to_string(size);
    if (const cudaError_t code = called("cudaMemcpyAsync", rest)) return code;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    if (from_device != device::owns(from, size) || to_device != device::owns(to, size)) {
        return result(cudaErrorInvalidValue);
    }
    return result(device::put(stream, [=] { std::memcpy(to, from, size); }));
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaMemcpy2DAsync")) return code;
    if (width > to_pitch || width > from_pitch) return result(cudaErrorInvalidValue);
    if (width == 0 || height == 0) return cudaSuccess;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    if (from_device != device::owns(from, from_pitch * (height - 1) + width) ||
        to_device != device::owns(to, to_pitch * (height - 1) + width)) {
        return result(cudaErrorInvalidValue);
    }
    return result(device::put(stream, [=] {
        for (std::size_t row = 0; row < height; ++row)
            std::memcpy(static_cast<char*>(to) + row * to_pitch,
                        static_cast<const char*>(from) + row * from_pitch, width);
    }));
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t size, cudaStream_t stream) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaMemsetAsync")) return code;
    if (!device::owns(memory, size)) return result(cudaErrorInvalidValue);
    return result(device::put(stream, [=] { std::memset(memory, value, size); }));
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaStreamCreateWithFlags")) return code;
    *stream = new CUstream_st;
    streams.insert(*stream);
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    const Lock lock(mutex);
    if (streams.count(stream) == 0) return result(cudaErrorInvalidResourceHandle);
    finish(stream);
    streams.erase(stream);
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaStreamSynchronize")) {
        stream_of(stream).steps.clear();  // a device in error does nothing more
        return code;
    }
    if (!known(stream)) return result(cudaErrorInvalidResourceHandle);
    if (stream_of(stream).recording) return refuse_while_recording();
    finish(stream);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaStreamWaitEvent")) return code;
    if (events.count(event) == 0) return result(cudaErrorInvalidResourceHandle);
    if (!event->reached) return cudaSuccess;  // never recorded: nothing to wait for
    const std::shared_ptr<bool> reached = event->reached;
    const cudaStream_t origin = event->stream;
    return result(device::put(stream, [reached, origin] {
        while (!*reached && step_of(stream_of(origin))) {
        }
    }));
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaEventCreateWithFlags")) return code;
    *event = new CUevent_st;
    events.insert(*event);
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    const Lock lock(mutex);
    if (events.erase(event) == 0) return result(cudaErrorInvalidResourceHandle);
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaEventRecord")) return code;
    if (events.count(event) == 0) return result(cudaErrorInvalidResourceHandle);
    const auto reached = std::make_shared<bool>(false);
    event->reached = reached;
    event->stream = stream;
    return result(device::put(stream, [reached] { *reached = true; }));
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaEventSynchronize")) return code;
    if (events.count(event) == 0) return result(cudaErrorInvalidResourceHandle);
    if (!event->reached || *event->reached) return cudaSuccess;
    finish(event->stream);
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaStreamBeginCapture")) return code;
    if (stream == nullptr) return result(cudaErrorStreamCaptureUnsupported);
    if (streams.count(stream) == 0) return result(cudaErrorInvalidResourceHandle);
    stream->recording = std::make_unique<CUgraph_st>();
    stream->invalid = false;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    const Lock lock(mutex);
    const cudaError_t code = called("cudaStreamEndCapture");
    const std::unique_ptr<CUgraph_st> recording = std::move(stream->recording);
    *graph = nullptr;
    if (code != cudaSuccess) return code;
    if (stream->invalid || !recording) return result(cudaErrorStreamCaptureInvalidated);
    *graph = new CUgraph_st(*recording);
    ++graphs;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaGraphInstantiate")) return code;
    *executable = new CUgraphExec_st{graph->steps};
    ++graphs;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    const Lock lock(mutex);
    if (const cudaError_t code = called("cudaGraphLaunch")) return code;
    for (const Step& step : executable->steps) {
        if (const cudaError_t code = device::put(stream, step)) return result(code);
    }
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    const Lock lock(mutex);
    delete graph;
    --graphs;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    const Lock lock(mutex);
    delete executable;
    --graphs;
    return cudaSuccess;
}
}
