// Finds the end of a JPEG by walking its segments (ITU-T T.81 annex B), as its bytes arrive.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace fp::jpeg {

/// What the segments say about a picture. Nothing is decoded.
struct Info {
  std::uint16_t width_px = 0;
  std::uint16_t height_px = 0;
  std::uint8_t components = 0;
  std::uint8_t sof = 0;              ///< the low nibble of SOFn: 0 baseline, 1 extended, 2 progressive
  std::size_t sof_offset = 0;        ///< of the marker's 0xFF
  bool huffman_tables = false;       ///< a DHT segment came before the first scan
  bool quantisation_tables = false;  ///< a DQT segment came before the first scan
  bool adobe_app14 = false;
  std::uint16_t restart_interval_mcus = 0;
  std::size_t first_scan_offset = 0;  ///< of the first SOS marker's 0xFF
};

/// An incremental walk over one JPEG that starts at offset 0 of a buffer which grows at its end.
///
/// Never mistakes the EOI of an EXIF thumbnail for the end, since segments are skipped by their lengths.
/// Keeps no bytes, only offsets: the caller keeps the buffer. Linear in the bytes, whatever they are.
class Walker {
 public:
  enum class Status {
    More,  ///< whole so far: call again with more bytes
    Done,  ///< end() is the offset behind EOI
    Bad,   ///< not a JPEG, or a damaged one: reason() and position() say what and where
  };

  /// Goes on where the last call stopped. `bytes` is the whole buffer from SOI on, at least as long as last time.
  Status walk(ByteView bytes);

  [[nodiscard]] const Info& info() const { return info_; }
  [[nodiscard]] std::size_t position() const {
    return position_;
  }  ///< of the next byte to look at; after Done: the end
  [[nodiscard]] std::size_t end() const { return position_; }
  /// After Bad: another picture begins at or inside what was walked, so this one was cut off rather than damaged.
  [[nodiscard]] bool cut_off() const { return cut_off_; }
  [[nodiscard]] const char* reason() const { return reason_; }

 private:
  enum class State { Start, Marker, Scan, Done, Bad };
  Status bad(const char* reason);
  void marker(ByteView bytes);
  void segment(ByteView payload, std::uint8_t code, std::size_t at);
  void scan(ByteView bytes);

  State state_ = State::Start;
  std::size_t position_ = 0;
  const char* reason_ = "";
  bool cut_off_ = false;
  Info info_;
};

}  // namespace fp::jpeg
