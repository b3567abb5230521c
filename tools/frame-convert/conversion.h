// What frame-convert does to each frame, and its account of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "frame/adaptive.h"
#include "frame/caption_format.h"
#include "frame/frame.h"
#include "jpeg/converter.h"

namespace fp {

/// Converts one frame after the other, logs what a person should know, and counts. One thread.
class Conversion {
 public:
  /// `caption` gives the text of `wishes` anew for each frame. `clock` must live as long.
  Conversion(jpeg::Wishes wishes, CaptionFormat caption, const Clock& clock);

  /// The frame with its picture converted, all its headers kept, and X-Detections moved along; nullptr, counted and
  /// logged, when its picture is damaged or cannot be handled. `level` stands above the wished quality.
  [[nodiscard]] FramePtr apply(FramePtr frame, const std::optional<Adaptive::Level>& level);

  /// "12 frames, 10 re-encoded, 1 dropped (1 damaged)".
  [[nodiscard]] std::string describe() const;

 private:
  enum class Drop { Damaged, TooLarge, Unsupported };
  static constexpr std::array<const char*, 3> kDropNames = {"damaged", "too large", "unsupported"};
  void drop(const Error& error);
  [[nodiscard]] std::string describe_drops() const;

  jpeg::Wishes wishes_;
  CaptionFormat caption_;
  const Clock& clock_;
  jpeg::Converter converter_;
  std::uint64_t seen_ = 0;
  std::uint64_t encoded_ = 0;
  std::array<std::uint64_t, kDropNames.size()> drops_{};
  std::uint64_t detections_dropped_ = 0;
  std::optional<SteadyTime> told_of_drops_;
};

}  // namespace fp
