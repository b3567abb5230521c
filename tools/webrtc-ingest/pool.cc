#include "webrtc-ingest/pool.h"

#include <poll.h>

#include <algorithm>

namespace fp::ingest {
namespace {

using namespace std::chrono_literals;

constexpr auto kGrace = 300ms;
constexpr auto kLook = 20ms;
constexpr auto kLivesLong = 5s;  // then its end is no reason to wait before the next one
constexpr std::size_t kMostSaid = 32;

}  // namespace

Pool::Pool(Loop& loop, const Clock& clock, ChildOptions options, std::size_t warm, Report report)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      wanted_(warm),
      report_(std::move(report)),
      fill_timer_(loop, [this] { fill(); }),
      bury_timer_(loop, [this] { bury(); }) {
  fill();
}

Pool::~Pool() {
  while (!warm_.empty()) {
    retire(std::move(warm_.front()));
    warm_.pop_front();
  }
  const SteadyTime until = clock_.steady() + kGrace;
  const auto all_ended = [&] {
    return std::all_of(leaving_.begin(), leaving_.end(), [](const Leaving& one) { return one.child->has_ended(); });
  };
  while (!all_ended() && clock_.steady() < until) ::poll(nullptr, 0, 5);
}

// Children of one command say the same.
void Pool::report_once(Severity severity, const std::string& text) {
  if (said_.size() >= kMostSaid || !said_.insert(text).second || !report_) return;
  report_(severity, "--exec: " + text);
}

Result<std::unique_ptr<Child>> Pool::start() {
  auto child = Child::start(loop_, clock_, options_,
                            [this](Severity severity, const std::string& text) { report_once(severity, text); });
  if (child) ++figures_.started;
  return child;
}

std::string Pool::trouble() const {
  const SteadyTime now = clock_.steady();
  const bool well =
      std::any_of(warm_.begin(), warm_.end(), [&](const auto& child) { return now - child->started() >= kLivesLong; });
  return well ? "" : trouble_;
}

void Pool::fill() {
  while (warm_.size() < wanted_) {
    auto child = start();
    if (!child) return lost(nullptr, ChildEnd::Ended, child.error().text);
    const Child* const it = child->get();
    ChildEvents events;
    events.ended = [this, it](ChildEnd end, const std::string& why) { lost(it, end, why); };
    (*child)->attach(std::move(events));
    warm_.push_back(std::move(*child));
  }
}

// One that waited has ended, or (nullptr) could not be started.
void Pool::lost(const Child* child, ChildEnd end, const std::string& why) {
  const auto found = std::find_if(warm_.begin(), warm_.end(), [&](const auto& one) { return one.get() == child; });
  if (found != warm_.end()) {
    if (clock_.steady() - child->started() >= kLivesLong) backoff_.reset();
    count_end(end);
    std::unique_ptr<Child> gone = std::move(*found);
    warm_.erase(found);
    retire(std::move(gone));
  }
  if (trouble_ != why && report_) {
    report_(Severity::Warning, "--exec: a child that nobody uses yet has ended: " + why + "; starting it again");
  }
  trouble_ = why;
  if (!fill_timer_.active()) fill_timer_.once(backoff_.next());
}

Result<std::unique_ptr<Child>> Pool::take() {
  if (warm_.empty()) return start();
  std::unique_ptr<Child> child = std::move(warm_.front());
  warm_.pop_front();
  if (clock_.steady() - child->started() >= kLivesLong) {
    backoff_.reset();
    trouble_.clear();
  }
  if (!fill_timer_.active()) fill_timer_.once(0ns);
  return child;
}

void Pool::count_end(ChildEnd end) {
  ++figures_.ended;
  if (end == ChildEnd::Hung) ++figures_.hung;
}

void Pool::retire(std::unique_ptr<Child> child) {
  if (!child) return;
  const Child::Figures& figures = child->figures();
  figures_.given += figures.given;
  figures_.superseded += figures.superseded;
  figures_.lines += figures.lines;
  figures_.malformed += figures.malformed;
  child->let_go();
  leaving_.push_back({std::move(child), clock_.steady() + kGrace});
  if (!bury_timer_.active()) bury_timer_.once(kLook);
}

void Pool::bury() {
  const SteadyTime now = clock_.steady();
  std::erase_if(leaving_, [&](Leaving& one) { return now >= one.until || one.child->has_ended(); });
  if (!leaving_.empty()) bury_timer_.once(kLook);
}

}  // namespace fp::ingest
