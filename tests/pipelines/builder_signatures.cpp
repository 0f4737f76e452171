// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What pipelines/engines relies on of TensorRT's builder and parser; see signatures.cpp.
#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <type_traits>

#include "signature_checks.hpp"

namespace {

using namespace nvinfer1;
using test::is;
using test::value;

using Network = INetworkDefinition;
static_assert(is<Network* (IBuilder::*)(NetworkDefinitionCreationFlags) noexcept>(
    &IBuilder::createNetworkV2));
static_assert(is<IBuilderConfig* (IBuilder::*)() noexcept>(&IBuilder::createBuilderConfig));
static_assert(
    is<IOptimizationProfile* (IBuilder::*)() noexcept>(&IBuilder::createOptimizationProfile));
static_assert(is<IBuilder* (*)(ILogger&) noexcept>(&createInferBuilder));

static_assert(is<int32_t (Network::*)() const noexcept>(&Network::getNbLayers));
static_assert(is<ILayer* (Network::*)(int32_t) const noexcept>(&Network::getLayer));
static_assert(is<int32_t (Network::*)() const noexcept>(&Network::getNbInputs));
static_assert(is<ITensor* (Network::*)(int32_t) const noexcept>(&Network::getInput));
static_assert(is<LayerType (ILayer::*)() const noexcept>(&ILayer::getType));
static_assert(is<ITensor* (ILayer::*)(int32_t) const noexcept>(&ILayer::getInput));
static_assert(is<char const* (ITensor::*)() const noexcept>(&ITensor::getName));
static_assert(is<Dims (ITensor::*)() const noexcept>(&ITensor::getDimensions));
static_assert(is<DataType (ITensor::*)() const noexcept>(&ITensor::getType));

using Config = IBuilderConfig;
static_assert(is<void (Config::*)(BuilderFlag) noexcept>(&Config::clearFlag));
static_assert(
    is<void (Config::*)(MemoryPoolType, std::size_t) noexcept>(&Config::setMemoryPoolLimit));
static_assert(
    is<int32_t (Config::*)(IOptimizationProfile const*) noexcept>(&Config::addOptimizationProfile));
static_assert(is<ITimingCache* (Config::*)(void const*, std::size_t) const noexcept>(
    &Config::createTimingCache));
static_assert(is<bool (Config::*)(ITimingCache const&, bool) noexcept>(&Config::setTimingCache));
static_assert(is<void (Config::*)(IProgressMonitor*) noexcept>(&Config::setProgressMonitor));
static_assert(is<IHostMemory* (ITimingCache::*)() const noexcept>(&ITimingCache::serialize));
static_assert(is<void* (IHostMemory::*)() const noexcept>(&IHostMemory::data));
static_assert(is<std::size_t (IHostMemory::*)() const noexcept>(&IHostMemory::size));

using Progress = IProgressMonitor;
static_assert(
    is<void (Progress::*)(char const*, char const*, int32_t) noexcept>(&Progress::phaseStart));
static_assert(is<bool (Progress::*)(char const*, int32_t) noexcept>(&Progress::stepComplete));
static_assert(is<void (Progress::*)(char const*) noexcept>(&Progress::phaseFinish));

using Parser = nvonnxparser::IParser;
using ParserError = nvonnxparser::IParserError;
static_assert(is<bool (Parser::*)(void const*, std::size_t, const char*) noexcept>(&Parser::parse));
static_assert(is<int (Parser::*)() const noexcept>(&Parser::getNbErrors));
static_assert(is<ParserError const* (Parser::*)(int) const noexcept>(&Parser::getError));
static_assert(is<char const* (ParserError::*)() const>(&ParserError::desc));
static_assert(is<char const* (ParserError::*)() const>(&ParserError::file));
static_assert(is<int (ParserError::*)() const>(&ParserError::line));
static_assert(is<int (ParserError::*)() const>(&ParserError::node));
static_assert(is<char const* (ParserError::*)() const>(&ParserError::nodeName));
static_assert(is<char const* (ParserError::*)() const>(&ParserError::nodeOperator));
static_assert(is<Parser* (*)(Network&, ILogger&) noexcept>(&nvonnxparser::createParser));

// Objects of the library are given back with delete.
static_assert(std::has_virtual_destructor_v<IBuilder> && std::has_virtual_destructor_v<Network> &&
              std::has_virtual_destructor_v<Config> &&
              std::has_virtual_destructor_v<ITimingCache> &&
              std::has_virtual_destructor_v<IHostMemory> && std::has_virtual_destructor_v<Parser>);

static_assert(value(LayerType::kCONVOLUTION) == 0 && value(LayerType::kDEQUANTIZE) == 33);
static_assert(value(MemoryPoolType::kWORKSPACE) == 0);
#if NV_TENSORRT_MAJOR == 10
static_assert(value(BuilderFlag::kTF32) == 6);
static_assert(value(NetworkDefinitionCreationFlag::kSTRONGLY_TYPED) == 1);
#endif

}  // namespace
