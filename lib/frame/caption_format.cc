#include "frame/caption_format.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

namespace fp {
namespace {

// For strftime(3), which would take what stands in a camera's name for its own.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '%') result += c;
  }
  return result;
}

std::string milliseconds(WallTime time) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%03d", static_cast<int>((ms + 1000) % 1000));
  return text.data();
}

std::optional<std::string> value_of(std::string_view name, const Frame& frame) {
  if (name == "ms") return milliseconds(frame.captured);
  if (name == "sequence") return std::to_string(frame.sequence);
  if (name == "camera") return escaped(frame.camera);
  return std::nullopt;
}

// The format with `replace` called for the name in each %{name}; "%%{" is a percent sign and a brace.
template <typename Replace>
std::string with_names(std::string_view format, const Replace& replace) {
  std::string result;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 == format.size()) {
      result += format[at];
      continue;
    }
    const std::size_t end = format[at + 1] == '{' ? format.find('}', at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      result += format[at];
      result += format[++at];
    } else {
      result += replace(format.substr(at + 2, end - at - 2));
      at = end;
    }
  }
  return result;
}

}  // namespace

Result<CaptionFormat> CaptionFormat::parse(std::string format) {
  std::optional<std::string> unknown;
  (void)with_names(format, [&](std::string_view name) {
    if (!value_of(name, Frame())) unknown = name;
    return std::string();
  });
  if (unknown) {
    return fail({Error::Kind::Unsupported, 0,
                 "'%{" + *unknown + "}' is unknown: write %{ms}, %{sequence}, %{camera} or what strftime(3) knows"});
  }
  CaptionFormat result;
  result.format_ = std::move(format);
  ::tzset();  // localtime_r() need not
  return result;
}

std::string CaptionFormat::of(const Frame& frame) const {
  if (empty()) return {};
  const std::string format =
      with_names(format_, [&](std::string_view name) { return value_of(name, frame).value_or(std::string()); });
  const auto seconds = std::chrono::floor<std::chrono::seconds>(frame.captured.time_since_epoch()).count();
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local{};
  ::localtime_r(&time, &local);
  std::array<char, 256> text{};
  std::string line(text.data(), std::strftime(text.data(), text.size(), format.c_str(), &local));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return line;
}

}  // namespace fp
