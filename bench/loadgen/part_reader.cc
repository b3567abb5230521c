#include "loadgen/part_reader.h"

#include <algorithm>
#include <optional>

#include "common/clock.h"
#include "common/stamp.h"
#include "loadgen/headers.h"

namespace fp::bench {
namespace {

constexpr std::size_t kHeadReadBytes = 512;  // a part's head and the stamp; what lies behind it can be discarded
constexpr std::size_t kUnsizedReadBytes = 64 << 10;
constexpr std::size_t kMaxHeadBytes = 8 << 10;
constexpr std::size_t kMaxPartBytes = 32 << 20;

}  // namespace

PartReader::Event PartReader::step(Inlet& inlet, bool copy) {
  for (;;) {
    Event event = Event::kAgain;
    const Stage before = stage_;
    switch (stage_) {
      case Stage::kHead:
        event = read_head(inlet, copy);
        break;
      case Stage::kResync:
        event = resync(inlet);
        break;
      case Stage::kSized:
        event = read_sized(inlet);
        break;
      case Stage::kUnsized:
        event = read_unsized(inlet);
        break;
    }
    if (event != Event::kAgain || stage_ == before) return event;
  }
}

// Appends what comes to carry_. kPart stands for "something came".
PartReader::Event PartReader::pull(Inlet& inlet, std::size_t most) {
  const std::size_t old_bytes = carry_.size();
  carry_.resize(old_bytes + most);
  const Inlet::Taken got = inlet.take(carry_.data() + old_bytes, most);
  carry_.resize(old_bytes + got.bytes);
  if (got.state == Inlet::State::kData) return Event::kPart;
  return got.state == Inlet::State::kEnd ? Event::kEnd : Event::kAgain;
}

PartReader::Event PartReader::malformed() {
  stage_ = Stage::kResync;
  return Event::kMalformed;
}

PartReader::Event PartReader::read_head(Inlet& inlet, bool copy) {
  for (;;) {
    const std::size_t begin = std::min(carry_.find_first_not_of("\r\n"), carry_.size());
    if (carry_.size() - begin >= 2 && carry_.compare(begin, 2, "--") != 0) return malformed();
    const std::size_t end = carry_.find("\r\n\r\n", begin);
    if (end != std::string::npos) {
      const std::string head = carry_.substr(begin, end + 4 - begin);
      carry_.erase(0, end + 4);
      return begin_part(head, copy);
    }
    if (carry_.size() > kMaxHeadBytes) {
      carry_.clear();  // it begins with a boundary, at which resync() would stop again
      return malformed();
    }
    if (const Event event = pull(inlet, kHeadReadBytes); event != Event::kPart) return event;
  }
}

PartReader::Event PartReader::begin_part(std::string_view head, bool copy) {
  if (delimiter_.empty()) delimiter_ = "\r\n" + std::string(head.substr(0, head.find("\r\n")));
  part_bytes_ = 0;
  have_bytes_ = 0;
  copy_ = copy;
  const std::optional<std::size_t> length = content_length(head);
  if (length && *length > kMaxPartBytes) return malformed();
  if (length) {
    part_bytes_ = *length;
    if (body_.size() < part_bytes_) body_.resize(part_bytes_);
    have_bytes_ = std::min(part_bytes_, carry_.size());
    std::copy_n(carry_.data(), have_bytes_, body_.data());
    carry_.erase(0, have_bytes_);
    stage_ = Stage::kSized;
  } else {
    searched_bytes_ = 0;
    arrivals_.assign(1, {carry_.size(), wall_us()});
    stage_ = Stage::kUnsized;
  }
  return Event::kAgain;
}

// Some server lost its place (or a test broke the stream on purpose): drop bytes up to the next boundary.
PartReader::Event PartReader::resync(Inlet& inlet) {
  const std::string boundary = delimiter_.empty() ? "\r\n--" : delimiter_;
  for (;;) {
    if (const std::size_t at = carry_.find(boundary); at != std::string::npos) {
      carry_.erase(0, at);
      stage_ = Stage::kHead;
      return Event::kAgain;
    }
    if (carry_.size() > boundary.size()) carry_.erase(0, carry_.size() - boundary.size());
    if (const Event event = pull(inlet, kUnsizedReadBytes); event != Event::kPart) return event;
  }
}

PartReader::Event PartReader::read_sized(Inlet& inlet) {
  const std::size_t copied_bytes = copy_ ? part_bytes_ : std::min(part_bytes_, kStampSearchBytes);
  while (have_bytes_ < part_bytes_) {
    const bool keep = have_bytes_ < copied_bytes;
    const Inlet::Taken got =
        inlet.take(keep ? body_.data() + have_bytes_ : nullptr, (keep ? copied_bytes : part_bytes_) - have_bytes_);
    if (got.state == Inlet::State::kEnd) return Event::kEnd;
    if (got.state == Inlet::State::kAgain) return Event::kAgain;
    have_bytes_ += got.bytes;
  }
  part_ = {{body_.data(), copied_bytes}, copied_bytes == part_bytes_, wall_us()};
  stage_ = Stage::kHead;
  return Event::kPart;
}

PartReader::Event PartReader::read_unsized(Inlet& inlet) {
  for (;;) {
    if (const std::size_t at = carry_.find(delimiter_, searched_bytes_); at != std::string::npos) {
      if (body_.size() < at) body_.resize(at);
      std::copy_n(carry_.data(), at, body_.data());
      carry_.erase(0, at);
      const auto arrival =
          std::find_if(arrivals_.begin(), arrivals_.end(), [&](const Arrival& a) { return a.end >= at; });
      part_ = {{body_.data(), at}, true, arrival->us};
      stage_ = Stage::kHead;
      return Event::kPart;
    }
    // A boundary may have come in half.
    searched_bytes_ = carry_.size() - std::min(carry_.size(), delimiter_.size());
    if (carry_.size() > kMaxPartBytes) return malformed();
    if (const Event event = pull(inlet, kUnsizedReadBytes); event != Event::kPart) return event;
    arrivals_.push_back({carry_.size(), wall_us()});
  }
}

}  // namespace fp::bench
