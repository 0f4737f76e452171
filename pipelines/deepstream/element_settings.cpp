// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "element_settings.hpp"

#include <algorithm>
#include <sstream>

#include "errors.hpp"
#include "properties.hpp"

namespace pamtri::deepstream {

namespace {

enum { kGpuId = 1, kUniqueId, kOperateOn, kReidMeta, kMessages, kText, kConfigFile };

const gst::Members<Settings> kMembers = {
    {kGpuId, &Settings::gpu_id},
    {kUniqueId, &Settings::unique_id},
    {kOperateOn, &Settings::operate_on_gie_id},
    {kReidMeta, &Settings::reid_meta},
    {kMessages, &Settings::messages},
    {kText, &Settings::display_text},
    {kConfigFile, &Settings::config_file},
};

/// Ours have the numbers behind those of pamtri.
guint own(guint id) { return id - gst::stats_setting(); }

GType reid_type() {
    static const GEnumValue values[] = {
        {static_cast<int>(ReidMeta::kReplace), "ours in the place of the tracker's", "replace"},
        {static_cast<int>(ReidMeta::kKeep), "ours where the tracker has none", "keep"},
        {static_cast<int>(ReidMeta::kOff), "none of ours", "off"},
        {0, nullptr, nullptr}};
    static const GType type = g_enum_register_static("NvPamtriReidMeta", values);
    return type;
}

GType messages_type() {
    static const GEnumValue values[] = {
        {static_cast<int>(Messages::kOff), "none", "off"},
        {static_cast<int>(Messages::kChanges), "when more is known of a vehicle", "changes"},
        {static_cast<int>(Messages::kFrames), "of each known vehicle on each frame", "frames"},
        {0, nullptr, nullptr}};
    static const GType type = g_enum_register_static("NvPamtriMessages", values);
    return type;
}

bool is_number(const std::string& text) {
    return !text.empty() && text.size() < 9 &&
           text.find_first_not_of("0123456789") == std::string::npos;
}

std::string keys_of(GObjectClass* type) {
    guint count = 0;
    GParamSpec** specs = g_object_class_list_properties(type, &count);
    std::string names;
    for (guint i = 0; i < count; ++i) {
        if (!(specs[i]->flags & GST_PARAM_MUTABLE_READY)) continue;  // not those of GStreamer
        names += (names.empty() ? "" : ", ") + std::string(specs[i]->name);
    }
    g_free(specs);
    return names;
}

/// Set one property by its text.
void set_by_text(GObject* element, const std::string& key, const std::string& text,
                 const std::string& path) {
    GObjectClass* type = G_OBJECT_GET_CLASS(element);
    GParamSpec* spec = g_object_class_find_property(type, key.c_str());
    if (!spec || !(spec->flags & GST_PARAM_MUTABLE_READY) || key == "config-file")
        throw core::InputError(path + " has the key '" + key +
                               "', which is no property; there are: " + keys_of(type) + ".");
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec->value_type);
    bool read = true;
    if (spec->value_type == G_TYPE_STRING)
        g_value_set_string(&value, text.c_str());
    else
        read = gst_value_deserialize_with_pspec(&value, text.c_str(), spec);
    const bool fits = read && !g_param_value_validate(spec, &value);
    if (fits) g_object_set_property(element, key.c_str(), &value);
    g_value_unset(&value);
    if (!fits)
        throw core::InputError(path + " has " + key + "=" + text +
                               ", which the property does not take; gst-inspect-1.0 nvpamtri "
                               "says what it takes.");
}

/// What the source of a frame is called; null for nothing, and where a release of DeepStream has no
/// such field.
template <typename Frame>
auto sensor_of(const Frame& frame, int) -> decltype(frame.sensorInfo_meta.sensor_name) {
    for (const gchar* known : {frame.sensorInfo_meta.sensor_name, frame.sensorInfo_meta.sensor_id})
        if (known && *known) return known;
    return nullptr;
}
template <typename Frame>
const gchar* sensor_of(const Frame&, long) {
    return nullptr;
}

}  // namespace

engines::NetworkOptions Settings::network_options() const {
    engines::NetworkOptions options;
    options.device = "cuda:" + std::to_string(gpu_id);
    options.backend = "tensorrt";
    options.build = common.build_engine == TRUE;
    return options;
}

AttachSpec Settings::attach_spec() const {
    return {static_cast<int>(unique_id), static_cast<ReidMeta>(reid_meta), display_text == TRUE};
}

std::string Settings::camera_of(const NvDsFrameMeta* frame) const {
    std::vector<std::string> names;
    std::istringstream rest(common.camera);
    for (std::string name; std::getline(rest, name, ',');) names.push_back(name);
    const bool chosen = common.camera != gst::Settings().camera;
    const guint pad = frame->pad_index;
    if (chosen && pad < names.size() && !names[pad].empty()) return names[pad];
    if (const gchar* sensor = sensor_of(*frame, 0)) return sensor;
    const std::string first = names.empty() ? "" : names.front();
    return pad == 0 ? first : first + "-" + std::to_string(pad);
}

bool Settings::wants(const NvDsObjectMeta* object) const {
    if (operate_on_gie_id >= 0 && object->unique_component_id != operate_on_gie_id) return false;
    const std::vector<std::string> classes = common.class_list();
    if (classes.empty()) return true;
    const std::string label = label_of(object);
    return std::any_of(classes.begin(), classes.end(), [&](const std::string& wanted) {
        return wanted == label || (is_number(wanted) && std::stoi(wanted) == object->class_id);
    });
}

void install_settings(GObjectClass* object) {
    gst::install_settings(object, {"device", "threads", "attach-to"});
    const Settings s;
    const guint first = gst::stats_setting();
    const auto add = [object, first](guint id, GParamSpec* spec) {
        g_object_class_install_property(object, first + id, spec);
    };
    add(kGpuId, g_param_spec_uint("gpu-id", "GPU",
                                  "CUDA's number of the GPU that the frames lie on and the network "
                                  "runs on",
                                  0, 255, s.gpu_id, gst::kReady));
    add(kUniqueId, g_param_spec_uint("unique-id", "Unique id",
                                     "Number of this element in the metadata that it attaches", 0,
                                     G_MAXINT, s.unique_id, gst::kReady));
    add(kOperateOn,
        g_param_spec_int("operate-on-gie-id", "Operate on",
                         "Only objects that the engine with this unique-id found; -1 for all", -1,
                         G_MAXINT, s.operate_on_gie_id, gst::kReady));
    add(kReidMeta,
        g_param_spec_enum("reid-meta", "Embedding as the tracker's",
                          "The embedding as NVDS_TRACKER_OBJ_REID_META, which DeepStream's "
                          "applications send to brokers; and what becomes of the tracker's own",
                          reid_type(), s.reid_meta, gst::kReady));
    add(kMessages, g_param_spec_enum("messages", "Messages",
                                     "When an NvDsEventMsgMeta with embedding, color and type is "
                                     "put on a frame, for nvmsgconv",
                                     messages_type(), s.messages, gst::kReady));
    add(kText, g_param_spec_boolean("display-text", "Display text",
                                    "Put color and type behind the text that nvdsosd shows",
                                    s.display_text, gst::kReady));
    add(kConfigFile,
        g_param_spec_string("config-file", "Configuration",
                            "A file of lines property=value under [pamtri], read when the element "
                            "starts; what it says replaces what was set",
                            nullptr, gst::kReady));
}

bool set_setting(Settings* s, guint id, const GValue* value) {
    return gst::set_member(kMembers, s, own(id), value) || gst::set_setting(&s->common, id, value);
}

bool get_setting(const Settings& s, guint id, GValue* value) {
    return gst::get_member(kMembers, s, own(id), value) || gst::get_setting(s.common, id, value);
}

void read_config(GObject* element, const std::string& path) {
    GKeyFile* file = g_key_file_new();
    GError* error = nullptr;
    const auto refuse = [&](const std::string& what) {
        g_key_file_free(file);
        throw core::InputError(path + what);
    };
    if (!g_key_file_load_from_file(file, path.c_str(), G_KEY_FILE_NONE, &error)) {
        const std::string why = error->message;
        g_error_free(error);
        refuse(" cannot be read as a configuration: " + why +
               ". Expected lines \"property=value\" under \"[pamtri]\".");
    }
    gsize count = 0;
    gchar** keys = g_key_file_get_keys(file, "pamtri", &count, nullptr);
    if (!keys)
        refuse(" has no group [pamtri]; expected lines \"property=value\" under \"[pamtri]\".");
    std::vector<std::pair<std::string, std::string>> pairs;
    for (gsize i = 0; i < count; ++i) {
        gchar* value = g_key_file_get_value(file, "pamtri", keys[i], nullptr);
        pairs.emplace_back(keys[i], value ? value : "");
        g_free(value);
    }
    g_strfreev(keys);
    g_key_file_free(file);
    for (const auto& [key, value] : pairs) set_by_text(element, key, value, path);
}

}  // namespace pamtri::deepstream
