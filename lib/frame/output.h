// Frames to an endpoint: the newest, as fast as its reader takes them and no faster.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/report.h"
#include "base/result.h"
#include "frame/endpoint.h"
#include "frame/frame.h"

namespace fp {

/// Writes frames in the format of mjpeg-frames(5) on a thread of its own.
///
/// Live (the default): put() never blocks. A frame is begun only when the reader has taken the one before (FIONREAD on
/// a pipe, SIOCOUTQ on a unix socket, SIOCOUTQNSD on TCP; not gated: files, terminals' kin); until then the newest
/// waits and the others are dropped and counted. every_frame: put() waits until the frame before has been taken over;
/// nothing is dropped.
///
/// Connecting ends, commands and FIFOs are opened again with back-off; a listening end serves up to 64 readers, each at
/// its own pace; standard output and descriptors that are closed by their reader are gone for good.
class Output {
 public:
  struct Options {
    bool every_frame = false;
    std::uint64_t limit = 0;        ///< gone() after so many frames have left; 0: no limit
    std::optional<TraceHop> trace;  ///< --trace
    bool measure = false;           ///< find out how long readers take: looks each millisecond until a frame is taken
    /// What is written of each frame instead of the frame: a line of text, without its end; called in put(). A reader
    /// may be behind by what its pipe or socket holds and 1024 lines; of more than that the oldest are dropped and
    /// counted.
    std::function<std::string(const Frame&)> line = {};
  };
  struct Figures {
    std::uint64_t written = 0;  ///< whole frames that left (to all readers of a listening end together)
    std::uint64_t dropped = 0;  ///< never begun, because a newer one came first
    std::uint64_t bytes = 0;
    std::uint64_t readers = 0;  ///< connected now
    /// With Options::measure: frames that the reader was seen to have taken out of its pipe or socket; the time from
    /// the first byte written of the last one of them to that, right to a millisecond; and how long the one that the
    /// reader has in hand takes already, 0 when there is none. What cannot be asked (a file) is taken when it is
    /// written. TCP counts as taken what is on its way. Of a listening end with several readers the times are the
    /// middle one's.
    std::uint64_t taken = 0;
    std::chrono::nanoseconds take_time{0};
    std::chrono::nanoseconds taking{0};
  };

  /// Errors: Io, when the endpoint cannot be opened at all; Unsupported for standard output on a terminal.
  [[nodiscard]] static Result<std::unique_ptr<Output>> open(const Endpoint& endpoint, Options options, Report report);
  virtual ~Output() = default;

  /// Takes the frame. False when nobody will ever read again (or the limit is reached): the tool can end.
  virtual bool put(FramePtr frame) = 0;
  /// Becomes and stays readable when put() would return false, for poll(2).
  [[nodiscard]] virtual int gone_fd() const = 0;
  /// No more frames will be put: gone_fd() becomes readable when the last one has left. Does not block.
  virtual void drain() = 0;
  /// Ends the stream on a frame boundary: what was put is still delivered, but nobody waits longer than `grace` for it.
  virtual void finish(std::chrono::milliseconds grace) = 0;
  [[nodiscard]] virtual Figures figures() const = 0;
  /// The error that made it gone, when it was not just a reader that left.
  [[nodiscard]] virtual std::optional<Error> error() const = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;  ///< of a listening TCP end

 protected:
  Output() = default;
};

}  // namespace fp
