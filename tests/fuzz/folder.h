// What the fuzzers of files share: a check that ends the run, and a folder that goes with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fp::fuzz {

inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

// A folder that goes at the end.
class Folder {
 public:
  Folder() { require(::mkdtemp(name_.data()) != nullptr); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(name_, ignored);
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_ = (std::filesystem::temp_directory_path() / "fp-fuzz-XXXXXX").string();
};

inline const std::string& folder() {
  static const Folder made;
  return made.name();
}

inline void write(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace fp::fuzz
