// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "engine_messages.hpp"

#include <utility>

#include "networks.hpp"

namespace pamtri::gst {

namespace {

constexpr const char* kCode = "pamtri-engine";

void tell(GstElement* element, GstProgressType type, const std::string& text) {
    gst_element_post_message(
        element, gst_message_new_progress(GST_OBJECT(element), type, kCode, text.c_str()));
}

/// Tells how far a build is, whenever a percent more is done.
class Percents {
  public:
    Percents(GstElement* element, std::string bundle)
        : element_(element), bundle_(std::move(bundle)) {}

    void operator()(const engines::BuildProgress& progress) {
        const int percent = static_cast<int>(progress.share * 100);
        if (percent <= told_) return;
        told_ = percent;
        gst_element_post_message(
            element_,
            gst_message_new_element(
                GST_OBJECT(element_),
                gst_structure_new(kCode, "bundle", G_TYPE_STRING, bundle_.c_str(), "phase",
                                  G_TYPE_STRING, progress.phase.c_str(), "done", G_TYPE_INT,
                                  progress.done, "total", G_TYPE_INT, progress.all, "percent",
                                  G_TYPE_DOUBLE, 100 * progress.share, nullptr)));
        tell(element_, GST_PROGRESS_TYPE_CONTINUE,
             "Building the engine of " + bundle_ + ": " + std::to_string(percent) + " % (" +
                 progress.phase + ")");
    }

  private:
    GstElement* const element_;
    const std::string bundle_;
    int told_ = -1;
};

}  // namespace

std::unique_ptr<Loader> begin_loading(GstElement* element, const std::string& bundle,
                                      const std::string& place,
                                      const engines::NetworkOptions& options, bool beside) {
    tell(element, GST_PROGRESS_TYPE_START, "Loading " + bundle + " on " + place);
    Loader::Listener listener;
    listener.builds = [percents = std::make_shared<Percents>(element, bundle)](
                          const engines::BuildProgress& progress) { (*percents)(progress); };
    listener.warns = [element](const std::string& text) {
        GST_ELEMENT_WARNING(element, RESOURCE, SETTINGS, ("%s", text.c_str()), (nullptr));
    };
    listener.loaded = [element, bundle, place](const engines::Network& network) {
        tell(element, GST_PROGRESS_TYPE_COMPLETE,
             bundle + " runs on " + place + " (" + network.backend() + ", " + network.arithmetic() +
                 ")");
    };
    listener.failed = [element](const std::string& fault) {
        tell(element, GST_PROGRESS_TYPE_ERROR, fault);
        GST_ELEMENT_ERROR(element, RESOURCE, OPEN_READ, ("%s", fault.c_str()), (nullptr));
    };
    listener.cancelled = [element, bundle] {
        tell(element, GST_PROGRESS_TYPE_CANCELED,
             "The engine of " + bundle + " is not built, for the element was stopped");
    };
    return std::make_unique<Loader>(
        [bundle, options](const engines::BuildWatch& watch) {
            engines::NetworkOptions watched = options;
            watched.watch = watch;
            return shared_network(bundle, watched);
        },
        std::move(listener), beside);
}

}  // namespace pamtri::gst
