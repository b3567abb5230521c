// One JPEG, the newest, or one that is yet to come.
#pragma once

#include <functional>
#include <optional>

#include "http/connection.h"
#include "http/message.h"
#include "hub/hub.h"
#include "loop/loop.h"
#include "serve/camera.h"

namespace fp {

/// What a snapshot must be like: `max_age` and `after` of the query.
struct SnapshotWish {
  std::optional<std::chrono::milliseconds> max_age = std::nullopt;
  std::optional<std::uint64_t> after = std::nullopt;   ///< a higher sequence number, or any of a source that began anew
  std::optional<std::uint64_t> beyond = std::nullopt;  ///< a packet with a higher index: one that came since
  std::string known_etag = {};                         ///< If-None-Match
};

/// Whether the newest frame of `camera` is as wished.
[[nodiscard]] bool satisfies(const Camera& camera, const PacketPtr& packet, const SnapshotWish& wish, WallTime now);
/// The answer with that frame, or 304 when the peer has it already.
[[nodiscard]] http::Response snapshot_response(const Camera& camera, const Packet& packet, const SnapshotWish& wish);
/// 503 with Retry-After, saying why.
[[nodiscard]] http::Response no_snapshot(const Camera& camera);

/// Waits for such a frame and answers, with 503 after ten seconds.
class SnapshotWaiter final : public http::Body, public Subscriber {
 public:
  using Answer = std::function<void(http::Connection&, http::Response)>;
  SnapshotWaiter(Loop& loop, const Clock& clock, http::Connection& connection, Camera& camera, SnapshotWish wish,
                 Answer answer);
  ~SnapshotWaiter() override;
  void writable() override {}
  bool finish() override { return true; }
  void frame_arrived() override;
  void hub_closed() override;

 private:
  const Clock& clock_;
  http::Connection& connection_;
  Camera::Watch watch_;
  SnapshotWish wish_;
  Answer answer_;
  bool answered_ = false;
  Timer give_up_;
};

}  // namespace fp
