#include "record/name_pattern.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/text.h"

namespace fp::record {
namespace {

constexpr std::size_t kLongest = 200;

bool stays_inside(const std::string& name) {
  const auto parts = split(name, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](std::string_view part) { return part.empty() || part.front() == '.'; });
}

}  // namespace

Result<NamePattern> NamePattern::parse(const std::string& pattern, std::string_view extension, bool local) {
  NamePattern result(pattern.ends_with(extension) ? pattern : pattern + std::string(extension), local);
  const auto refuse = [&](const char* why) {
    return fail({Error::Kind::Unsupported, 0, "'" + printable(pattern) + "' " + why});
  };
  const std::string name = result.name(WallTime(std::chrono::seconds(1'763'688'000)));
  if (name.empty() || name.size() > kLongest) return refuse("makes names longer than 200 bytes");
  if (pattern.find('\n') != std::string::npos || !stays_inside(name) || name.ends_with("/" + std::string(extension))) {
    return refuse("is no name in a folder: write %Y-%m-%d/%H-%M-%S, with no part that is empty or begins with a dot");
  }
  return result;
}

std::string NamePattern::name(WallTime first) const {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(first.time_since_epoch()).count();
  std::tm parts{};
  if (local_) {
    ::localtime_r(&seconds, &parts);
  } else {
    ::gmtime_r(&seconds, &parts);
  }
  std::array<char, 2 * kLongest> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), pattern_.c_str(), &parts);
  return {text.data(), length};
}

std::string numbered(const std::string& name, int number) {
  if (number <= 1) return name;
  const auto dot = name.rfind('.');
  return name.substr(0, dot) + '_' + std::to_string(number) + name.substr(dot);
}

std::string camera_folder(std::string_view camera) {
  constexpr std::size_t kLongestFolder = 100;
  if (camera.empty()) return "camera";
  std::string folder;
  for (const char c : camera) {
    if (folder.size() + 3 > kLongestFolder) break;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || (c == '.' && !folder.empty());
    if (plain) {
      folder += c;
      continue;
    }
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    folder += code.data();
  }
  return folder;
}

}  // namespace fp::record
