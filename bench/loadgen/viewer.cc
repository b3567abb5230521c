#include "loadgen/viewer.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/clock.h"
#include "loadgen/headers.h"

namespace fp::bench {
namespace {

constexpr std::size_t kMaxHeadBytes = 64 << 10;
constexpr double kMaxAllowanceSeconds = 0.1;  // what a slow viewer may catch up on after it found nothing to read

}  // namespace

Viewer::Viewer(ViewerClass kind, std::size_t number, const Audience& audience)
    : kind_(kind),
      number_(number),
      socket_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")),
      inlet_(socket_.get()),
      began_us_(wall_us()),
      server_speaks_first_(audience.request.empty()) {
  const auto* const address = reinterpret_cast<const sockaddr*>(&audience.server);
  if (::connect(socket_.get(), address, sizeof audience.server) != 0 && errno != EINPROGRESS) {
    lose(std::string("connect: ") + std::strerror(errno));
  }
}

bool Viewer::settled() const {
  // Viewers that do not read at once cannot tell; the head alone, where there is one, shows them.
  const bool blind = server_speaks_first_ && kind_ != ViewerClass::kNormal;
  return gone() || (blind ? accepted_ : inlet_.received_bytes() > 0);
}

std::uint16_t Viewer::local_port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

std::uint32_t Viewer::interest() const {
  switch (stage_) {
    case Stage::kConnecting:
      return EPOLLOUT;
    case Stage::kHead:
      return EPOLLIN | EPOLLRDHUP;
    case Stage::kBody:
      break;
    case Stage::kGone:
      return 0;
  }
  // Edge-triggered where nothing is read at once: a hang-up would be reported over and over.
  return kind_ == ViewerClass::kNormal ? std::uint32_t{EPOLLIN | EPOLLRDHUP} : std::uint32_t{EPOLLRDHUP | EPOLLET};
}

void Viewer::wake(Audience& audience, ClassFigures& figures) {
  inlet_.wake();
  if (stage_ == Stage::kConnecting) finish_connecting(audience);
  if (stage_ == Stage::kHead) read_head();
  if (stage_ == Stage::kBody && kind_ == ViewerClass::kNormal) read_body(audience, figures);
}

void Viewer::finish_connecting(Audience& audience) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return lose(std::string("connect: ") + std::strerror(error));
  if (audience.request.empty()) {
    accepted_ = true;
    stage_ = Stage::kBody;
    return;
  }
  // A fresh socket's buffer holds any request whole.
  if (::send(socket_.get(), audience.request.data(), audience.request.size(), MSG_NOSIGNAL) < 0) {
    return lose(std::string("send: ") + std::strerror(errno));
  }
  stage_ = Stage::kHead;
}

void Viewer::read_head() {
  for (;;) {
    std::array<char, 1024> some{};
    const Inlet::Taken got = inlet_.take(some.data(), some.size());
    if (got.state == Inlet::State::kEnd) return lose(inlet_.end_reason());
    if (got.state == Inlet::State::kAgain) return;
    head_.append(some.data(), got.bytes);
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (head_.size() > kMaxHeadBytes) return lose("the response's head is too long");
      continue;
    }
    if (const int status = http_status(head_); status != 200) return lose("status " + std::to_string(status));
    inlet_.unread(std::string_view(head_).substr(end + 4));
    head_.resize(end + 2);
    if (header(head_, "Transfer-Encoding") == "chunked") inlet_.expect_chunks();
    accepted_ = true;
    stage_ = Stage::kBody;
    return;
  }
}

void Viewer::pass_time(std::int64_t us, Audience& audience, ClassFigures& figures) {
  if (stage_ != Stage::kBody) return;
  allowance_bytes_ += audience.slow_rate * static_cast<double>(us) / 1e6;
  allowance_bytes_ = std::min(allowance_bytes_, std::max(1.0, audience.slow_rate * kMaxAllowanceSeconds));
  const auto budget = static_cast<std::size_t>(allowance_bytes_);
  inlet_.wake();
  inlet_.set_budget(budget);
  std::uint64_t parts_before = 0;
  do {
    parts_before = parts_seen_;
    read_body(audience, figures);
  } while (stage_ == Stage::kBody && parts_seen_ != parts_before);
  allowance_bytes_ -= static_cast<double>(budget - inlet_.budget());
}

void Viewer::read_body(Audience& audience, ClassFigures& figures) {
  if (unchecked_) check(audience, figures);
  const bool copy = audience.copy || parts_seen_ % kCopyOneIn == number_ % kCopyOneIn;
  const std::uint64_t bytes_before = inlet_.received_bytes();
  const PartReader::Event event = parts_.step(inlet_, copy);
  const bool measured = audience.window.holds(wall_us());
  if (measured) figures_.bytes += inlet_.received_bytes() - bytes_before;
  switch (event) {
    case PartReader::Event::kAgain:
      return;
    case PartReader::Event::kEnd:
      return lose(inlet_.end_reason());
    case PartReader::Event::kMalformed:
      figures_.malformed += measured ? 1 : 0;
      return;
    case PartReader::Event::kPart:
      ++parts_seen_;
      if (first_frame_us_ == 0) first_frame_us_ = parts_.part().arrived_us;
      unchecked_ = true;
      return;
  }
}

void Viewer::check(Audience& audience, ClassFigures& figures) {
  unchecked_ = false;
  const PartReader::Part& part = parts_.part();
  const FrameChecker::Result result = audience.checker.check(part);
  const std::int64_t newest_us = newest_stamp_us_;
  if (result.stamp) newest_stamp_us_ = std::max(newest_stamp_us_, result.stamp->emitted_us);
  if (!audience.window.holds(part.arrived_us)) return;

  ++figures_.frames;
  if (part.whole) ++figures_.checked_frames;
  if (result.verdict == FrameChecker::Verdict::kBad) ++figures_.bad_frames;
  if (result.verdict == FrameChecker::Verdict::kUnstamped) ++figures_.unstamped_frames;
  if (!result.stamp) return;
  if (result.stamp->emitted_us < newest_us) ++figures_.order_errors;
  if (result.stamp->emitted_us == newest_us) ++figures_.repeated_frames;
  const std::int64_t age_us = part.arrived_us - result.stamp->emitted_us;
  figures.ages_us.push_back(age_us);
  const std::int64_t second = (part.arrived_us - audience.window.begin_us) / 1'000'000;
  std::int64_t& max_us = figures.max_age_by_span[second - second % ClassFigures::kSpanSeconds];
  max_us = std::max(max_us, age_us);
}

void Viewer::server_closed(const std::string& reason) {
  if (!gone()) lose(reason);
}

void Viewer::lose(std::string reason) {
  stage_ = Stage::kGone;
  lost_us_ = wall_us();
  lost_reason_ = std::move(reason);
  socket_.close();
}

void Viewer::add_to(ClassFigures& figures, const Window& window) const {
  ++figures.requested;
  if (accepted_) ++figures.connected;
  const bool lost = !accepted_ || (gone() && lost_us_ < window.end_us);
  if (lost) {
    ++figures.lost;
    ++figures.lost_reasons[lost_reason_.empty() ? "no answer" : lost_reason_];
    if (accepted_) figures.closed_after_s.push_back(static_cast<double>(lost_us_ - began_us_) / 1e6);
  } else if (figures_.frames == 0 && kind_ != ViewerClass::kHung) {
    ++figures.starved;
  }
  if (first_frame_us_ != 0) figures.first_frame_us.push_back(first_frame_us_ - began_us_);
  figures.sum.frames += figures_.frames;
  figures.sum.bytes += figures_.bytes;
  figures.sum.checked_frames += figures_.checked_frames;
  figures.sum.bad_frames += figures_.bad_frames;
  figures.sum.unstamped_frames += figures_.unstamped_frames;
  figures.sum.repeated_frames += figures_.repeated_frames;
  figures.sum.order_errors += figures_.order_errors;
  figures.sum.malformed += figures_.malformed;
  if (lost) return;
  const double fps = static_cast<double>(figures_.frames) / window.seconds();
  const auto kept = static_cast<double>(figures.requested - figures.lost);  // this one included
  figures.fps_min = kept == 1.0 ? fps : std::min(figures.fps_min, fps);
  figures.fps_mean += (fps - figures.fps_mean) / kept;
}

}  // namespace fp::bench
