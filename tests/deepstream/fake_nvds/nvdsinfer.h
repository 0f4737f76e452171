// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Of DeepStream's nvdsinfer.h what a parser of outputs needs.
#pragma once

enum NvDsInferDataType { FLOAT, HALF, INT8, INT32, INT64, UINT8 };

struct NvDsInferDims {
    unsigned int numDims, d[8], numElements;
};

struct NvDsInferLayerInfo {
    NvDsInferDataType dataType;
    NvDsInferDims inferDims;
    int bindingIndex;
    const char* layerName;
    void* buffer;
    int isInput;
};

struct NvDsInferNetworkInfo {
    unsigned int width, height, channels;
};

struct NvDsInferAttribute {
    unsigned int attributeIndex, attributeValue;
    float attributeConfidence;
    char* attributeLabel;
};
