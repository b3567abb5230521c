#include "webrtc-serve/sessions.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fp::webrtc_serve {
namespace {

// Pipelines that are being taken down still have their threads and descriptors.
constexpr std::size_t kMostSpare = 32;

std::size_t index_of(Leave leave) { return static_cast<std::size_t>(leave); }
std::size_t index_of(Refusal refusal) { return static_cast<std::size_t>(refusal); }

bool is_own(const std::string& peer) {
  return peer == "unix" || peer == "::1" || peer.starts_with("127.") || peer.starts_with("::ffff:127.");
}

}  // namespace

const char* name_of(Leave leave) {
  constexpr std::array<const char*, kLeaves> kNames = {"left",     "lost",   "never-connected",
                                                       "replaced", "barred", "stopped"};
  return kNames[index_of(leave)];
}

const char* name_of(Refusal refusal) {
  constexpr std::array<const char*, kRefusals> kNames = {"max-viewers", "max-viewers-per-address", "busy", "pipeline",
                                                         "offer"};
  return kNames[index_of(refusal)];
}

Session::Session(ViewerList& list, Camera& camera, const Clock& clock, std::string kind, std::string peer,
                 http::RightsPtr rights)
    : Entry(list),
      clock_(clock),
      watch_(camera),
      kind_(std::move(kind)),
      peer_(std::move(peer)),
      rights_(std::move(rights)),
      since_(clock.steady()),
      second_began_(since_) {}

ViewerFigures Session::figures() const {
  const rtc::Viewer::Figures sent = viewer_->figures();
  ViewerFigures figures;
  figures.id = id();
  figures.camera = watch_.camera().name();
  figures.kind = kind_;
  figures.peer = peer_;
  figures.seconds = seconds_of(clock_.steady() - since_);
  figures.sent = sent.sent;
  figures.dropped = sent.dropped;
  figures.bytes = sent.bytes;
  figures.fps = fps_;
  return figures;
}

void Session::account() {
  const rtc::Viewer::Figures now = viewer_->figures();
  list_.totals().sent += now.sent - std::exchange(sent_, now.sent);
  list_.totals().dropped += now.dropped - std::exchange(dropped_, now.dropped);
  list_.totals().bytes += now.bytes - std::exchange(bytes_, now.bytes);
  const SteadyTime time = clock_.steady();
  const double seconds = seconds_of(time - second_began_);
  if (seconds < 1) return;
  second_began_ = time;
  fps_ = static_cast<double>(sent_ - std::exchange(sent_then_, sent_)) / seconds;
}

Refused Sessions::count(Refused refused) {
  ++totals_.refused[index_of(refused.why)];
  return refused;
}

std::optional<Refused> Sessions::refuse(const std::string& peer) const {
  if (sessions_.size() >= limits_.viewers) {
    return Refused{Refusal::Full,
                   "no further viewer: " + std::to_string(limits_.viewers) + " is the most at a time (--max-viewers)"};
  }
  const auto same = std::count_if(sessions_.begin(), sessions_.end(),
                                  [&](const auto& session) { return session.second->peer() == peer; });
  const bool limited = limits_.own_addresses_too || !is_own(peer);
  if (limited && static_cast<std::size_t>(same) >= limits_.per_address) {
    return Refused{Refusal::Address, "no further viewer of your address: " + std::to_string(limits_.per_address) +
                                         " is the most at a time (--max-viewers-per-address)"};
  }
  if (engine_.pipelines() >= limits_.viewers + kMostSpare) {
    return Refused{Refusal::Busy, "sessions that have ended are being taken down: try again"};
  }
  return std::nullopt;
}

tl::expected<Sessions::Id, Refused> Sessions::begin(const char* kind, const std::string& peer,
                                                    const http::RightsPtr& rights, std::string_view sdp,
                                                    const SessionEvents& events) {
  if (auto refused = refuse(peer)) return tl::unexpected<Refused>(count(std::move(*refused)));
  const Id id = next_++;
  auto session = std::make_unique<Session>(list_, camera_, clock_, kind, peer, rights);
  rtc::PeerOptions options;
  options.ice = ice_.options();
  rtc::PeerEvents inner;
  inner.described = events.described;
  inner.connected = [this, id] {
    Session* const one = find(id);
    one->connected_ = true;
    ++totals_.connected;
    spdlog::debug("viewer {} ({}, {}) is connected", one->id(), one->kind_, one->peer());
  };
  inner.gone = [this, id, events](const std::string& why) { over(id, why, events); };
  try {
    session->viewer_.emplace(encoder_, options, std::move(inner));
  } catch (const Failure& failure) {
    return tl::unexpected<Refused>(count({Refusal::Broken, failure.text}));
  }
  const bool must_have_video = std::string_view(kind) == "whep";
  if (auto done = session->viewer().take_offer(sdp, must_have_video); !done) {
    // An address that is gone is no fault of the offer's.
    const Refusal why = done.error().kind == Error::Kind::Io ? Refusal::Broken : Refusal::Offer;
    return tl::unexpected<Refused>(count({why, std::move(done).error().text}));
  }
  ++totals_.begun;
  sessions_.emplace(id, std::move(session));
  return id;
}

Session* Sessions::find(Id id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void Sessions::end(Id id, Leave leave) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  ++totals_.gone[index_of(leave)];
  found->second->account();
  sessions_.erase(found);
}

void Sessions::end_all(Leave leave) {
  while (!sessions_.empty()) end(sessions_.begin()->first, leave);
}

void Sessions::end_barred() {
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    const auto& [id, session] = *next++;
    if (http::still_hold(session->rights_)) continue;
    spdlog::info("viewer {} ({}, {}) may watch no more", session->id(), session->kind_, session->peer());
    end(id, Leave::Barred);
  }
}

void Sessions::over(Id id, const std::string& why, const SessionEvents& events) {
  const auto keep = events;  // it goes with the session
  const Session* const session = find(id);
  if (session == nullptr) return;
  spdlog::debug("viewer {} ({}, {}) is gone: {}", session->id(), session->kind_, session->peer(), why);
  const bool left = why == "the peer has closed it";
  end(id, !session->connected() ? Leave::Never : left ? Leave::Left : Leave::Lost);
  if (keep.gone) keep.gone(why);
}

std::size_t Sessions::connected() const {
  return static_cast<std::size_t>(
      std::count_if(sessions_.begin(), sessions_.end(), [](const auto& one) { return one.second->connected(); }));
}

void Sessions::account() {
  for (const auto& [id, session] : sessions_) session->account();
}

}  // namespace fp::webrtc_serve
