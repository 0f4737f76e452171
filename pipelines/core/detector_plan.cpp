// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detector_plan.hpp"

#include <algorithm>
#include <utility>

#include "decoding_json.hpp"
#include "errors.hpp"

namespace pamtri::core {

namespace {

constexpr std::int64_t kSchema = 1, kMostInputs = 16, kMostBatch = 1 << 10;
constexpr double kLargestFactor = 1e6, kSmallestFactor = 1e-6;
constexpr std::size_t kDigest = 64;

void refuse_other_schemas(JsonFields& fields) {
    fields.one_of("format", {"pamtri-detector"});
    const Json& schema = fields.any("schema");
    if (!schema.is_number_integer() || schema.get<std::int64_t>() != kSchema)
        fields.refuse("schema", std::to_string(kSchema) + ", of this release");
}

NetworkInput input_of(JsonFields& fields, const std::vector<std::string>& types, std::size_t fewest,
                      std::size_t most) {
    NetworkInput input;
    input.number = static_cast<std::size_t>(fields.integer("input", 0, kMostInputs - 1));
    for (const std::int64_t side : fields.integers("shape", fewest, most, 1, kMostSide))
        input.shape.push_back(static_cast<std::size_t>(side));
    input.type = fields.one_of("type", types);
    return input;
}

PictureInput picture_of(JsonFields fields) {
    PictureInput picture;
    picture.input = input_of(fields, {"f32", "f16", "u8"}, 3, 4);
    picture.size = size_of(fields, "size");
    picture.channels_last = fields.boolean("channels_last");
    picture.bgr = fields.boolean("bgr");
    picture.divisor = static_cast<float>(fields.number("divisor", kSmallestFactor, kLargestFactor));
    const std::vector<double> mean = fields.numbers("mean", 3, -kLargestFactor, kLargestFactor);
    const std::vector<double> deviation =
        fields.numbers("deviation", 3, kSmallestFactor, kLargestFactor);
    std::copy(mean.begin(), mean.end(), picture.mean.begin());
    std::copy(deviation.begin(), deviation.end(), picture.deviation.begin());
    picture.fit = fit_of(fields.one_of("fit", {"corner", "center", "stretch"}));
    const std::vector<std::size_t>& shape = picture.input.shape;
    const std::size_t high = static_cast<std::size_t>(picture.size.height);
    const std::size_t wide = static_cast<std::size_t>(picture.size.width);
    const std::vector<std::size_t> sides = picture.channels_last
                                               ? std::vector<std::size_t>{high, wide, 3}
                                               : std::vector<std::size_t>{3, high, wide};
    if (!std::equal(sides.begin(), sides.end(), shape.end() - 3) ||
        (shape.size() == 4 && shape[0] > kMostBatch))
        fields.refuse("shape", "that of pictures of " + std::to_string(high) + "x" +
                                   std::to_string(wide) + " with three channels");
    fields.finish();
    return picture;
}

NetworkInput sizes_of(JsonFields fields) {
    NetworkInput input = input_of(fields, {"i64", "i32", "f32"}, 2, 2);
    if (input.shape[0] > kMostBatch || input.shape[1] != 2)
        fields.refuse("shape", "pairs of numbers");
    fields.finish();
    return input;
}

int class_number(JsonFields& names, const std::string& text) {
    const bool digits = !text.empty() && text.size() < 8 &&
                        text.find_first_not_of("0123456789") == std::string::npos;
    if (!digits) names.refuse(text.c_str(), "a name with its number");
    return std::stoi(text);
}

DetectorClasses classes_of(JsonFields fields) {
    DetectorClasses classes;
    classes.all = static_cast<int>(fields.integer("all", 1, kMostClasses));
    classes.limit = static_cast<int>(fields.integer("limit", 1, kMostClasses));
    const Json& given = fields.any("names");
    JsonFields names = fields.object("names");
    for (const auto& [number, name] : given.items())
        classes.names[class_number(names, number)] = names.text(number.c_str());
    if (fields.is_null("vehicles")) {
        fields.any("vehicles");
        classes.refusal = fields.text("refusal");
    } else {
        classes.vehicles.emplace();
        for (const std::int64_t number :
             fields.integers("vehicles", 1, kMostClasses, 0, kMostClasses))
            classes.vehicles->push_back(static_cast<int>(number));
        if (!fields.is_null("refusal")) fields.refuse("refusal", "null beside vehicles");
        fields.any("refusal");
    }
    fields.finish();
    return classes;
}

bool is_digest(const std::string& text) {
    return text.size() == kDigest &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

DetectorPlan DetectorPlan::parse(const std::string& description) {
    try {
        const Json json = parse_json(description);
        JsonFields fields(json, "");
        refuse_other_schemas(fields);
        JsonFields model = fields.object("model");
        std::string file = model.text("file"), sha256 = model.text("sha256");
        if (file.find('/') != std::string::npos || file == "." || file == "..")
            model.refuse("file", "a name, of a file beside this one");
        if (!is_digest(sha256)) model.refuse("sha256", "64 hexadecimal digits");
        model.finish();
        std::string layout = fields.text("layout");
        PictureInput picture = picture_of(fields.object("picture"));
        std::optional<NetworkInput> sizes;
        if (fields.is_null("sizes"))
            fields.any("sizes");
        else
            sizes = sizes_of(fields.object("sizes"));
        if (sizes && sizes->number == picture.input.number)
            throw InputError("sizes and picture are of the same input.");
        Decoder decoder = decoder_of(fields.object("decoder"));
        DetectorClasses classes = classes_of(fields.object("classes"));
        fields.finish();
        return {std::move(file),  std::move(sha256),  std::move(layout), std::move(picture),
                std::move(sizes), std::move(decoder), std::move(classes)};
    } catch (const JsonError& error) {
        throw InputError(std::string("it is no JSON: ") + error.what() + ".");
    }
}

}  // namespace pamtri::core
