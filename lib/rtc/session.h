// What viewers and ingest have in common: a pipeline around webrtcbin, its descriptions, its candidates, its end. For
// lib/rtc alone.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "rtc/engine_impl.h"
#include "rtc/gst.h"
#include "rtc/peer.h"

struct GstWebRTCSessionDescription;

namespace fp::rtc {

/// Owned by a shared pointer: what webrtcbin's threads have to tell goes through the loop, and finds the session by a
/// weak one. All calls on the loop's thread. After gone() or close() nothing more is told.
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// An own pipeline with a webrtcbin and nothing else in it, not running yet. Throws Failure (Unavailable).
  Session(std::shared_ptr<Engine::Impl> engine, const PeerOptions& options, PeerEvents events);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Sets the options that must stand before anything else, and starts the pipeline. Errors: Io (no such address here).
  [[nodiscard]] Result<Done> start();
  /// Answers an offer; PeerEvents::described comes with the answer.
  void answer(const std::string& sdp);
  /// Makes an offer out of what the pipeline has.
  void offer();
  /// Of our offer. Errors: Malformed, also when there is no offer to be answered, or its m-lines are other ones:
  /// webrtcbin of GStreamer 1.22 ends the program over those.
  [[nodiscard]] Result<Done> take_answer(const Description& answer);
  void take_candidate(const Candidate& candidate);
  /// The session has ended, for this reason; tells the owner.
  void end(const std::string& why);
  /// Lets go of the pipeline without a word.
  void close();

  [[nodiscard]] PeerState state() const { return state_; }
  [[nodiscard]] GstElement* pipeline() const { return pipeline_.get(); }
  [[nodiscard]] GstElement* webrtc() const { return webrtc_.get(); }
  /// Something has come from the peer. Any thread.
  void heard();
  /// From now on a peer from which nothing has come for PeerOptions::silence is gone.
  void watch_for_silence();
  /// For whatever is called on another thread: `function` is called on the loop's thread, if the session is there
  /// still.
  template <typename Function>
  void post(Function function) {
    engine_->loop.post([weak = weak_from_this(), call = std::move(function)] {
      if (const auto self = weak.lock()) call(*self);
    });
  }
  [[nodiscard]] Engine::Impl& engine() const { return *engine_; }

 private:
  using Next = void (Session::*)();
  void set_remote(int type, const std::string& sdp, Next next);
  void set_local(GstWebRTCSessionDescription* description, const char* member);
  void make_answer();
  void make_description(const char* signal, const char* member);
  void answered();
  void describe();
  void state_changed();
  void look();  // now and then: at what takes too long
  [[nodiscard]] Result<Done> set_ice();

  const std::shared_ptr<Engine::Impl> engine_;
  const PeerOptions options_;
  PeerEvents events_;
  const SystemClock clock_;
  ElementRef pipeline_;
  ElementRef webrtc_;
  PeerState state_ = PeerState::Negotiating;
  const char* describing_ = nullptr;  // "answer" or "offer", while candidates are gathered for it
  bool remote_set_ = false;
  std::optional<Description> offered_;  // by us, and not answered yet
  std::vector<Candidate> early_;  // candidates that came before the description
  std::size_t candidates_ = 0;
  const SteadyTime began_;
  SteadyTime gathering_since_{};
  bool watches_silence_ = false;
  std::atomic<SteadyTime::rep> heard_{0};
  Timer look_timer_;
};

}  // namespace fp::rtc
