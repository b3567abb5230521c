// quality=auto: which variant one viewer should have, by how fast it takes frames.
#pragma once

#include <optional>
#include <string>

#include "frame/adaptive.h"
#include "serve/variant_key.h"

namespace fp {

/// Measures from when a frame is there for a viewer that has taken the one before until its socket has taken this one:
/// also what passes before the socket has room to begin. One thread.
class AutoQuality {
 public:
  /// `asked` has the width and height; `fps` is the viewer's, or 0 for the camera's.
  AutoQuality(const VariantKey& asked, double fps, const Clock& clock)
      : asked_(asked), clock_(clock), adaptive_({.target_fps = fps}, clock) {}

  /// There is a frame for the viewer, and it is not busy; or it is, then nothing changes.
  void begin();
  /// The socket has taken the frame.
  void taken();
  /// It has gone over to another variant, and what it waited for until now says nothing about that.
  void moved() { began_.reset(); }
  /// The camera has had so many frames so far. One line for people when the level changes.
  [[nodiscard]] std::optional<std::string> judge(std::uint64_t frames);
  [[nodiscard]] VariantKey key() const;

 private:
  const VariantKey asked_;
  const Clock& clock_;
  Adaptive adaptive_;
  std::optional<SteadyTime> began_;
};

}  // namespace fp
