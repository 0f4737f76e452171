// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <set>

#include "errors.hpp"
#include "properties.hpp"
#include "texts.hpp"
#include "utc.hpp"

namespace pamtri::gst {

namespace {

enum {
    kBundle = 1,
    kDevice,
    kThreads,
    kCamera,
    kClasses,
    kStartUtc,
    kCropRule,
    kAttachTo,
    kSync,
    kPostMessages,
    kMinSide,
    kMaxViews,
    kReinferInterval,
    kReinferOverlap,
    kBatch,
    kLongestWait,
    kExpiry,
    kMinFrames,
    kMaxTracks,
    kMaxWaiting,
    kBudget,
    kDumpDir,
    kDumpCount,
    kBuildEngine,
    kStats,
};

/// Plugins that are loaded side by side share the types of their properties.
GType enum_type(const char* name, const GEnumValue* values) {
    const GType known = g_type_from_name(name);
    return known ? known : g_enum_register_static(name, values);
}

/// Installs properties on a class, but for some.
struct Installer {
    GObjectClass* object;
    const std::set<std::string>& but;

    void add(guint id, GParamSpec* spec) const {
        if (but.count(g_param_spec_get_name(spec)))
            g_param_spec_unref(g_param_spec_ref_sink(spec));
        else
            g_object_class_install_property(object, id, spec);
    }
};

GType crop_rule_type() {
    static const GEnumValue values[] = {
        {0, "the box clipped to the frame and rounded outward, as pamtri run cuts", "exact"},
        {1, "as DeepStream's nvinfer: left and top up to even, sides down to even", "nvinfer"},
        {0, nullptr, nullptr}};
    static const GType type = enum_type("PamtriCropRule", values);
    return type;
}

GType attach_type() {
    static const GFlagsValue values[] = {
        {kAttachMeta, "PamtriVehicleMeta, which pamtri_edge.gst reads", "meta"},
        {kAttachRegion, "a parameter named pamtri of each region of interest", "region"},
        {kAttachAnalytics,
         "GstAnalytics: classifications, and since 1.28 the embedding, related to each detection; "
         "where the plugin was built with GStreamer 1.24 or later",
         "analytics"},
        {0, nullptr, nullptr}};
    static const GType known = g_type_from_name("PamtriAttachTo");
    static const GType type = known ? known : g_flags_register_static("PamtriAttachTo", values);
    return type;
}

void text(const Installer& object, guint id, const char* name, const char* nick, const char* blurb,
          const std::string& standard) {
    object.add(id, g_param_spec_string(name, nick, blurb,
                                       standard.empty() ? nullptr : standard.c_str(), kReady));
}

void whole(const Installer& object, guint id, const char* name, const char* nick, const char* blurb,
           gint least, gint most, gint standard) {
    object.add(id, g_param_spec_int(name, nick, blurb, least, most, standard, kReady));
}

void number(const Installer& object, guint id, const char* name, const char* nick,
            const char* blurb, guint least, guint most, guint standard) {
    object.add(id, g_param_spec_uint(name, nick, blurb, least, most, standard, kReady));
}

const Members<Settings> kMembers = {
    {kBundle, &Settings::bundle},
    {kDevice, &Settings::device},
    {kThreads, &Settings::threads},
    {kCamera, &Settings::camera},
    {kClasses, &Settings::classes},
    {kStartUtc, &Settings::start_utc},
    {kCropRule, &Settings::crop_rule},
    {kAttachTo, &Settings::attach_to},
    {kSync, &Settings::sync},
    {kPostMessages, &Settings::post_messages},
    {kMinSide, &Settings::min_side},
    {kMaxViews, &Settings::max_views},
    {kReinferInterval, &Settings::reinfer_interval},
    {kReinferOverlap, &Settings::reinfer_overlap},
    {kBatch, &Settings::batch},
    {kLongestWait, &Settings::longest_wait_ms},
    {kExpiry, &Settings::expiry_ms},
    {kMinFrames, &Settings::min_frames},
    {kMaxTracks, &Settings::max_tracks},
    {kMaxWaiting, &Settings::max_waiting},
    {kBudget, &Settings::budget},
    {kDumpDir, &Settings::dump_dir},
    {kDumpCount, &Settings::dump_count},
    {kBuildEngine, &Settings::build_engine},
};

}  // namespace

Settings::Settings() {
    const core::GateSpec gate;
    min_side = gate.min_side;
    max_views = gate.max_views;
    reinfer_interval = gate.reinfer_interval;
    reinfer_overlap = gate.reinfer_overlap;
}

void Settings::check() const {
    if (bundle.empty())
        throw core::InputError(
            "The property bundle is not set; give a folder NAME.pamtri, as pamtri-export writes "
            "it.");
    journal_spec(true);
}

engines::NetworkOptions Settings::network_options() const {
    engines::NetworkOptions options;
    options.device = device;
    options.threads = threads;
    options.build = build_engine == TRUE;
    return options;
}

JournalSpec Settings::journal_spec(bool trained) const {
    JournalSpec spec;
    spec.tracks.gate.min_side = min_side;
    spec.tracks.gate.max_views = max_views;
    spec.tracks.gate.reinfer_interval = reinfer_interval;
    spec.tracks.gate.reinfer_overlap = reinfer_overlap;
    spec.tracks.trained = trained;
    spec.tracks.batch = batch;
    spec.tracks.longest_wait_s = longest_wait_ms / 1000.0;
    spec.tracks.expiry_s = expiry_ms / 1000.0;
    spec.tracks.least_frames = min_frames;
    spec.tracks.most_tracks = max_tracks;
    spec.rule = crop_rule ? core::CropRule::kNvinfer : core::CropRule::kExact;
    spec.most_waiting = max_waiting;
    spec.budget = budget;
    spec.camera = camera;
    if (!start_utc.empty()) {
        spec.start = core::moment_of(start_utc);
        if (!spec.start)
            throw core::InputError("start-utc is '" + start_utc +
                                   "', which is no date and time; expected such as "
                                   "2026-05-31T08:00:00Z.");
    }
    return spec;
}

std::vector<std::string> Settings::class_list() const { return listed_names(classes); }

std::shared_ptr<Dump> Settings::new_dump() const {
    return dump_dir.empty() ? nullptr : std::make_shared<Dump>(dump_dir, dump_count);
}

void install_settings(GObjectClass* type, const std::set<std::string>& but) {
    const Settings s;
    const Installer object{type, but};
    text(object, kBundle, "bundle", "Bundle",
         "The network: a folder NAME.pamtri, as pamtri-export writes it. Elements with the same "
         "bundle, device and threads share one engine",
         s.bundle);
    text(object, kDevice, "device", "Device", "Where it runs: auto, cpu, cuda or cuda:N", s.device);
    whole(object, kThreads, "threads", "Threads",
          "Threads of the CPU for the network; 0 for all that the process may use", 0, 1024,
          s.threads);
    text(object, kCamera, "camera", "Camera", "Name of the camera in the events", s.camera);
    text(object, kClasses, "classes", "Classes",
         "Types of regions that are vehicles, with commas, such as car,truck,bus; empty for all",
         s.classes);
    text(
        object, kStartUtc, "start-utc", "Start",
        "Moment of the first frame, such as 2026-05-31T08:00:00Z: events then tell the time of day",
        s.start_utc);
    object.add(kCropRule,
               g_param_spec_enum("crop-rule", "Crop rule", "How boxes become whole pixels",
                                 crop_rule_type(), s.crop_rule, kReady));
    object.add(kAttachTo, g_param_spec_flags("attach-to", "Attach to",
                                             "Where each frame tells what is known of its vehicles",
                                             attach_type(), s.attach_to, kReady));
    object.add(kSync, g_param_spec_boolean(
                          "sync", "Synchronous",
                          "Wait for the network on each frame: the same input always gives the "
                          "same output, as for files. Otherwise no frame waits, and what comes "
                          "too late for the network is left out and counted",
                          s.sync, kReady));
    object.add(kPostMessages, g_param_spec_boolean(
                                  "post-messages", "Post messages",
                                  "Post each event on the bus, as an element message pamtri-event",
                                  s.post_messages, kReady));
    whole(object, kMinSide, "min-side", "Least side",
          "Pixels that the shorter side of a good view has", 1, 4096, s.min_side);
    whole(object, kMaxViews, "max-views", "Most views", "Views embedded of a track at most", 1,
          1000, s.max_views);
    whole(
        object, kReinferInterval, "reinfer-interval", "Re-inference interval",
        "Frames of a track from one embedded view to the next, and more the longer it is seen; 0: "
        "only where a view is clearly better than those before",
        0, 100000, s.reinfer_interval);
    object.add(kReinferOverlap,
               g_param_spec_double(
                   "reinfer-overlap", "Re-inference overlap",
                   "A vehicle whose box overlaps that of its last embedded view by more than this "
                   "(intersection over union) stands, and is embedded again when it moves. 1: in "
                   "its turn, too",
                   0, 1, s.reinfer_overlap, kReady));
    number(object, kBatch, "batch", "Batch", "Views embedded at a time", 1, 256, s.batch);
    number(object, kLongestWait, "max-wait", "Longest wait",
           "Milliseconds that a view waits for others to fill a batch", 0, 60000,
           s.longest_wait_ms);
    number(object, kExpiry, "expiry", "Expiry",
           "A track unseen for so many milliseconds has ended; its id may then be another's. 0: it "
           "ends with the stream",
           0, 3600000, s.expiry_ms);
    number(object, kMinFrames, "min-frames", "Least frames",
           "A track seen in fewer frames is dropped", 1, 100000, s.min_frames);
    number(object, kMaxTracks, "max-tracks", "Most tracks",
           "Tracks kept at a time; the one unseen for longest makes room. 0 for any number", 0,
           1000000, s.max_tracks);
    number(object, kMaxWaiting, "max-waiting", "Most waiting",
           "Views that wait for the network at most; with more, sightings are left out and counted",
           1, 100000, s.max_waiting);
    number(object, kBudget, "budget", "Budget",
           "Views embedded a second of the stream at most, over all tracks; 0 for any number", 0,
           100000, s.budget);
    text(object, kDumpDir, "dump-dir", "Dump folder",
         "Write embedded views there, as they lay in the frame, as the network got them, and what "
         "it said: pamtri verify BUNDLE --against-deepstream FOLDER names what is wrong with them",
         s.dump_dir);
    number(object, kDumpCount, "dump-count", "Dumped views",
           "Views written to dump-dir at most, about 1 MB each", 1, 100000, s.dump_count);
    object.add(kBuildEngine,
               g_param_spec_boolean(
                   "build-engine", "Build engine",
                   "Build a TensorRT engine where there is none for this GPU, once, in minutes; it "
                   "is kept in the bundle's folder engines, else in the user's cache. Frames pass "
                   "as they are meanwhile, unless sync is set; the bus is told how far it is. "
                   "Otherwise an engine that is missing is an error",
                   s.build_engine, kReady));
    object.add(kStats, g_param_spec_boxed(
                           "stats", "Statistics",
                           "What happened so far: frames, sightings, embedded, late, repeated, "
                           "events, short, unseen, unfinished",
                           GST_TYPE_STRUCTURE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

bool set_setting(Settings* settings, guint id, const GValue* value) {
    return set_member(kMembers, settings, id, value);
}

bool get_setting(const Settings& settings, guint id, GValue* value) {
    return get_member(kMembers, settings, id, value);
}

guint stats_setting() { return kStats; }

}  // namespace pamtri::gst
