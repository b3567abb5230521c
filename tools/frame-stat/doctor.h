// Which clients a stream will fail with, and why.
#pragma once

#include <string>
#include <vector>

#include "frame/parser.h"
#include "frame/skips.h"

namespace fp {

struct Finding {
  enum class Weight { Good, Note, Bad };
  Weight weight;
  std::string text;  ///< one sentence: what is so
  std::string who;   ///< whom it concerns and what they see; "" for Good
};

/// What the framing of a stream of `frames` whole frames means for its readers. The behaviours were measured with
/// ffmpeg 5.1, GStreamer 1.22, Chromium 156, Firefox ESR and WebKitGTK.
[[nodiscard]] std::vector<Finding> diagnose(const Framing& framing, const Skips& skips, std::uint64_t frames);

[[nodiscard]] std::string text_of(const std::vector<Finding>& findings);
[[nodiscard]] std::string json_of(const std::vector<Finding>& findings);

}  // namespace fp
