#include "detect/places.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace fp::detect {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Of a user, whole directories of ours.
std::vector<std::string> own_directories() {
  std::vector<std::string> directories;
  if (const std::string own = variable("FRAMEPIPE_LIB_DIR"); !own.empty()) directories.push_back(own);
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty()) {
    directories.push_back(data + "/framepipe");
  } else if (const std::string home = variable("HOME"); !home.empty()) {
    directories.push_back(home + "/.local/share/framepipe");
  }
  return directories;
}

std::vector<std::string> prefixes() {
  std::vector<std::string> prefixes;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) prefixes.push_back(program.parent_path().parent_path().string());
  for (const char* usual : {"/usr/local", "/usr"}) {
    if (prefixes.empty() || prefixes.front() != usual) prefixes.emplace_back(usual);
  }
  return prefixes;
}

std::vector<std::string> places(const std::string& of_own, const std::string& of_prefix) {
  std::vector<std::string> paths;
  for (const std::string& own : own_directories()) paths.push_back(own + of_own);
  for (const std::string& prefix : prefixes()) paths.push_back(prefix + of_prefix);
  return paths;
}

}  // namespace

std::vector<std::string> library_places(std::string_view name) {
  return places("/" + std::string(name), "/lib/framepipe/" + std::string(name));
}

std::vector<std::string> model_places(std::string_view name) {
  return places("/models/" + std::string(name), "/share/framepipe/models/" + std::string(name));
}

std::string first_readable(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (::access(path.c_str(), R_OK) == 0) return path;
  }
  return "";
}

}  // namespace fp::detect
