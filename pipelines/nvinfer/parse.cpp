// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Color and type out of a bundle's outputs, for stock nvinfer:
//
//   custom-lib-path=plugin/libnvdsinfer_pamtri.so
//   parse-classifier-func-name=NvDsInferParseCustomPamtri
//
// It needs nothing of DeepStream but nvdsinfer.h. Classes are told by number; nvinfer takes their
// names from the label file, whose lines are colors and types, where the bundle has both.
#include <nvdsinfer.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "most_probable.hpp"

namespace {

const NvDsInferLayerInfo* layer_of(const std::vector<NvDsInferLayerInfo>& layers,
                                   const char* name) {
    for (const NvDsInferLayerInfo& layer : layers)
        if (layer.layerName && std::strcmp(layer.layerName, name) == 0) return &layer;
    return nullptr;
}

bool is_readable(const NvDsInferLayerInfo& layer) {
    if (layer.dataType == FLOAT && layer.buffer && layer.inferDims.numElements > 0) return true;
    std::fprintf(stderr,
                 "pamtri: the output %s is no float32 on the host; build the engine from the "
                 "bundle's model.onnx, and leave disable-output-host-copy out.\n",
                 layer.layerName);
    return false;
}

}  // namespace

/// As nvinfer calls it for every vehicle: NvDsInferClassiferParseCustomFunc.
///
/// @param attributes gets the most probable color and type, where they reach the threshold
/// @param text stays as it is: nvinfer writes the names into it
/// @return false where the outputs are not those of a bundle
extern "C" __attribute__((visibility("default"))) bool NvDsInferParseCustomPamtri(
    std::vector<NvDsInferLayerInfo> const& layers, NvDsInferNetworkInfo const&, float threshold,
    std::vector<NvDsInferAttribute>& attributes, std::string&) {
    unsigned line = 0;  // of the label file
    for (const char* name : {"color", "type"}) {
        const NvDsInferLayerInfo* layer = layer_of(layers, name);
        if (!layer) continue;
        if (!is_readable(*layer)) return false;
        const auto* first = static_cast<const float*>(layer->buffer);
        const std::size_t best =
            pamtri::core::place_of_most_probable(first, layer->inferDims.numElements);
        if (std::isfinite(first[best]) && first[best] >= threshold) {
            NvDsInferAttribute attribute{};
            attribute.attributeIndex = line;
            attribute.attributeValue = static_cast<unsigned>(best);
            attribute.attributeConfidence = first[best];
            attributes.push_back(attribute);
        }
        ++line;
    }
    return true;
}
