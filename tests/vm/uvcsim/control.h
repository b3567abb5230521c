// What a test tells the simulated camera to do: lines on a FIFO.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace fp::rig {

enum class Action : std::uint8_t {
  Drop,      ///< the next N frames do not come
  Err,       ///< they come with the error bit of the payload header (UVC 1.1 table 2-5)
  Trunc,     ///< without their second half
  Corrupt,   ///< with 64 damaged bytes
  Empty,     ///< with no bytes at all
  NoTables,  ///< without their DHT segments
  Pad,       ///< with 1000 zero bytes behind EOI
  Stall,     ///< the next N transfers fail with EPIPE
  NoSpace,   ///< the next N starts of the (isochronous) stream fail with ENOSPC: no bandwidth on the bus
  Freeze,    ///< no frames for so many seconds
  Unplug,    ///< pulled off the bus for so many seconds; 0: for good, and the program ends
  Quit,
};
inline constexpr std::size_t kActions = 12;

struct Command {
  Action action = Action::Quit;
  double amount = 1;  ///< frames, transfers or seconds: 0 to 1,000,000
};

/// "trunc 2", "freeze 1.5", "quit". The amount is 1 when there is none. Error: Malformed.
[[nodiscard]] Result<Command> parse_command(std::string_view line);
[[nodiscard]] std::string_view name_of(Action action);

/// The reading end of the FIFO.
class ControlFifo {
 public:
  /// Makes the FIFO when nothing is there. It stays when the program ends.
  [[nodiscard]] static Result<ControlFifo> open(const std::string& path);
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The whole lines that have come. Does not block. Of a line of more than 4 KiB nothing is kept.
  [[nodiscard]] std::vector<std::string> read_lines();

 private:
  explicit ControlFifo(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
  std::string rest_;
};

}  // namespace fp::rig
