// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the element have in common.
#pragma once

#include <string>

#include "pipeline.hpp"

namespace test {

inline const std::string kSync = "nvpamtri bundle=fake sync=true min-side=8 ";
inline const Form kFrames{
    NVBUF_COLOR_FORMAT_NV12_709, NVBUF_MEM_CUDA_DEVICE, NVBUF_LAYOUT_PITCH, 96, 64, 0};
inline const pamtri::core::Box kLeft{4, 8, 40, 50}, kRight{50, 8, 90, 50};

/// Surfaces of a batch, painted.
inline Surfaces painted(unsigned count, const Form& form = kFrames) {
    Surfaces surfaces = new_surfaces(count, form);
    for (unsigned i = 0; i < count; ++i) Painted(form, i).put(surfaces.get(), i);
    return surfaces;
}

/// A batch with one vehicle on one frame of a source.
inline Batch with_vehicle(int number, guint64 id = 7, const pamtri::core::Box& box = kLeft,
                          unsigned source = 0) {
    Batch batch = new_batch();
    add_object(add_frame(batch.get(), source, number), id, box);
    return batch;
}

inline const NvDsObjectMeta* object_in(const Buffer& buffer, std::size_t frame = 0,
                                       std::size_t object = 0) {
    return objects_of(frames_of(batch_of(buffer)).at(frame)).at(object);
}

}  // namespace test
