// Whether frames are looked at: for all cameras, and as their frames order it.
#pragma once

#include <map>
#include <string>

#include "detect/overlay.h"
#include "frame/frame.h"

namespace fp::detect {

/// One thread.
class Gate {
 public:
  /// `obeys`: X-Gate and X-Overlay of a frame are orders (--control-headers); else they are left alone.
  Gate(bool open, Overlay overlay, bool obeys) : open_(open), usual_(overlay), obeys_(obeys) {}

  /// For all cameras, whatever their frames have ordered before.
  void set(bool open) {
    open_ = open;
    by_camera_.clear();
  }
  [[nodiscard]] bool open() const { return open_; }

  /// X-Gate of a camera's frame holds for that camera from this frame on, until another one or set() says otherwise
  /// (for the 256 cameras that ordered first); that of a one-off frame for this frame alone.
  [[nodiscard]] bool lets(const Frame& frame);
  [[nodiscard]] Overlay overlay_for(const Frame& frame) const;

  /// A question that belongs to no camera: it has an X-Request and no X-Camera.
  [[nodiscard]] bool is_one_off(const Frame& frame) const;

 private:
  bool open_;
  const Overlay usual_;
  const bool obeys_;
  std::map<std::string, bool> by_camera_;
};

/// The first header of that name, any case; nullptr when there is none.
[[nodiscard]] const std::string* header_of(const Frame& frame, std::string_view name);

}  // namespace fp::detect
