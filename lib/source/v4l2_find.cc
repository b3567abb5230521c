#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <memory>

#include "base/text.h"
#include "source/v4l2_device.h"

namespace fp::v4l2 {
namespace {

constexpr const char* kById = "/dev/v4l/by-id/";

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

std::vector<std::string> names_in(const char* folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(folder));
  while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

std::string real_path(const std::string& path) {
  std::array<char, PATH_MAX> real{};
  return ::realpath(path.c_str(), real.data()) == nullptr ? std::string() : std::string(real.data());
}

}  // namespace

std::vector<std::string> device_paths() {
  std::vector<int> numbers;
  for (const std::string& name : names_in("/dev")) {
    constexpr std::string_view kPrefix = "video";
    if (!name.starts_with(kPrefix)) continue;
    if (const auto number = parse_integer<unsigned>(std::string_view(name).substr(kPrefix.size()))) {
      numbers.push_back(static_cast<int>(*number));
    }
  }
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::string> paths;
  paths.reserve(numbers.size());
  for (const int number : numbers) paths.push_back("/dev/video" + std::to_string(number));
  return paths;
}

std::string by_id_name(const std::string& path) {
  std::vector<std::string> names = names_in(kById);
  std::sort(names.begin(), names.end());
  const std::string wanted = real_path(path);
  for (const std::string& name : names) {
    if (!wanted.empty() && real_path(kById + name) == wanted) return name;
  }
  return {};
}

std::string path_of(const std::string& source) {
  if (const auto number = parse_integer<unsigned>(source)) return "/dev/video" + std::to_string(*number);
  if (source.starts_with("video") && parse_integer<unsigned>(std::string_view(source).substr(5)))
    return "/dev/" + source;
  if (source.find('/') == std::string::npos) return kById + source;
  return source;
}

std::optional<std::string> find_again(const Identity& identity, bool serial_is_unique) {
  std::optional<std::string> by_serial;
  for (const std::string& path : device_paths()) {
    const auto device = Device::open(path);
    if (!device) continue;
    const Identity& there = device->identity();
    if (there.card != identity.card || there.driver != identity.driver) continue;
    if (there.bus == identity.bus && there.serial == identity.serial) return path;
    if (serial_is_unique && !identity.serial.empty() && there.serial == identity.serial && !by_serial) by_serial = path;
  }
  return by_serial;
}

int count_of_serial(const std::string& serial) {
  int count = 0;
  for (const std::string& path : device_paths()) {
    const auto device = Device::open(path);
    if (device && device->identity().serial == serial) ++count;
  }
  return count;
}

}  // namespace fp::v4l2
