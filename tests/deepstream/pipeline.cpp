// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

#include <gstnvdsmeta.h>

#include <utility>

#include "elements.hpp"
#include "nvpamtri_element.hpp"

namespace test {

void initialize() {
    static const bool ready = [] {
        gst_init(nullptr, nullptr);
        return pamtri::deepstream::register_element(nullptr) &&
               pamtri::gst::register_elements(nullptr);
    }();
    EXPECT(ready);
}

std::string caps_of(const Form& form) {
    const bool rgba = form.format == NVBUF_COLOR_FORMAT_RGBA;
    return std::string("video/x-raw(memory:NVMM), format=") + (rgba ? "RGBA" : "NV12") +
           ", width=" + std::to_string(form.width) + ", height=" + std::to_string(form.height) +
           ", framerate=25/1";
}

Buffer buffer_of(Batch batch, NvBufSurface* surfaces) {
    Buffer buffer(gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, surfaces,
                                              sizeof(NvBufSurface), 0, sizeof(NvBufSurface),
                                              nullptr, nullptr));
    NvDsMeta* meta =
        gst_buffer_add_nvds_meta(buffer.get(), batch.release(), nullptr, nvds_batch_meta_copy_func,
                                 nvds_batch_meta_release_func);
    meta->meta_type = NVDS_BATCH_GST_META;
    return buffer;
}

const NvDsBatchMeta* batch_of(const Buffer& buffer) {
    return gst_buffer_get_nvds_batch_meta(buffer.get());
}

Pipeline::Pipeline(const std::string& launch, const Form& form) : Line(launch, caps_of(form)) {}

GstFlowReturn Pipeline::push(Batch batch, NvBufSurface* surfaces, Buffer* kept) {
    Buffer buffer = buffer_of(std::move(batch), surfaces);
    if (kept) kept->reset(gst_buffer_ref(buffer.get()));
    return gst_harness_push(harness(), buffer.release());
}

Buffer Pipeline::through(Batch batch, NvBufSurface* surfaces) {
    const GstFlowReturn flow = push(std::move(batch), surfaces);
    if (flow != GST_FLOW_OK) fail(__FILE__, __LINE__, "nothing comes out: " + errors());
    return Buffer(gst_harness_pull(harness()));
}

}  // namespace test
