#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loadgen/inlet.h"

namespace fp::bench {

/// Splits the body of one response into its parts. With Content-Length it can leave most of a part to the kernel;
/// without, it must see every byte to find the boundary.
class PartReader {
 public:
  enum class Event { kPart, kAgain, kEnd, kMalformed };

  /// One JPEG. Valid until the next step().
  struct Part {
    std::string_view seen;        ///< all of it, or its beginning where the rest was discarded
    bool whole = false;           ///< `seen` is the whole JPEG
    std::int64_t arrived_us = 0;  ///< wall clock at the arrival of its last byte
  };

  /// Reads on until a part is complete or the inlet has no more for now. `copy`: take every byte of a part that begins
  /// in this call. kMalformed: bytes that are no part were met; the reader goes on at the next boundary.
  Event step(Inlet& inlet, bool copy);
  const Part& part() const { return part_; }

 private:
  enum class Stage { kHead, kResync, kSized, kUnsized };
  /// Up to `end` of the body had come by `us`. Tells when a JPEG's last byte came, though only the boundary behind it
  /// shows which byte was the last.
  struct Arrival {
    std::size_t end;
    std::int64_t us;
  };

  Event read_head(Inlet& inlet, bool copy);
  Event resync(Inlet& inlet);
  Event read_sized(Inlet& inlet);
  Event read_unsized(Inlet& inlet);
  Event begin_part(std::string_view head, bool copy);
  Event malformed();
  Event pull(Inlet& inlet, std::size_t most);

  Stage stage_ = Stage::kHead;
  std::string carry_;       // read but not yet understood
  std::string delimiter_;   // CRLF and the boundary line's beginning, from the first boundary seen
  std::vector<char> body_;  // grows to the largest part and stays
  std::size_t have_bytes_ = 0;
  std::size_t part_bytes_ = 0;
  std::size_t searched_bytes_ = 0;
  bool copy_ = false;
  std::vector<Arrival> arrivals_;
  Part part_;
};

}  // namespace fp::bench
