#include "webrtc-ingest/session.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "jpeg/png.h"
#include "webrtc-ingest/words.h"

namespace fp::ingest {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr auto kTellDamaged = 1s;
constexpr auto kLivesLong = 5s;

std::optional<double> number_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<std::uint64_t> count_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  frames += other.frames;
  bytes += other.bytes;
  damaged += other.damaged;
  superseded += other.superseded;
  results += other.results;
  unbound += other.unbound;
  results_lost += other.results_lost;
  offers += other.offers;
  offers_refused += other.offers_refused;
  bad_messages += other.bad_messages;
  return *this;
}

Session::Session(Site& site, std::string id, std::string address, Line line)
    : site_(site),
      id_(std::move(id)),
      address_(std::move(address)),
      line_(std::move(line)),
      since_(site.clock.steady()),
      idle_timer_(site.loop,
                  [this] { line_.close(1008, "no pictures can come: there was no offer, or no data channel"); }),
      name_(id_),
      times_(site.latencies),
      child_timer_(site.loop, [this] { take_child(); }) {
  idle_timer_.once(site.idle_time);
}

Session::~Session() {
  sender_.reset();
  if (child_) site_.pool->retire(std::move(child_));
  if (!site_.report || counts_.frames == 0) return;
  std::string text = prefix() + "has ended after " + std::to_string(counts_.frames) + " frames";
  if (site_.pool != nullptr) text += " and " + std::to_string(counts_.results) + " results";
  if (counts_.damaged > 0) text += ", " + std::to_string(counts_.damaged) + " pictures were damaged";
  if (const std::string latencies = times_.latencies().describe(); !latencies.empty()) text += ": " + latencies;
  site_.report(Severity::Info, text);
}

std::string Session::prefix() const {
  return "session " + id_ + (name_ == id_ ? "" : " (" + name_ + ")") + " from " + address_ + " ";
}

const char* Session::child_state() const {
  if (child_) return "ready";
  return child_timer_.active() ? "waiting" : "none";
}

std::optional<rtc::Ingest::Figures> Session::media() const {
  if (!sender_) return std::nullopt;
  return sender_->figures();
}

bool Session::say(const std::string& text, Way way) {
  if (way == Way::Channel) return sender_ && sender_->send_text(text);
  return line_.send(text);
}

void Session::refuse(const std::string& text, Way way) {
  ++counts_.bad_messages;
  say(rtc::error_message(text), way);
}

// --- what the page says

void Session::text(std::string_view message) { take(message, Way::Socket); }

void Session::take(std::string_view message, Way way) {
  const auto read = rtc::parse_message(message);
  if (!read) return refuse(read.error().text, way);
  std::visit([&](const auto& word) { handle(word, way); }, *read);
}

void Session::handle(const rtc::message::Offer& offer, Way way) {
  const SteadyTime now = site_.clock.steady();
  if (now - offers_since_ >= kOffersTime) {
    offers_since_ = now;
    offers_ = 0;
  }
  ++counts_.offers;
  if (++offers_ > kMostOffers) {
    ++counts_.offers_refused;
    return line_.close(1008, "too many offers");
  }
  // A new offer is a new RTCPeerConnection: the page has begun anew.
  if (sender_) lost("the page has made a new offer");
  try {
    sender_ = site_.open(events());
  } catch (const Failure& failure) {
    ++counts_.offers_refused;
    if (site_.report) site_.report(Severity::Error, prefix() + "cannot be served: " + failure.text);
    say(rtc::error_message("no session can be made here: " + failure.text), way);
    return;
  }
  const auto taken = sender_->take_offer(offer.sdp);
  if (taken) return;
  ++counts_.offers_refused;
  sender_.reset();
  say(rtc::error_message("offer: " + taken.error().text), way);
}

void Session::handle(const rtc::message::Answer& /*answer*/, Way way) {
  refuse("an answer to nothing: the page makes the offer, and is answered", way);
}

void Session::handle(const rtc::Candidate& candidate, Way /*way*/) {
  if (sender_) sender_->take_candidate(candidate);
}

void Session::handle(const rtc::message::Ping& ping, Way way) {
  say(rtc::pong_message(ping, ms_of(site_.clock.wall())), way);
}

void Session::handle(const rtc::message::Bye& /*bye*/, Way /*way*/) { line_.close(1000, ""); }

void Session::handle(const rtc::message::Other& other, Way way) {
  if (other.type == "hello") return hello(other.body, way);
  if (other.type == "times") return times_word(other.body, way);
  // Of simple-peer: it wants to be asked for another offer, and offers anyway when it has begun.
  if (other.type == "renegotiate" || other.type == "transceiverRequest") return;
  refuse("there is no message of type \"" + printable(other.type, 40) + "\" here", way);
}

void Session::hello(const Json& body, Way way) {
  if (const auto name = body.find("name"); name != body.end() && name->is_string()) {
    const std::string wanted = camera_name(name->get_ref<const std::string&>());
    name_ = wanted.empty() ? id_ : wanted;
  }
  greeted_ = true;
  results_go_ = way;
  say(session_message(id_, name_), way);
  if (child_) say(child_message("ready"), way);
}

void Session::times_word(const Json& body, Way way) {
  const auto offset = number_at(body, "offset_ms");
  if (offset && !times_.set_offset(*offset, number_at(body, "error_ms").value_or(0))) {
    return refuse("times: \"offset_ms\" and \"error_ms\" are no times that can be", way);
  }
  const auto frame = count_at(body, "frame");
  const auto end = number_at(body, "T_end");
  if (!frame && offset) return;  // also of a result about no frame that is known
  if (!frame || !end) return refuse("times: \"frame\" and \"T_end\" are wanted, numbers both", way);
  times_.end(*frame, *end);
}

// --- what the page sends

rtc::IngestEvents Session::events() {
  rtc::IngestEvents events;
  events.peer.described = [this](const char* type, const std::string& sdp) {
    say(rtc::description_message(type, sdp), Way::Socket);
  };
  events.peer.gone = [this](const std::string& why) {
    lost(why);
    say(rtc::error_message("the connection for pictures has ended: " + why), Way::Socket);
  };
  events.open = [this](const char* how) { opened(how); };
  events.picture = [this](rtc::IncomingPicture picture) { this->picture(std::move(picture)); };
  events.text = [this](const std::string& text) { take(text, Way::Channel); };
  return events;
}

void Session::opened(const char* how) {
  how_ = how;
  idle_timer_.cancel();
  if (site_.report) {
    site_.report(Severity::Info, prefix() + (std::string(how) == "track" ? "sends a track of video"
                                                                         : "sends pictures over a data channel"));
  }
  if (site_.pool != nullptr && !child_ && !child_timer_.active()) take_child();
}

void Session::lost(const std::string& why) {
  if (site_.report) site_.report(Severity::Debug, prefix() + "has lost its connection: " + why);
  how_ = "";
  idle_timer_.once(site_.idle_time);
  results_go_ = Way::Socket;
  // It may be the one that calls.
  site_.loop.defer([gone = std::shared_ptr<Sender>(std::move(sender_))] {});
}

void Session::picture(rtc::IncomingPicture picture) {
  PngJob job;
  job.received = site_.clock.wall();
  job.arrival = ++arrivals_;
  job.number = picture.number ? *picture.number : last_number_.value_or(0) + 1;
  job.captured_ms = picture.captured_ms;
  last_number_ = job.number;
  counts_.bytes += picture.bytes.size();
  if (!jpeg::is_png(picture.bytes)) return made(job, reader_.jpeg(std::move(picture.bytes)));
  if (!png_seat_) {
    png_seat_.emplace(site_.pngs, [this](const PngJob& done, Result<Picture> read) { made(done, std::move(read)); });
  }
  job.bytes = std::move(picture.bytes);
  if (!png_seat_->put(std::move(job))) ++counts_.superseded;
}

void Session::damaged(std::uint64_t number, const std::string& why) {
  ++counts_.damaged;
  const SteadyTime now = site_.clock.steady();
  if (now - told_damaged_ < kTellDamaged) return;
  told_damaged_ = now;
  if (greeted_) tell(damaged_message(number, why));
  if (site_.report) site_.report(Severity::Warning, prefix() + "has sent a damaged picture: " + why);
}

void Session::made(const PngJob& job, Result<Picture> picture) {
  if (!picture) return damaged(job.number, picture.error().text);
  if (job.arrival < last_arrival_) {
    ++counts_.superseded;  // a PNG that a JPEG has overtaken
    return;
  }
  last_arrival_ = job.arrival;
  auto frame = std::make_shared<Frame>();
  frame->jpeg = std::move(picture->jpeg);
  frame->picture = picture->info;
  frame->sequence = job.number;
  frame->received = job.received;
  frame->camera = name_;
  // The offset changes when the page has measured it better; time does not go back for that.
  frame->captured = std::max(times_.captured(job.captured_ms, job.received), last_captured_ + 1us);
  last_captured_ = frame->captured;
  newest_start_ms_ = job.captured_ms;
  ++counts_.frames;
  if (site_.output) site_.output(frame);
  if (site_.pool == nullptr) {
    times_.given(job.number, job.captured_ms, job.received);
    return received({job.number, job.captured_ms, job.received, std::nullopt, false});
  }
  if (!child_) {
    for_child_ = std::move(frame);
    return;
  }
  child_->put(std::move(frame));
}

void Session::received(const TimedFrame& frame) {
  if (!greeted_) return;
  const SteadyTime now = site_.clock.steady();
  if (now - received_since_ >= 1s) {
    received_since_ = now;
    received_told_ = 0;
  }
  if (++received_told_ <= kMostReceived) tell(received_message(frame));
}

// --- its child

void Session::take_child() {
  auto taken = site_.pool->take();
  if (!taken) return child_ended(ChildEnd::Ended, taken.error().text);
  child_ = std::move(*taken);
  ChildEvents events;
  // What is given is always what came last: one that came later would have taken its place.
  events.given = [this](const FramePtr& frame) { times_.given(frame->sequence, newest_start_ms_, frame->received); };
  events.line = [this](std::string_view line, const Json& object) { result(line, object); };
  events.ended = [this](ChildEnd end, const std::string& why) { child_ended(end, why); };
  child_->attach(std::move(events));
  if (greeted_) tell(child_message(std::exchange(had_child_, true) ? "restarted" : "ready"));
  had_child_ = true;
  if (FramePtr frame = std::exchange(for_child_, nullptr)) child_->put(std::move(frame));
}

void Session::result(std::string_view line, const Json& object) {
  backoff_.reset();
  told_trouble_.clear();
  const WallTime now = site_.clock.wall();
  const TimedFrame* const frame = times_.bind(object, now);
  if (frame == nullptr) ++counts_.unbound;
  if (tell(result_message(frame, now, line))) {
    ++counts_.results;
  } else {
    ++counts_.results_lost;
  }
  if (frame != nullptr && site_.report) {
    site_.report(Severity::Debug, prefix() + "has a result for frame " + std::to_string(frame->number) + " after " +
                                      std::to_string((now - frame->received) / 1ms) + " ms");
  }
}

void Session::child_ended(ChildEnd end, const std::string& why) {
  if (child_) {
    if (site_.clock.steady() - child_->started() >= kLivesLong) backoff_.reset();
    site_.pool->count_end(end);
    site_.pool->retire(std::move(child_));
  }
  // A command that always ends is started again and again, and told of once.
  if (site_.report && told_trouble_ != why) {
    site_.report(Severity::Warning, prefix() + "has lost its child: " + why + "; it gets another one");
  }
  told_trouble_ = why;
  if (greeted_) tell(child_message(end == ChildEnd::Hung ? "hung" : "ended", why));
  child_timer_.once(backoff_.next());
}

}  // namespace fp::ingest
