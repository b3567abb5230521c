#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/fd.h"
#include "loadgen/figures.h"
#include "loadgen/frame_checker.h"
#include "loadgen/inlet.h"
#include "loadgen/part_reader.h"

namespace fp::bench {

enum class ViewerClass : std::size_t { kNormal, kSlow, kHung };
inline constexpr std::size_t kViewerClasses = 3;

/// What all viewers of a run share.
struct Audience {
  sockaddr_in server{};
  std::string request;   ///< empty: the server speaks first and sends bare multipart
  bool copy = true;      ///< else the kernel discards all but one frame in kCopyOneIn per viewer
  double slow_rate = 0;  ///< bytes a second of a slow viewer
  Window window;
  FrameChecker checker;
};

/// One connection to the server and what came over it.
class Viewer {
 public:
  static constexpr std::uint64_t kCopyOneIn = 50;

  /// Begins to connect. `number` spreads the copied frames of --discard over time.
  Viewer(ViewerClass kind, std::size_t number, const Audience& audience);

  /// The socket is writable or readable: goes on as far as it can without waiting, for one frame at the most, so that
  /// no viewer delays the others' clock readings.
  void wake(Audience& audience, ClassFigures& figures);

  /// A whole frame has come and its bytes have not been looked at: that waits until nobody has anything to read, or
  /// until this viewer's next frame begins. A real viewer's check costs the other viewers no time.
  bool unchecked() const { return unchecked_; }
  void check(Audience& audience, ClassFigures& figures);

  /// Slow viewers: `us` have passed; reads what the rate allows.
  void pass_time(std::int64_t us, Audience& audience, ClassFigures& figures);

  /// The server gave up this connection, as the kernel's tables or a hang-up say.
  void server_closed(const std::string& reason);

  /// Adds this viewer's share to its class, once, at the end.
  void add_to(ClassFigures& figures, const Window& window) const;

  int fd() const { return socket_.get(); }
  ViewerClass kind() const { return kind_; }
  std::uint16_t local_port() const;
  /// Which epoll events matter now: hung viewers do not read, slow ones by the clock.
  std::uint32_t interest() const;
  /// The server has accepted this connection, as its first byte shows, or it is gone.
  bool settled() const;
  std::int64_t began_us() const { return began_us_; }
  bool connecting() const { return stage_ == Stage::kConnecting; }
  bool gone() const { return stage_ == Stage::kGone; }

 private:
  enum class Stage { kConnecting, kHead, kBody, kGone };

  void finish_connecting(Audience& audience);
  void read_head();
  void read_body(Audience& audience, ClassFigures& figures);
  void lose(std::string reason);

  ViewerClass kind_;
  std::uint64_t number_;
  Fd socket_;
  Inlet inlet_;
  PartReader parts_;
  Stage stage_ = Stage::kConnecting;
  std::string head_;
  std::int64_t began_us_;
  bool server_speaks_first_;
  std::int64_t first_frame_us_ = 0;
  std::int64_t lost_us_ = 0;
  std::int64_t newest_stamp_us_ = 0;
  std::uint64_t parts_seen_ = 0;
  double allowance_bytes_ = 0;
  bool accepted_ = false;   // the head came
  bool unchecked_ = false;  // the part in parts_
  std::string lost_reason_;
  ViewerFigures figures_;
};

}  // namespace fp::bench
