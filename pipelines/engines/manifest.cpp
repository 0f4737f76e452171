// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "manifest.hpp"

#include <algorithm>
#include <cstddef>
#include <set>

#include "engine_error.hpp"
#include "json.hpp"
#include "manifest_fields.hpp"
#include "words.hpp"

namespace pamtri::engines {
namespace {

using core::Json;

constexpr std::int64_t kSchema = 1;  // the newest form that this release reads
const std::vector<std::string> kOutputs = {"embedding", "color", "type", "keypoints", "quality"};
const std::vector<std::string> kPlain = {"images"};
const std::vector<std::string> kWindowed = {"images", "pose_images", "crop_size"};

class FieldReader {
  public:
    FieldReader(const Json& record, const std::string& source) : record_(record), source_(source) {}

    template <typename Convert>
    auto take(const std::string& key, const Convert& convert) const -> decltype(convert(Json())) {
        if (!record_.contains(key))
            throw BundleError(source_ + " lacks the field '" + key + "'. " + kRemedy);
        const Json& value = record_[key];
        try {
            return convert(value);
        } catch (const fields::Wrong& wrong) {
            throw BundleError(source_ + ": field '" + key + "' is " + fields::shown(value) +
                              "; expected " + wrong.expected + ". " + kRemedy);
        }
    }

    auto choice(const std::string& key, const std::vector<std::string>& choices) const {
        return take(key, [&](const Json& value) { return fields::one_of(value, choices); });
    }

    /// Whether the field is there and not null.
    bool has(const std::string& key) const { return !core::member(record_, key).is_null(); }

  private:
    const Json& record_;
    const std::string& source_;
};

const char* kind_of(const Json& value) {
    if (value.is_array()) return "list";
    if (value.is_string()) return "str";
    if (value.is_boolean()) return "bool";
    if (value.is_null()) return "NoneType";
    return value.is_number_float() ? "float" : "int";
}

std::vector<std::string> names(const std::vector<TensorSpec>& specs) {
    std::vector<std::string> found;
    for (const TensorSpec& spec : specs) found.push_back(spec.name);
    return found;
}

std::string tuple(const std::vector<std::string>& texts) {
    return "(" + quoted_list(texts) + (texts.size() == 1 ? ",)" : ")");
}

std::string list(const std::vector<std::string>& texts) { return "[" + quoted_list(texts) + "]"; }

std::string shape_of(const TensorSpec& spec) {
    std::vector<Size> shape{Size()};
    shape.insert(shape.end(), spec.item.begin(), spec.item.end());
    return shown_shape(shape);
}

/// Refuse a manifest whose fields contradict each other: later code relies on them.
class Agreement {
  public:
    Agreement(const Manifest& manifest, bool pose, const std::string& source)
        : manifest_(manifest), pose_(pose), source_(source) {}

    void check() const {
        check_inputs();
        check_outputs();
        check_names("color", manifest_.colors);
        check_names("type", manifest_.types);
        check_names("keypoints", manifest_.keypoint_names);
        std::set<std::string> missing;
        for (const TensorSpec& spec : manifest_.outputs)
            if (manifest_.tolerance.count(spec.name) == 0) missing.insert(spec.name);
        if (!missing.empty())
            refuse("tolerance lacks the outputs " + list({missing.begin(), missing.end()}) +
                   ", so the self-test could not check them");
    }

  private:
    [[noreturn]] void refuse(const std::string& what) const {
        throw BundleError(source_ + ": " + what + ". " + kRemedy);
    }

    void check_inputs() const {
        const std::vector<std::string> inputs = names(manifest_.inputs);
        if (inputs != kPlain && inputs != kWindowed)
            refuse("the inputs are " + tuple(inputs) + "; expected " + tuple(kPlain) + " or " +
                   tuple(kWindowed));
        if ((inputs.size() == 3) != (manifest_.geometry == "original" && pose_))
            refuse("the inputs " + tuple(inputs) + " do not belong to geometry '" +
                   manifest_.geometry + "'");
    }

    void check_outputs() const {
        const std::vector<std::string> outputs = names(manifest_.outputs);
        const std::set<std::string> once(outputs.begin(), outputs.end());
        const bool known = std::all_of(outputs.begin(), outputs.end(), [](const std::string& name) {
            return std::find(kOutputs.begin(), kOutputs.end(), name) != kOutputs.end();
        });
        if (outputs.front() != "embedding" || once.size() != outputs.size() || !known)
            refuse("the outputs are " + list(outputs) + "; expected a choice of " + list(kOutputs) +
                   ", the embedding first");
        const TensorSpec& embedding = manifest_.outputs.front();
        if (embedding.item != std::vector<std::int64_t>{manifest_.embedding_dim})
            refuse("the embedding has shape " + shape_of(embedding) + ", but embedding_dim is " +
                   std::to_string(manifest_.embedding_dim));
    }

    void check_names(const char* output,
                     const std::optional<std::vector<std::string>>& labels) const {
        std::optional<std::size_t> size;
        for (const TensorSpec& spec : manifest_.outputs)
            if (spec.name == output && !spec.item.empty())
                size = static_cast<std::size_t>(spec.item[0]);
        const std::optional<std::size_t> count =
            labels ? std::optional<std::size_t>(labels->size()) : std::nullopt;
        const auto shown = [](const std::optional<std::size_t>& number) {
            return number ? std::to_string(*number) : std::string("no");
        };
        if (size != count)
            refuse("output '" + std::string(output) + "' has " + shown(size) + " classes, but " +
                   shown(count) + " names");
    }

    const Manifest& manifest_;
    bool pose_;
    const std::string& source_;
};

Json parsed(std::string_view text, const std::string& source) {
    try {
        return core::parse_json(text);
    } catch (const core::JsonError& error) {
        throw BundleError(source + " is not readable JSON (" + error.what() + "). " + kRemedy);
    }
}

void check_schema(std::int64_t schema, const std::string& source) {
    const std::string found = source + " has schema " + std::to_string(schema);
    const std::string newest = std::to_string(kSchema);
    if (schema > kSchema)
        throw BundleError(found +
                          ": made by a newer pamtri-edge; upgrade this one (it reads schemas up "
                          "to " +
                          newest + "): pip install --upgrade pamtri-edge");
    if (schema < 1) throw BundleError(found + "; expected 1 to " + newest + ". " + kRemedy);
}

}  // namespace

bool Manifest::has_file(std::string_view path) const {
    return std::any_of(files.begin(), files.end(),
                       [path](const auto& file) { return file.first == path; });
}

std::string Manifest::digest_of(std::string_view path) const {
    const auto found = std::find_if(files.begin(), files.end(),
                                    [path](const auto& file) { return file.first == path; });
    return found == files.end() ? "" : found->second;
}

Manifest read_manifest(std::string_view text, const std::string& source) {
    const Json record = parsed(text, source);
    if (!record.is_object())
        throw BundleError(source + " holds a JSON " + kind_of(record) + ", not an object. " +
                          kRemedy);
    const FieldReader reader(record, source);
    const auto ignored = [](const Json& value) {
        fields::mapping(value);
        return true;
    };
    check_schema(reader.take("schema", fields::integer), source);
    Manifest manifest;
    manifest.name = reader.take("name", fields::printable);
    manifest.precision = reader.choice("precision", {"fp32", "fp16", "int8"});
    manifest.geometry = reader.choice("geometry", {"unified", "original"});
    manifest.size = reader.choice("size", {"paper", "lite", "custom"});
    const bool pose = reader.take("variant", fields::variant).at("pose");
    manifest.inputs = reader.take("inputs", fields::tensors);
    manifest.outputs = reader.take("outputs", fields::tensors);
    manifest.embedding_dim = reader.take("embedding_dim", fields::size);
    manifest.embedding_norm = reader.choice("embedding_norm", {"unit", "raw"});
    manifest.embedding_space = reader.take("embedding_space", fields::printable);
    manifest.colors = reader.take("colors", fields::optional_names);
    manifest.types = reader.take("types", fields::optional_names);
    manifest.keypoint_names = reader.take("keypoint_names", fields::optional_names);
    manifest.trained = reader.take("trained", fields::boolean);
    reader.take("flip_test", fields::boolean);
    reader.take("parity", ignored);
    manifest.tolerance = reader.take("tolerance", fields::tolerance);
    reader.take("versions", ignored);
    reader.take("provenance", ignored);
    if (reader.has("matching")) manifest.matching = reader.take("matching", fields::matching);
    if (reader.has("retrieval")) {
        reader.take("retrieval", [](const Json& value) {
            fields::retrieval(value);
            return true;
        });
    }
    manifest.files = reader.take("files", fields::files);
    Agreement(manifest, pose, source).check();
    return manifest;
}

}  // namespace pamtri::engines
