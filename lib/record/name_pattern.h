// How recorded files are called.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace fp::record {

/// strftime(3) of the time of a file's first frame: "%Y-%m-%d/%H-%M-%S.mjpeg".
class NamePattern {
 public:
  /// `extension` (".mjpeg") is put behind where it is missing. `local`: this machine's zone, else UTC.
  /// Errors: Unsupported, for what leaves the folder, has hidden or empty parts, or is longer than 200 bytes.
  [[nodiscard]] static Result<NamePattern> parse(const std::string& pattern, std::string_view extension, bool local);

  /// Relative to the folder of the recordings.
  [[nodiscard]] std::string name(WallTime first) const;

 private:
  NamePattern(std::string pattern, bool local) : pattern_(std::move(pattern)), local_(local) {}
  std::string pattern_;
  bool local_;
};

/// "a/b_2.mjpeg" of "a/b.mjpeg" and 2; the name itself of 1.
[[nodiscard]] std::string numbered(const std::string& name, int number);

/// The folder of a camera: its name, with what is no letter, digit, dash, underscore or dot percent-encoded, and cut to
/// 100 bytes; "camera" for one without a name.
[[nodiscard]] std::string camera_folder(std::string_view camera);

}  // namespace fp::record
