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

class Session;

/// What callbacks on GStreamer's threads hold of a session: never the session itself, whose end is the loop's business
/// (a last reference that is dropped by a thread of the pipeline would wait for that very thread). Any thread, while
/// the loop lives.
class Caller {
 public:
  Caller(Loop& loop, std::weak_ptr<Session> session)
      : loop_(&loop), session_(std::move(session)), heard_(std::make_shared<std::atomic<SteadyTime::rep>>(0)) {}
  /// `function` is called with the session on the loop's thread, if it is there still.
  template <typename Function>
  void post(Function function) const {
    loop_->post([weak = session_, call = std::move(function)] {
      if (const auto session = weak.lock()) call(*session);
    });
  }
  /// Something has come from the peer.
  void heard() const { *heard_ = SystemClock().steady().time_since_epoch().count(); }
  [[nodiscard]] SteadyTime last_heard() const { return SteadyTime(SteadyTime::duration(heard_->load())); }

 private:
  Loop* loop_;
  std::weak_ptr<Session> session_;
  std::shared_ptr<std::atomic<SteadyTime::rep>> heard_;
};

/// Owned by a shared pointer, of the loop's thread alone: what webrtcbin's threads have to tell goes through a Caller.
/// After gone() or close() nothing more is told.
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
  [[nodiscard]] const Caller& caller();
  /// From now on a peer from which nothing has come for PeerOptions::silence is gone.
  void watch_for_silence();
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
  std::optional<Caller> caller_;
  PeerState state_ = PeerState::Negotiating;
  const char* describing_ = nullptr;  // "answer" or "offer", while candidates are gathered for it
  bool started_ = false;
  bool remote_set_ = false;
  std::optional<Description> offered_;  // by us, and not answered yet
  std::vector<Candidate> early_;        // candidates that came before the description
  std::size_t candidates_ = 0;
  const SteadyTime began_;
  SteadyTime gathering_since_{};
  bool watches_silence_ = false;
  Timer look_timer_;
};

}  // namespace fp::rtc
