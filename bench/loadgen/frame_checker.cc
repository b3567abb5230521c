#include "loadgen/frame_checker.h"

#include "common/crc32.h"

namespace fp::bench {

bool FrameChecker::body_matches(std::string_view body, std::uint32_t crc) {
  const auto known = known_bodies_.find(crc);
  if (known != known_bodies_.end() && known->second == body) return true;
  if (crc32(body) != crc) return false;
  if (known_bodies_.size() < kMaxKnownBodies) known_bodies_.emplace(crc, body);
  return true;
}

FrameChecker::Result FrameChecker::check(const PartReader::Part& part) {
  const std::string_view jpeg = part.seen;
  if (!jpeg.starts_with("\xFF\xD8") || (part.whole && !jpeg.ends_with("\xFF\xD9"))) return {Verdict::kBad, {}};
  const std::optional<Stamp> stamp = read_stamp(jpeg);
  if (!stamp) return {Verdict::kUnstamped, {}};
  const bool good = !part.whole || body_matches(stamped_body(jpeg), stamp->crc);
  return {good ? Verdict::kGood : Verdict::kBad, stamp};
}

}  // namespace fp::bench
