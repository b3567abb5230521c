// The frames of a container, one after the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "frame/skips.h"

namespace fp::record {

/// What a container has of a frame. Nothing of it has been looked at.
struct Block {
  std::string_view headers;                       ///< X- lines, each with CRLF; or nothing
  ByteView jpeg;                                  ///< this and headers: valid until the next one is read
  std::optional<std::chrono::microseconds> time;  ///< after the begin of the recording
  std::uint64_t offset = 0;                       ///< where it stands in the file, and ends, as far as that is known
  std::uint64_t end = 0;
};

/// One thread. Blocks while it reads.
class BlockReader {
 public:
  BlockReader() = default;
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;
  virtual ~BlockReader() = default;

  /// Nothing at the end. Errors: Io; Malformed (and no more can be read).
  [[nodiscard]] virtual Result<std::optional<Block>> next() = 0;
  /// When the recording began, if it says so.
  [[nodiscard]] virtual std::optional<WallTime> begin() const = 0;
  /// What was not whole.
  [[nodiscard]] virtual Skips skips() const = 0;
};

/// Opens what others wrote. `fd` is borrowed; `path` is for messages. Errors: Malformed (not to be read, or nothing in
/// it that can be played).
using OpenBlocks =
    std::function<Result<std::unique_ptr<BlockReader>>(int fd, const std::string& path, std::size_t max_frame_bytes)>;

}  // namespace fp::record
