#include "mqtt/publisher.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "mqtt/described.h"

namespace fp::mqtt {
namespace {

Blob blob_of(std::string_view text) { return Blob::copy_of(as_bytes(text)); }

// As it stands in a stream: header, JPEG, line end.
Blob framed(const Frame& frame, const PartOptions& options) {
  const std::string header = part_header(frame, options);
  Buffer buffer(header.size() + frame.jpeg.size() + 2);
  std::uint8_t* at = std::copy(header.begin(), header.end(), buffer.data());
  at = std::copy_n(frame.jpeg.data(), frame.jpeg.size(), at);
  *at++ = '\r';
  *at++ = '\n';
  const auto size = static_cast<std::size_t>(at - buffer.data());
  return std::move(buffer).into_blob(0, size);
}

}  // namespace

Publisher::Publisher(Options options, const Clock& clock)
    : options_(std::move(options)), name_(options_.url.names.front()), clock_(clock) {}

Result<std::unique_ptr<Publisher>> Publisher::open(Options options, const Clock& clock, Report report) {
  std::unique_ptr<Publisher> made(new Publisher(std::move(options), clock));
  Publisher* const publisher = made.get();
  const Options& given = made->options_;
  Client::Options wanted;
  wanted.url = given.url;
  wanted.protocol = given.protocol;
  wanted.tls = given.tls;
  wanted.will = made->status(false);
  wanted.changed = [publisher] {
    publisher->changed_.raise();
    publisher->gone_by_now();
  };
  auto link = Link::make(wanted, report);
  if (!link) return fail(std::move(link).error());
  made->link_ = std::move(*link);
  made->link_->announce(made->status(false));
  if (!given.home_assistant.empty()) {
    made->link_->announce({discovery_topic(given.home_assistant, given.url, made->name_),
                           blob_of(discovery_message(given.url, made->name_, given.version)), 0, true});
  }
  made->link_->start();
  return made;
}

// QoS 0: what is lost with a connection is said again at the next one, and nats-server, which writes QoS 1 to disks,
// lets nothing of ours pass for 4 s while its nodes choose a leader.
Message Publisher::status(bool online) const {
  return {options_.url.topic(name_, "status"), blob_of(online ? "online" : "offline"), 0, true};
}

void Publisher::set_online(bool online) {
  if (std::exchange(online_, online) != online) link_->announce(status(online));
}

Bundle Publisher::bundle_of(const Frame& frame) {
  Bundle bundle;
  bundle.reserve(2);
  const SteadyTime now = clock_.steady();
  bool retain = false;
  if (options_.retain_every.count() > 0 && (!retained_ || now >= *retained_ + options_.retain_every)) {
    retain = true;
    retained_ = now;
  }
  const std::string trace =
      options_.trace ? with_hop(frame.trace, *options_.trace, frame.received, clock_.wall()) : frame.trace;
  Blob payload = options_.framed ? framed(frame, {.camera = name_, .trace = trace}) : frame.jpeg;
  bundle.push_back({options_.url.topic(name_, "frame"), std::move(payload), options_.qos, retain});
  if (const auto detections = detections_message(frame, name_)) {
    bundle.push_back({options_.url.topic(name_, "detections"), blob_of(*detections), options_.qos, false});
  }
  return bundle;
}

// Waits until nothing is in hand. False: the program is to end.
bool Publisher::wait_for_room() {
  while (link_->in_hand() > 0) {
    std::array<pollfd, 2> fds = {pollfd{options_.stop_fd, POLLIN, 0}, {changed_.fd(), POLLIN, 0}};
    (void)::poll(fds.data(), fds.size(), -1);
    if (fds[0].revents != 0) return false;
    changed_.lower();
  }
  return true;
}

bool Publisher::put(FramePtr frame) {
  if (frame->signal != Signal::Live) return true;
  last_frame_ = clock_.steady();
  set_online(true);
  if (options_.every_frame && !wait_for_room()) return false;
  if (options_.limit > 0) {
    const std::uint64_t sent = link_->figures().sent;
    if (sent >= options_.limit) return false;
    // What is in hand may be the last one.
    if (sent + link_->in_hand() >= options_.limit) return true;
  }
  link_->put(bundle_of(*frame));
  return true;
}

void Publisher::gone_by_now() {
  const bool enough = options_.limit > 0 && link_->figures().sent >= options_.limit;
  if (enough || (draining_ && link_->in_hand() == 0)) gone_.raise();
}

void Publisher::drain() {
  draining_ = true;
  gone_by_now();
}

void Publisher::finish(std::chrono::milliseconds grace) { link_->finish({status(false)}, grace); }

Output::Figures Publisher::figures() const {
  const Client::Figures of = link_->figures();
  Figures figures;
  figures.written = of.sent;
  figures.dropped = of.dropped + of.lost + of.refused;
  figures.bytes = of.bytes;
  figures.readers = link_->connected() ? 1 : 0;
  return figures;
}

std::optional<SteadyTime> Publisher::due() const {
  if (!online_ || !last_frame_ || options_.stale.count() == 0) return std::nullopt;
  return *last_frame_ + options_.stale;
}

void Publisher::tick(SteadyTime now) {
  if (const auto until = due(); until && now >= *until) set_online(false);
}

std::string Publisher::describe() const {
  const Client::Figures of = link_->figures();
  std::string text = std::to_string(of.sent) + " published, " + std::to_string(of.dropped) + " dropped for newer ones";
  if (of.lost > 0) text += ", " + std::to_string(of.lost) + " lost with a connection";
  if (of.refused > 0) text += ", " + std::to_string(of.refused) + " refused by the broker";
  const std::string trouble = link_->trouble();
  return trouble.empty() ? text : text + "; not connected: " + trouble;
}

}  // namespace fp::mqtt
