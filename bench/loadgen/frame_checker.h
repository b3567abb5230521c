#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/stamp.h"
#include "loadgen/part_reader.h"

namespace fp::bench {

/// Says whether a JPEG came as the feeder sent it. Shared by all viewers: a body whose checksum was once found right is
/// kept, and the next copies are compared with it, which costs a tenth of the checksum. The feeder repeats some thirty
/// bodies for ever.
class FrameChecker {
 public:
  enum class Verdict { kGood, kBad, kUnstamped };
  struct Result {
    Verdict verdict = Verdict::kBad;
    std::optional<Stamp> stamp;
  };

  /// A part that was not kept whole is judged by its beginning alone.
  Result check(const PartReader::Part& part);

 private:
  static constexpr std::size_t kMaxKnownBodies = 256;
  bool body_matches(std::string_view body, std::uint32_t crc);

  std::unordered_map<std::uint32_t, std::string> known_bodies_;  // by checksum
};

}  // namespace fp::bench
