#include "source/y4m.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace fp {
namespace {

constexpr std::size_t kMostHeadBytes = 1024;
constexpr std::size_t kMostLineBytes = 256;
constexpr std::size_t kChunkBytes = 1u << 20;
constexpr std::size_t kBytesPerTurn = 64u << 20;
constexpr int kMostSide = 16384;
constexpr std::string_view kMagic = "YUV4MPEG2";
constexpr std::string_view kFrame = "FRAME";

bool readable_now(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

Y4m::Y4m(int fd, std::string name, Options options, const Clock& clock, Report report)
    : fd_(fd),
      name_(std::move(name)),
      options_(options),
      clock_(&clock),
      skip_reporter_(name_, std::move(report)),
      encoder_(options.quality_percent),
      buffer_(kChunkBytes) {
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0;
  if (known && S_ISREG(info.st_mode)) options_.every_frame = true;
  // A raw picture is large: without this its writer is woken for each 64 KiB. May be refused.
  if (known && S_ISFIFO(info.st_mode)) ::fcntl(fd, F_SETPIPE_SZ, static_cast<int>(kChunkBytes));
}

Producer::Wait Y4m::wait() const {
  const bool more = picture_waits_ || at_end_;
  return {more ? -1 : fd_, false, more ? std::optional(clock_->steady()) : std::nullopt};
}

void Y4m::refuse(std::string why) {
  error_ = Error{Error::Kind::Malformed, 0, name_ + ": " + std::move(why)};
  ended_ = true;
}

bool Y4m::read_head(std::string_view line) {
  if (!line.starts_with(kMagic)) {
    refuse("no YUV4MPEG2 (as 'ffmpeg ... -f yuv4mpegpipe -' writes it)");
    return false;
  }
  std::string colour = "420";
  layout_ = {};
  for (const std::string_view token : split(line.substr(kMagic.size()), ' ')) {
    if (token.empty()) continue;
    const std::string_view value = token.substr(1);
    switch (token[0]) {
      case 'W':
        layout_.size.width_px = parse_integer<int>(value).value_or(0);
        break;
      case 'H':
        layout_.size.height_px = parse_integer<int>(value).value_or(0);
        break;
      case 'C':
        colour = std::string(value);
        break;
      case 'X':
        if (value == "COLORRANGE=FULL") layout_.full_range = true;
        break;
      default:
        break;
    }
  }
  const auto [width, height] = layout_.size;
  if (width < 1 || height < 1 || width > kMostSide || height > kMostSide) {
    refuse("no size of 1x1 to 16384x16384 in its head");
    return false;
  }
  if (colour == "420" || colour == "420jpeg" || colour == "420mpeg2" || colour == "420paldv") {
    layout_.format = RawFormat::Yu12;
  } else if (colour == "422") {
    layout_.format = RawFormat::Yuv422p;
  } else if (colour == "444") {
    layout_.format = RawFormat::Yuv444p;
  } else if (colour == "mono") {
    layout_.format = RawFormat::Grey;
  } else {
    refuse("samples of C" + printable(colour, 40) + " are not supported (ffmpeg: -pix_fmt yuv420p)");
    return false;
  }
  picture_bytes_ = raw_bytes(layout_);
  if (picture_bytes_ > options_.max_frame_bytes) {
    refuse("pictures of " + human_bytes(picture_bytes_) + " are over --max-frame-bytes");
    return false;
  }
  buffer_.reserve(picture_bytes_ + kChunkBytes);
  return true;
}

bool Y4m::parse() {
  const std::string_view text = as_text(ByteView(buffer_.data() + begin_, have()));
  switch (state_) {
    case State::Head: {
      const auto end = text.substr(0, kMostHeadBytes).find('\n');
      if (end == std::string_view::npos) {
        const bool hopeless =
            text.substr(0, kMagic.size()) != kMagic.substr(0, text.size()) || have() >= kMostHeadBytes;
        if (hopeless && have() > 0) (void)read_head(text.substr(0, 1));
        return false;
      }
      if (!read_head(text.substr(0, end))) return false;
      consume(end + 1);
      state_ = State::Line;
      return true;
    }
    case State::Line: {
      const auto at = text.find(kFrame);
      const std::size_t junk = at == std::string_view::npos ? have() - std::min(have(), kFrame.size() - 1) : at;
      // Fewer bytes than the word has are no junk yet.
      if (junk > 0 && (at != std::string_view::npos || have() >= kFrame.size())) {
        if (!in_junk_) skips_.add(Skip::Junk);
        in_junk_ = true;
        skips_.bytes += junk;
        consume(junk);
        return true;
      }
      if (at == std::string_view::npos) return false;
      const auto end = text.substr(0, kMostLineBytes).find('\n');
      if (end == std::string_view::npos || (end != kFrame.size() && text[kFrame.size()] != ' ')) {
        if (end == std::string_view::npos && have() < kMostLineBytes) return false;
        if (!in_junk_) skips_.add(Skip::Junk);
        in_junk_ = true;
        skips_.bytes += 1;
        consume(1);
        return true;
      }
      consume(end + 1);
      in_junk_ = false;
      state_ = State::Picture;
      return true;
    }
    case State::Picture:
      break;
  }
  if (have() < picture_bytes_) return false;
  if (picture_waits_) ++superseded_;
  picture_.reserve(picture_bytes_);
  std::memcpy(picture_.data(), buffer_.data() + begin_, picture_bytes_);
  consume(picture_bytes_);
  arrived_ = clock_->wall();
  picture_waits_ = true;
  picture_sequence_ = sequence_++;
  state_ = State::Line;
  return true;
}

FramePtr Y4m::advance() {
  std::size_t taken = 0;
  while (!ended_ && taken < kBytesPerTurn) {
    while (!ended_ && !(options_.every_frame && picture_waits_) && parse()) {
    }
    if (ended_ || at_end_ || (options_.every_frame && picture_waits_) || !readable_now(fd_)) break;
    std::memmove(buffer_.data(), buffer_.data() + begin_, have());
    end_ = have();
    begin_ = 0;
    buffer_.reserve(end_ + kChunkBytes);
    const ssize_t got = ::read(fd_, buffer_.data() + end_, kChunkBytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) break;
    if (got <= 0) {
      if (got < 0) error_ = io_error(name_);
      at_end_ = true;
      continue;
    }
    end_ += static_cast<std::size_t>(got);
    taken += static_cast<std::size_t>(got);
  }
  FramePtr frame = picture_waits_ ? encode_picture() : nullptr;
  if (at_end_ && !picture_waits_ && !frame && !ended_) {
    if (state_ == State::Head && !error_) refuse("no YUV4MPEG2: it ends before its head does");
    if (state_ == State::Picture) {
      skips_.add(Skip::Truncated);
      skips_.bytes += have();
    }
    ended_ = true;
  }
  skip_reporter_.update(skips_, clock_->steady());
  return frame;
}

FramePtr Y4m::encode_picture() {
  picture_waits_ = false;
  Frame frame;
  frame.captured = frame.received = arrived_;
  frame.sequence = picture_sequence_;
  auto encoded = encode_frame(encoder_, ByteView(picture_.data(), picture_bytes_), layout_, std::move(frame));
  if (encoded) return std::move(*encoded);
  skips_.add(Skip::Corrupt);
  skips_.bytes += picture_bytes_;
  return nullptr;
}

}  // namespace fp
