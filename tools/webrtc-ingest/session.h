// One page: what it says and sends, and what it is told.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/report.h"
#include "frame/frame.h"
#include "loop/loop.h"
#include "rtc/ingest.h"
#include "rtc/message.h"
#include "webrtc-ingest/picture.h"
#include "webrtc-ingest/png_worker.h"
#include "webrtc-ingest/pool.h"
#include "webrtc-ingest/times.h"

namespace fp::ingest {

/// The end of a session's media: rtc::Ingest, or what a test puts in its place.
class Sender {
 public:
  virtual ~Sender() = default;
  [[nodiscard]] virtual Result<Done> take_offer(std::string_view sdp) = 0;
  virtual void take_candidate(const rtc::Candidate& candidate) = 0;
  virtual bool send_text(const std::string& text) = 0;
  [[nodiscard]] virtual rtc::Ingest::Figures figures() const = 0;
};
/// Throws Failure when GStreamer cannot make a pipeline.
using OpenSender = std::function<std::unique_ptr<Sender>(rtc::IngestEvents events)>;

/// What sessions count, those that have gone among them.
struct Counts {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t damaged = 0;       ///< pictures that are no whole JPEG or PNG
  std::uint64_t superseded = 0;    ///< PNGs that a newer one replaced before they were decoded
  std::uint64_t results = 0;       ///< lines that went to the page
  std::uint64_t unbound = 0;       ///< of those: about a frame that is not known
  std::uint64_t results_lost = 0;  ///< lines that the page did not take
  std::uint64_t offers = 0;
  std::uint64_t offers_refused = 0;
  std::uint64_t bad_messages = 0;
  Counts& operator+=(const Counts& other);
};

/// What all sessions share; outlives them.
struct Site {
  Loop& loop;
  const Clock& clock;
  Pool* pool = nullptr;                  ///< nullptr: no child
  std::function<void(FramePtr)> output;  ///< or empty
  OpenSender open;
  PngWorker& pngs;
  Latencies& latencies;
  Report report;
  std::chrono::milliseconds idle_time{60'000};  ///< without a way for pictures: then a session is ended
};

/// One thread. What a peer sends costs at most: kMostOffers offers in kOffersTime, one child, and for each picture what
/// rtc::Ingest and PngWorker say.
class Session {
 public:
  static constexpr int kMostOffers = 10;
  static constexpr std::chrono::seconds kOffersTime{60};
  static constexpr int kMostReceived = 30;  ///< messages "received" in a second

  struct Line {
    std::function<bool(std::string_view text)> send;                         ///< false: not taken
    std::function<void(std::uint16_t code, std::string_view reason)> close;  ///< of the WebSocket
  };
  /// `id`: "s-1a2b3c"; `address` of the peer, for people.
  Session(Site& site, std::string id, std::string address, Line line);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// A message of the WebSocket.
  void text(std::string_view message);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& name() const { return name_; }  ///< X-Camera
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] SteadyTime since() const { return since_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const Times& times() const { return times_; }
  [[nodiscard]] const char* how() const { return how_; }  ///< its pictures come: "data", "track", or "" for not yet
  [[nodiscard]] const char* child_state() const;          ///< "none" (nothing is asked of one), "ready" or "waiting"
  [[nodiscard]] std::optional<rtc::Ingest::Figures> media() const;

 private:
  enum class Way { Socket, Channel };
  void take(std::string_view message, Way way);
  void handle(const rtc::message::Offer& offer, Way way);
  void handle(const rtc::message::Answer& answer, Way way);
  void handle(const rtc::Candidate& candidate, Way way);
  void handle(const rtc::message::Ping& ping, Way way);
  void handle(const rtc::message::Bye& bye, Way way);
  void handle(const rtc::message::Other& other, Way way);
  void hello(const nlohmann::ordered_json& body, Way way);
  void times_word(const nlohmann::ordered_json& body, Way way);
  bool say(const std::string& text, Way way);
  bool tell(const std::string& text) { return say(text, results_go_); }
  void refuse(const std::string& text, Way way);

  [[nodiscard]] rtc::IngestEvents events();
  void opened(const char* how);
  void lost(const std::string& why);
  void picture(rtc::IncomingPicture picture);
  void made(const PngJob& job, Result<Picture> picture);
  void damaged(std::uint64_t number, const std::string& why);
  void received(const TimedFrame& frame);

  void take_child();
  void result(std::string_view line, const nlohmann::ordered_json& object);
  void child_ended(ChildEnd end, const std::string& why);
  [[nodiscard]] std::string prefix() const;

  Site& site_;
  const std::string id_;
  const std::string address_;
  const Line line_;
  const SteadyTime since_;
  Timer idle_timer_;
  std::string name_;
  bool greeted_ = false;          // it knows our words
  Way results_go_ = Way::Socket;  // and wants them here
  const char* how_ = "";
  std::unique_ptr<Sender> sender_;
  SteadyTime offers_since_{};
  int offers_ = 0;
  SteadyTime told_damaged_{};

  PictureReader reader_;
  std::optional<PngWorker::Seat> png_seat_;
  std::uint64_t arrivals_ = 0;      // pictures that came
  std::uint64_t last_arrival_ = 0;  // of those, the last that became a frame
  std::optional<std::uint64_t> last_number_;
  WallTime last_captured_{};
  SteadyTime received_since_{};  // when the second began in which
  int received_told_ = 0;        // so many were told of

  Times times_;
  std::unique_ptr<Child> child_;
  bool had_child_ = false;
  FramePtr for_child_;                     // came while there was none
  std::optional<double> newest_start_ms_;  // of the frame that came last
  std::string told_trouble_;               // of its children, and no result has come since
  Backoff backoff_;
  Timer child_timer_;
  Counts counts_;
};

}  // namespace fp::ingest
