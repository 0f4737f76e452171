// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>

#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "engine.hpp"

namespace pamtri::engines {

using Log = std::function<void(LogLevel, const std::string&)>;

/// Passes on what TensorRT has to say, and keeps its complaints: its functions return only false or
/// null, and why is told here alone.
class TensorRtLog : public nvinfer1::ILogger {
  public:
    explicit TensorRtLog(Log log) : log_(std::move(log)) {}

    void log(Severity severity, nvinfer1::AsciiChar const* text) noexcept override {
        try {
            const LogLevel level = level_of(severity);
            if (level == LogLevel::kError) {
                const std::lock_guard<std::mutex> lock(mutex_);
                complaints_ += (complaints_.empty() ? "" : "; ") + std::string(text);
            }
            if (log_) log_(level, text);
        } catch (...) {
            // TensorRT calls this from its middle and takes no exception. What is lost is one line
            // of a log, to a caller's function that throws or to memory that has run out.
        }
    }

    /// What TensorRT complained of since this was last asked, as ": ..." or "".
    std::string complaints() {
        const std::lock_guard<std::mutex> lock(mutex_);
        const std::string text = complaints_.empty() ? "" : ": " + complaints_;
        complaints_.clear();
        return text;
    }

  private:
    static LogLevel level_of(Severity severity) {
        switch (severity) {
            case Severity::kINTERNAL_ERROR:
            case Severity::kERROR:
                return LogLevel::kError;
            case Severity::kWARNING:
                return LogLevel::kWarning;
            case Severity::kINFO:
                return LogLevel::kInfo;
            case Severity::kVERBOSE:
                break;
        }
        return LogLevel::kDebug;
    }

    Log log_;
    std::mutex mutex_;
    std::string complaints_;
};

}  // namespace pamtri::engines
