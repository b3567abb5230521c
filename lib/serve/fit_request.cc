#include "serve/fit_request.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "jpeg/hygiene.h"

namespace fp {
namespace {

using Json = nlohmann::json;

// Event by event, so that a body of brackets or of small numbers does not become a hundred times its size.
class Reader final : public nlohmann::json_sax<Json> {
 public:
  explicit Reader(FitRequest& request) : request_(request) {}
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] bool has_frame() const { return has_frame_; }

  bool null() override { return other(); }
  bool boolean(bool value) override {
    if (depth_ == 1 && flag_ != nullptr) *flag_ = value;
    return depth_ == 1 && flag_ != nullptr ? true : other();
  }
  bool number_integer(number_integer_t /*value*/) override { return other(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return other(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return other(); }
  bool string(string_t& value) override {
    if (depth_ != 1 || !wants_frame_) return other();
    if (has_frame_) return refuse("the body has two frames");
    request_.text = std::move(value);
    has_frame_ = true;
    return true;
  }
  bool binary(binary_t& /*value*/) override { return other(); }
  bool start_object(std::size_t /*members*/) override { return deeper(); }
  bool start_array(std::size_t /*members*/) override {
    if (depth_ == 0) return refuse("the body is no JSON object");
    return deeper();
  }
  bool end_object() override { return shallower(); }
  bool end_array() override { return shallower(); }
  bool key(string_t& name) override {
    if (++members_ > kMostMembers) return refuse("the body has more in it than a frame and what is wanted of it");
    if (depth_ != 1) return true;
    name_ = printable(name, 40);
    wants_frame_ = name == "frame";
    flag_ = name == "showSkeleton"   ? &request_.show_skeleton
            : name == "useWarp"      ? &request_.use_warp
            : name == "isFirstFrame" ? &request_.is_first_frame
                                     : nullptr;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& /*error*/) override {
    return refuse("the body is no JSON: byte " + std::to_string(position) + " fits nothing");
  }

 private:
  static constexpr int kDeepest = 16;
  static constexpr int kMostMembers = 512;  // names and values: millions of them would hold up all viewers

  bool refuse(std::string why) {
    if (trouble_.empty()) trouble_ = std::move(why);
    return false;
  }
  // A value that is none of those that are looked for.
  bool other() {
    if (++members_ > kMostMembers) return refuse("the body has more in it than a frame and what is wanted of it");
    if (depth_ == 0) return refuse("the body is no JSON object");
    if (depth_ == 1 && wants_frame_) return refuse("frame must be a picture in base64");
    if (depth_ == 1 && flag_ != nullptr) return refuse(name_ + " must be true or false");
    return true;
  }
  bool deeper() {
    if (depth_ > 0 && !other()) return false;
    if (++depth_ > kDeepest) return refuse("the body is nested too deeply");
    return true;
  }
  bool shallower() {
    --depth_;
    return true;
  }

  FitRequest& request_;
  std::string trouble_;
  std::string name_;
  bool wants_frame_ = false;
  bool has_frame_ = false;
  bool* flag_ = nullptr;
  int depth_ = 0;
  int members_ = 0;
};

// Behind "data:image/jpeg;base64,": the type may be another one, the picture is looked at in any case.
Result<std::string_view> base64_of(FitRequest& request) {
  const std::string_view text = request.text;
  if (!starts_with_ignoring_case(text, "data:")) return text;
  const auto comma = text.find(',');
  constexpr std::string_view kMark = ";base64";
  if (comma == std::string_view::npos || comma < kMark.size() ||
      !equal_ignoring_case(text.substr(comma - kMark.size(), kMark.size()), kMark)) {
    return malformed("frame: a data: address must be data:image/jpeg;base64,...");
  }
  request.data_url = true;
  return text.substr(comma + 1);
}

}  // namespace

Result<FitRequest> parse_fit_request(std::string_view body) {
  FitRequest request;
  Reader reader(request);
  if (!Json::sax_parse(body, &reader)) return malformed(reader.trouble());
  if (!reader.has_frame()) return malformed("the body has no frame");
  const auto text = base64_of(request);
  if (!text) return fail(text.error());
  const auto bytes = base64_decode(*text);
  if (!bytes) return malformed("frame is no base64 (RFC 4648, section 4, without white space)");
  auto clean = jpeg::clean(*bytes);
  if (!clean) return fail(std::move(clean).error().in("frame is no JPEG"));
  request.posted = *bytes;
  request.jpeg = std::move(clean->jpeg);
  request.picture = clean->info;
  return request;
}

}  // namespace fp
