// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess_settings.hpp"

#include <glib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <sstream>

#include "errors.hpp"

namespace pamtri::nvinfer {

namespace {

constexpr const char* kGroup = "pamtri";
constexpr std::array<const char*, 9> kKeys{
    "gie-unique-id", "colors",           "types", "embedding-space", "bundle", "reid-meta",
    "text",          "message-interval", "camera"};

struct KeyFileEnd {
    void operator()(GKeyFile* file) const { g_key_file_free(file); }
};
using KeyFile = std::unique_ptr<GKeyFile, KeyFileEnd>;

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
    throw core::InputError(path + ": " + what);
}

std::string text_of(GKeyFile* file, const char* key, const std::string& otherwise = "") {
    gchar* found = g_key_file_get_string(file, kGroup, key, nullptr);
    std::string text = found ? found : otherwise;
    g_free(found);
    return text;
}

std::vector<std::string> list_of(GKeyFile* file, const char* key) {
    std::vector<std::string> words;
    std::istringstream all(text_of(file, key));
    for (std::string word; std::getline(all, word, ';');) words.push_back(word);
    return words;
}

int number_of(GKeyFile* file, const std::string& path, const char* key, int least, int otherwise) {
    if (!g_key_file_has_key(file, kGroup, key, nullptr)) return otherwise;
    GError* error = nullptr;
    const int found = g_key_file_get_integer(file, kGroup, key, &error);
    if (error || found < least) {
        g_clear_error(&error);
        refuse(path, std::string(key) + "=" + text_of(file, key) +
                         "; expected a whole number from " + std::to_string(least) + " on.");
    }
    return found;
}

deepstream::ReidMeta reid_of(const std::string& path, const std::string& word) {
    if (word == "replace") return deepstream::ReidMeta::kReplace;
    if (word == "keep") return deepstream::ReidMeta::kKeep;
    if (word == "off") return deepstream::ReidMeta::kOff;
    refuse(path, "reid-meta=" + word + "; expected replace, keep or off.");
}

void check_keys(GKeyFile* file, const std::string& path) {
    gchar** keys = g_key_file_get_keys(file, kGroup, nullptr, nullptr);
    std::string unknown;
    for (gchar** key = keys; key && *key; ++key)
        if (std::none_of(kKeys.begin(), kKeys.end(),
                         [&](const char* one) { return g_str_equal(one, *key); }))
            unknown = *key;
    g_strfreev(keys);
    if (unknown.empty()) return;
    std::string accepted;
    for (const char* one : kKeys) accepted += (accepted.empty() ? "" : ", ") + std::string(one);
    refuse(path, "the key " + unknown + " is not known; accepted: " + accepted + ".");
}

}  // namespace

PostprocessSettings read_settings(const char* named) {
    const std::string path = named ? named : "";
    KeyFile file(g_key_file_new());
    GError* error = nullptr;
    if (!named || !g_key_file_load_from_file(file.get(), named, G_KEY_FILE_NONE, &error)) {
        const std::string why = error ? error->message : "no file is named";
        g_clear_error(&error);
        refuse(path, why + "; expected the file postprocess.txt of pamtri-export --deepstream.");
    }
    if (!g_key_file_has_group(file.get(), kGroup))
        refuse(path,
               "there is no group [pamtri]; expected the file postprocess.txt of "
               "pamtri-export --deepstream.");
    check_keys(file.get(), path);
    PostprocessSettings found;
    found.attach.component_id = number_of(file.get(), path, "gie-unique-id", 0, 2);
    found.attach.reid = reid_of(path, text_of(file.get(), "reid-meta", "replace"));
    found.attach.text = number_of(file.get(), path, "text", 0, 1) != 0;
    found.message_interval = number_of(file.get(), path, "message-interval", 0, 0);
    found.camera = text_of(file.get(), "camera");
    found.names = {list_of(file.get(), "colors"), list_of(file.get(), "types"),
                   text_of(file.get(), "embedding-space"), text_of(file.get(), "bundle")};
    return found;
}

}  // namespace pamtri::nvinfer
