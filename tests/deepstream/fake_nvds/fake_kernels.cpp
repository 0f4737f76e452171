// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of launch.hpp that our element uses, on the fake GPU: steps of a stream, made of the
// arithmetic that the real ones are made of.
#include "fake_kernels.hpp"

#include <cuda_runtime_api.h>

#include <vector>

#include "fake_cuda/device.hpp"
#include "launch.hpp"
#include "pamtri/sharpness.hpp"

namespace kernels {

std::function<void(pamtri::cuda::CropOptions&)>& fault() {
    static std::function<void(pamtri::cuda::CropOptions&)> one;
    return one;
}

}  // namespace kernels

namespace pamtri::cuda {

namespace {

CropSource source_of(const Crop& crop, int size) {
    return {crop.surface,
            crop.x,
            crop.y,
            crop.width,
            crop.height,
            scale_of(size, crop.width),
            scale_of(size, crop.height)};
}

template <int Form>
void cut(const Crop& crop, const CropOptions& options, unsigned char* out) {
    const CropSource source = source_of(crop, options.size);
    const ConversionRule rule = conversion_rule(options.conversion);
    const int plane = options.size * options.size;
    unsigned char* red = options.swap_channels ? out + 2 * plane : out;
    unsigned char* blue = options.swap_channels ? out : out + 2 * plane;
    for (int y = 0; y < options.size; ++y) {
        const Tap row = tap_at(y, source.scale_y, source.height, false);
        for (int x = 0; x < options.size; ++x) {
            const Tap column = tap_at(x, source.scale_x, source.width, true);
            const Rgb pixel = resized_pixel<Form>(source, rule, row, column);
            const int at = y * options.size + x;
            red[at] = static_cast<unsigned char>(pixel.red);
            out[plane + at] = static_cast<unsigned char>(pixel.green);
            blue[at] = static_cast<unsigned char>(pixel.blue);
        }
    }
}

template <int Form>
double measured(const Crop& crop, const CropOptions& options) {
    const CropSource source = source_of(crop, kSharpnessSide);
    const ConversionRule rule = conversion_rule(options.conversion);
    unsigned char gray[kSharpnessSide * kSharpnessSide];
    for (int y = 0; y < kSharpnessSide; ++y)
        for (int x = 0; x < kSharpnessSide; ++x)
            gray[y * kSharpnessSide + x] =
                small_gray<Form>(source, rule, options.swap_channels, x, y);
    Moments sums{};
    for (int y = 0; y < kSharpnessSide; ++y)
        for (int x = 0; x < kSharpnessSide; ++x) add_pixel(sums, gray, x, y);
    return sharpness_of(sums);
}

}  // namespace

cudaError_t crop(const Crop* crops, int count, const CropOptions& wanted, void* out,
                 cudaStream_t stream) {
    CropOptions options = wanted;
    if (kernels::fault()) kernels::fault()(options);
    if (options.layout != kPitchLinear || options.type != Type::kByte) return cudaErrorInvalidValue;
    device::note("crop " + std::to_string(count));
    return device::put(stream, [all = std::vector<Crop>(crops, crops + count), options, out] {
        auto* picture = static_cast<unsigned char*>(out);
        for (const Crop& one : all) {
            if (options.form == kNv12Sited)
                cut<kNv12Sited>(one, options, picture);
            else if (options.form == kRgba)
                cut<kRgba>(one, options, picture);
            else
                cut<kRgb>(one, options, picture);
            picture += 3 * options.size * options.size;
        }
    });
}

cudaError_t sharpness(const Crop* crops, int count, const CropOptions& options, double* out,
                      cudaStream_t stream) {
    if (options.layout != kPitchLinear) return cudaErrorInvalidValue;
    device::note("sharpness " + std::to_string(count));
    return device::put(stream, [all = std::vector<Crop>(crops, crops + count), options, out] {
        double* to = out;
        for (const Crop& one : all)
            *to++ = options.form == kNv12Sited ? measured<kNv12Sited>(one, options)
                    : options.form == kRgba    ? measured<kRgba>(one, options)
                                               : measured<kRgb>(one, options);
    });
}

cudaError_t widen(const unsigned char* const* pictures, int count, int values, float* out,
                  cudaStream_t stream) {
    using Pictures = std::vector<const unsigned char*>;
    return device::put(stream, [all = Pictures(pictures, pictures + count), values, out] {
        float* to = out;
        for (const unsigned char* one : all)
            for (int i = 0; i < values; ++i) *to++ = static_cast<float>(one[i]);
    });
}

}  // namespace pamtri::cuda
