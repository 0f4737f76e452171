// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detect_settings.hpp"

#include "errors.hpp"
#include "properties.hpp"
#include "texts.hpp"

namespace pamtri::gst {

namespace {

enum { kDetector = 1, kClasses, kConfidence, kOverlap, kInterval, kDevice, kThreads };

const Members<DetectSettings> kMembers = {
    {kDetector, &DetectSettings::detector},     {kClasses, &DetectSettings::classes},
    {kConfidence, &DetectSettings::confidence}, {kOverlap, &DetectSettings::overlap},
    {kInterval, &DetectSettings::interval},     {kDevice, &DetectSettings::device},
    {kThreads, &DetectSettings::threads},
};

std::string folded(const std::string& text) {
    gchar* made = g_utf8_casefold(text.c_str(), static_cast<gssize>(text.size()));
    std::string kept = made;
    g_free(made);
    return kept;
}

/// Sentences name the option of `pamtri run`; here it is a property.
std::string in_properties(std::string sentence) {
    static const std::string option = "--classes";
    for (std::size_t at = sentence.find(option); at != std::string::npos;
         at = sentence.find(option, at))
        sentence.replace(at, option.size(), "the property classes");
    return sentence;
}

}  // namespace

void install_detect_settings(GObjectClass* object) {
    const DetectSettings s;
    const auto add = [object](guint id, GParamSpec* spec) {
        g_object_class_install_property(object, id, spec);
    };
    add(kDetector,
        g_param_spec_string(
            "detector", "Detector",
            "The network: NAME.onnx, of any layout that 'pamtri run --detector' takes, with "
            "NAME.detector.json beside it, which 'pamtri detector describe NAME.onnx' writes; or "
            "that description itself",
            nullptr, kReady));
    add(kClasses, g_param_spec_string("classes", "Classes",
                                      "Classes wanted, names or numbers with commas such as "
                                      "car,truck,bus, or all; empty for cars, buses, trucks and "
                                      "the like",
                                      nullptr, kReady));
    add(kConfidence, g_param_spec_double("confidence", "Confidence",
                                         "Lowest score of a detection, as 'pamtri run "
                                         "--confidence' has it",
                                         0, 1, s.confidence, kPlaying));
    add(kOverlap, g_param_spec_double("overlap", "Overlap",
                                      "Two boxes with a higher intersection over union are one "
                                      "vehicle, whatever their classes: the surer one stays",
                                      0, 1, s.overlap, kPlaying));
    add(kInterval, g_param_spec_uint("interval", "Interval",
                                     "Look at every so many frames: 1 for each, 5 for the first, "
                                     "sixth, eleventh; the others pass without regions, for a "
                                     "tracker to fill",
                                     1, 100000, s.interval, kPlaying));
    add(kDevice,
        g_param_spec_string("device", "Device",
                            "Where the network runs: auto or cpu, which are the same today",
                            s.device.c_str(), kReady));
    add(kThreads, g_param_spec_int("threads", "Threads",
                                   "Threads of the CPU for the network; 0 for all that the process "
                                   "may use",
                                   0, 1024, s.threads, kReady));
}

bool set_setting(DetectSettings* settings, guint id, const GValue* value) {
    return set_member(kMembers, settings, id, value);
}

bool get_setting(const DetectSettings& settings, guint id, GValue* value) {
    return get_member(kMembers, settings, id, value);
}

std::unique_ptr<engines::Detector> open_detector(const DetectSettings& settings) {
    if (settings.detector.empty())
        throw core::InputError(
            "The property detector is not set; give a network, NAME.onnx, beside the "
            "NAME.detector.json that 'pamtri detector describe NAME.onnx' writes.");
    if (settings.device != "auto" && settings.device != "cpu")
        throw core::InputError("device is '" + settings.device +
                               "'; accepted: 'auto', 'cpu': OpenVINO runs detectors on the CPU.");
    engines::ClassWish wish{std::nullopt, folded};
    if (!settings.classes.empty()) wish.asked = listed_names(settings.classes);
    try {
        return engines::Detector::open(settings.detector, wish, settings.threads);
    } catch (const core::InputError& error) {
        throw core::InputError(in_properties(error.what()));
    }
}

}  // namespace pamtri::gst
