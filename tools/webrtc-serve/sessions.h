// Who watches: sessions of WebRTC, however they were asked for.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/access.h"
#include "rtc/viewer.h"
#include "serve/camera.h"
#include "serve/viewer.h"
#include "tool/ice_options.h"

namespace fp::webrtc_serve {

/// Why a session is over.
enum class Leave {
  Left,      ///< the viewer said so, or closed its WebSocket
  Lost,      ///< no word from it any more
  Never,     ///< no connection came about
  Replaced,  ///< its WebSocket began another one
  Barred,    ///< what let its viewer in holds no more: a link has expired, a user is gone
  Stopped,   ///< the server ends
};
inline constexpr std::size_t kLeaves = 6;
[[nodiscard]] const char* name_of(Leave leave);

/// Why none begins.
enum class Refusal { Full, Address, Busy, Broken, Offer };
inline constexpr std::size_t kRefusals = 5;
[[nodiscard]] const char* name_of(Refusal refusal);

struct Refused {
  Refusal why = Refusal::Offer;
  std::string text;  ///< for people
};

/// What a session tells whoever asked for it; nothing any more once Sessions::end() was called.
struct SessionEvents {
  std::function<void(const char* type, const std::string& sdp)> described;  ///< see rtc::PeerEvents
  std::function<void(const std::string& why)> gone;                         ///< it has ended by itself
};

/// One viewer. Keeps the camera going as any viewer of it does.
class Session final : public ViewerList::Entry {
 public:
  Session(ViewerList& list, Camera& camera, const Clock& clock, std::string kind, std::string peer,
          http::RightsPtr rights);

  [[nodiscard]] ViewerFigures figures() const override;
  [[nodiscard]] rtc::Viewer& viewer() { return *viewer_; }
  [[nodiscard]] const rtc::Viewer& viewer() const { return *viewer_; }
  [[nodiscard]] const std::string& peer() const { return peer_; }
  [[nodiscard]] bool connected() const { return connected_; }
  /// Adds to the list's totals what went out since the last time. To be called some times a second.
  void account();

 private:
  friend class Sessions;
  const Clock& clock_;
  const Camera::Watch watch_;
  const std::string kind_;  // "whep", "websocket"
  const std::string peer_;
  const http::RightsPtr rights_;
  const SteadyTime since_;
  bool connected_ = false;
  std::uint64_t sent_ = 0;  // what the totals have of it
  std::uint64_t dropped_ = 0;
  std::uint64_t bytes_ = 0;
  SteadyTime second_began_;
  std::uint64_t sent_then_ = 0;
  double fps_ = 0;
  std::optional<rtc::Viewer> viewer_;
};

/// All of them. One thread; goes before the encoder.
class Sessions {
 public:
  using Id = std::uint64_t;
  struct Limits {
    std::size_t viewers = 64;
    std::size_t per_address = 16;
    bool own_addresses_too = false;  ///< whether that holds for loopback and unix sockets
  };
  struct Totals {
    std::uint64_t begun = 0;
    std::uint64_t connected = 0;
    std::array<std::uint64_t, kLeaves> gone{};
    std::array<std::uint64_t, kRefusals> refused{};
  };

  Sessions(rtc::Engine& engine, rtc::Encoder& encoder, Camera& camera, const Clock& clock, const tool::Ice& ice,
           Limits limits)
      : engine_(engine), encoder_(encoder), camera_(camera), clock_(clock), ice_(ice), limits_(limits) {}
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  /// Begins one with a peer's offer. `kind`: "whep" (which must offer video) or "websocket"; `peer`: its address;
  /// `rights`: what it lives by, see end_barred(). The events come later, never from within.
  [[nodiscard]] tl::expected<Id, Refused> begin(const char* kind, const std::string& peer,
                                                const http::RightsPtr& rights, std::string_view sdp,
                                                const SessionEvents& events);
  /// Nullptr: it is over.
  [[nodiscard]] Session* find(Id id);
  /// Nothing when it is over already.
  void end(Id id, Leave leave);
  void end_all(Leave leave);
  /// Those whose rights hold no more. To be called each second or so.
  void end_barred();

  [[nodiscard]] std::size_t connected() const;
  [[nodiscard]] const std::map<Id, std::unique_ptr<Session>>& all() const { return sessions_; }
  [[nodiscard]] const Totals& totals() const { return totals_; }
  [[nodiscard]] const ViewerList& list() const { return list_; }
  /// Brings list().totals() up to date.
  void account();

 private:
  [[nodiscard]] std::optional<Refused> refuse(const std::string& peer) const;
  void over(Id id, const std::string& why, const SessionEvents& events);
  [[nodiscard]] Refused count(Refused refused);

  rtc::Engine& engine_;
  rtc::Encoder& encoder_;
  Camera& camera_;
  const Clock& clock_;
  const tool::Ice& ice_;
  const Limits limits_;
  ViewerList list_;
  Totals totals_;
  Id next_ = 1;
  std::map<Id, std::unique_ptr<Session>> sessions_;
};

}  // namespace fp::webrtc_serve
