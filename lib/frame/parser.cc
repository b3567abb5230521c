#include "frame/parser.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>

#include "base/text.h"
#include "jpeg/hygiene.h"

namespace fp {
namespace {

constexpr std::size_t kChunkBytes = 64u << 10;
constexpr std::size_t kLongestBoundaryLine = 256;  // RFC 2046 says 70 characters; cameras say more

// RFC 2046's bchars, and what cameras use besides.
bool is_boundary_char(std::uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::strchr("'()+_,-./:=?;<>@[]#$%&*!^~{}|\"", c) != nullptr;
}

bool is_space(std::uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_jpeg_type(std::string_view type) {
  const std::string_view essence = trim(type.substr(0, type.find(';')));
  return equal_ignoring_case(essence, "image/jpeg") || equal_ignoring_case(essence, "image/jpg") ||
         equal_ignoring_case(essence, "image/pjpeg") || equal_ignoring_case(essence, "application/octet-stream");
}

std::string boundary_parameter(std::string_view content_type) {
  for (std::string_view parameter : split(content_type, ';')) {
    parameter = trim(parameter);
    if (!starts_with_ignoring_case(parameter, "boundary=")) continue;
    parameter.remove_prefix(9);
    if (parameter.size() >= 2 && parameter.front() == '"' && parameter.back() == '"') {
      parameter = parameter.substr(1, parameter.size() - 2);
    }
    return std::string(parameter.substr(0, kLongestBoundaryLine));
  }
  return {};
}

// A header value that we may pass on: one line of text (design: no header byte may be 0xFF).
bool is_clean_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F || byte == 0xFF;
  });
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  });
}

}  // namespace

std::span<std::uint8_t> StreamParser::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  const std::size_t have = end_ - begin_;
  std::size_t want = kChunkBytes;
  if (state_ == State::Body && part_.length && !length_wrong_) {
    if (*part_.length > have) want = std::max<std::size_t>(kChunkBytes, *part_.length - have + 512);
  } else if (state_ == State::Body) {
    want = std::max(kChunkBytes, have / 2);
  } else {
    want = std::max(kChunkBytes, hint_bytes_ + hint_bytes_ / 8);
  }
  want = std::min(want, options_.max_frame_bytes + kChunkBytes);
  if (buffer_.capacity() - end_ < want && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, have);
    begin_ = 0;
    end_ = have;
  }
  buffer_.reserve(end_ + want);
  return {buffer_.data() + end_, buffer_.capacity() - end_};
}

void StreamParser::commit(std::size_t size, WallTime now) {
  assert(end_ + size <= buffer_.capacity());
  end_ += size;
  now_ = now;
}

void StreamParser::consume(std::size_t size) {
  assert(size <= end_ - begin_);
  begin_ += size;
  searched_ -= std::min(searched_, size);
  soi_from_ -= std::min(soi_from_, size);
  line_ -= std::min(line_, size);
}

std::optional<Frame> StreamParser::next() {
  std::optional<Frame> frame;
  for (;;) {
    Step step = Step::More;
    switch (state_) {
      case State::Seek:
        step = seek();
        break;
      case State::Headers:
        step = headers();
        break;
      case State::Body:
        step = body(frame);
        break;
      case State::Tail:
        step = tail();
        break;
    }
    if (frame || step == Step::More) return frame;
  }
}

void StreamParser::to_seek(bool line_start) {
  state_ = State::Seek;
  line_start_ = line_start;
  in_junk_ = false;
  soi_allowed_ = true;
  soi_from_ = 0;
  searched_ = 0;
}

// Bytes that belong to nothing. White space between parts is nobody's fault.
void StreamParser::skip_junk(std::size_t size) {
  if (size == 0) return;
  behind_frame_ = false;
  const ByteView junk = view().first(size);
  const bool visible = std::any_of(junk.begin(), junk.end(), [](std::uint8_t c) { return !is_space(c); });
  if (visible) {
    // In front of everything it is a preamble, which MIME allows; it is counted all the same.
    if (!in_junk_) skips_.add(Skip::Junk);
    in_junk_ = true;
    skips_.bytes += size;
    if (!started_) framing_.preamble_bytes += size;
  }
  line_start_ = junk.back() == '\n';
  line_behind_ = line_behind_ || line_start_;
  consume(size);
}

StreamParser::Match StreamParser::boundary_at(ByteView bytes, std::size_t at, bool line_start) const {
  const ByteView rest = bytes.subspan(at);
  if (rest.size() < 2) return rest[0] == '-' ? Match::Unsure : Match::No;
  if (rest[1] != '-') return Match::No;
  bool known = !boundary_.empty();
  if (known) {
    const std::size_t compare = std::min(boundary_.size(), rest.size() - 2);
    known = std::memcmp(rest.data() + 2, boundary_.data(), compare) == 0;
    if (known && compare < boundary_.size()) return Match::Unsure;
  }
  if (!known && !line_start) return Match::No;
  std::size_t i = 2;
  while (i < rest.size() && i < kLongestBoundaryLine && is_boundary_char(rest[i])) ++i;
  const bool named = i > 2;
  while (i < rest.size() && i < kLongestBoundaryLine && (rest[i] == ' ' || rest[i] == '\t')) ++i;
  if (i < rest.size() && rest[i] == '\r') ++i;
  if (i >= kLongestBoundaryLine) return Match::No;
  if (i >= rest.size()) return Match::Unsure;
  return named && rest[i] == '\n' ? Match::Yes : Match::No;
}

StreamParser::Step StreamParser::seek() {
  const ByteView bytes = view();
  if (!started_) {
    if (bytes.empty()) return Step::More;
    constexpr std::string_view kHttp = "HTTP/1.";
    const std::string_view front = as_text(bytes.first(std::min(bytes.size(), kHttp.size())));
    if (front == kHttp) return http_head();
    if (kHttp.starts_with(front)) return Step::More;
  }
  for (std::size_t at = searched_; at < bytes.size(); ++at) {
    const std::uint8_t c = bytes[at];
    if (c == 0xFF && soi_allowed_ && at >= soi_from_) {
      if (at + 3 > bytes.size()) {
        searched_ = at;
        skip_junk(at);
        return Step::More;
      }
      if (bytes[at + 1] != 0xD8 || bytes[at + 2] != 0xFF) continue;
      skip_junk(at);
      started_ = true;
      bare_ = true;
      part_ = Part{};
      length_wrong_ = false;
      walker_ = jpeg::Walker();
      state_ = State::Body;
      return Step::Again;
    }
    if (c != '-') continue;
    const bool line_start = at == 0 ? line_start_ : bytes[at - 1] == '\n';
    switch (boundary_at(bytes, at, line_start)) {
      case Match::No:
        continue;
      case Match::Unsure:
        searched_ = at;
        skip_junk(at);
        return Step::More;
      case Match::Yes:
        if (!line_start || (at == 0 && behind_frame_)) ++framing_.no_line_before_boundary;
        skip_junk(at);
        boundary_line(as_text(view()).find('\n') + 1);
        return Step::Again;
    }
  }
  // All of it is junk, but for what a boundary at its very end would need to know: whether a line begins there.
  searched_ = bytes.size();
  skip_junk(bytes.size());
  return Step::More;
}

void StreamParser::announce(int http_status, std::string content_type) {
  framing_.http_head = true;
  framing_.http_status = http_status;
  framing_.http_content_type = std::move(content_type);
  framing_.announced_boundary = boundary_parameter(framing_.http_content_type);
}

// `curl -i`, or a socket: a whole HTTP response head first.
StreamParser::Step StreamParser::http_head() {
  const std::string_view text = as_text(view());
  std::size_t end = std::string_view::npos;
  for (std::size_t at = text.find('\n', searched_); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    const std::string_view rest = text.substr(at + 1);
    if (rest.starts_with("\r\n") || rest.starts_with("\n")) {
      end = at + 1 + (rest.front() == '\r' ? 2 : 1);
      break;
    }
  }
  if (end == std::string_view::npos) {
    if (text.size() <= kMaxHeaderBytes) {
      searched_ = text.size() < 4 ? 0 : text.size() - 4;
      return Step::More;
    }
    skips_.add(Skip::HeadersTooLarge);
    started_ = true;
    searched_ = 0;
    return Step::Again;
  }
  framing_.http_head = true;
  framing_.http_status = parse_integer<int>(trim(text.substr(8, 4))).value_or(0);
  for (const std::string_view line : split(text.substr(0, end), '\n')) {
    constexpr std::string_view kName = "content-type:";
    if (!starts_with_ignoring_case(line, kName)) continue;
    framing_.http_content_type = std::string(trim(line.substr(kName.size())));
    framing_.announced_boundary = boundary_parameter(framing_.http_content_type);
  }
  consume(end);
  to_seek(true);  // an interim answer's or a redirect's head may stand in front of another: nothing has started yet
  return Step::Again;
}

// view() begins with a boundary line of `line_bytes`, its LF included.
void StreamParser::boundary_line(std::size_t line_bytes) {
  started_ = true;
  std::string_view name = trim(as_text(view().subspan(2, line_bytes - 2)));
  const bool closing =
      name.size() > 2 && name.ends_with("--") && (boundary_.empty() || name.substr(0, name.size() - 2) == boundary_);
  if (closing) {
    ++framing_.closing_boundaries;
    name.remove_suffix(2);
  }
  boundary_ = std::string(name);
  framing_.boundary = boundary_;
  part_ = Part{};
  over_limit_ = false;
  part_.lf_only = line_bytes < 2 || view()[line_bytes - 2] != '\r';
  consume(line_bytes);
  state_ = State::Headers;
  behind_frame_ = false;
  searched_ = 0;
  line_ = 0;
}

StreamParser::Step StreamParser::headers() {
  for (;;) {
    const ByteView bytes = view();
    const std::size_t from = std::max(searched_, line_);
    const void* const found =
        from < bytes.size() ? std::memchr(bytes.data() + from, '\n', bytes.size() - from) : nullptr;
    if (found == nullptr ||
        static_cast<const std::uint8_t*>(found) - bytes.data() > static_cast<std::ptrdiff_t>(kMaxHeaderBytes)) {
      searched_ = bytes.size();
      if (bytes.size() <= kMaxHeaderBytes) return Step::More;
      skips_.add(Skip::HeadersTooLarge);
      to_seek(false);
      in_junk_ = true;  // counted already
      return Step::Again;
    }
    const auto end = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
    std::string_view line = as_text(bytes.subspan(line_, end - line_));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    } else {
      part_.lf_only = true;
    }
    if (line.empty()) {
      consume(end + 1);
      headers_done();
      return Step::Again;
    }
    if (line.starts_with("--") && boundary_at(bytes, line_, true) == Match::Yes) {
      const std::size_t line_bytes = end + 1 - line_;
      consume(line_);  // which moves line_, too
      boundary_line(line_bytes);
      return Step::Again;
    }
    if (!header_line(line)) {
      // No header at all: a JPEG with no blank line in front, or junk.
      consume(line_);
      to_seek(true);
      return Step::Again;
    }
    line_ = end + 1;
  }
}

// False when the line cannot be part of a header block.
bool StreamParser::header_line(std::string_view line) {
  const auto colon = line.find(':');
  const std::string_view name = trim(line.substr(0, colon));
  if (colon == std::string_view::npos || !is_header_name(name)) return is_clean_value(line);
  const std::string_view value = trim(line.substr(colon + 1));
  if (equal_ignoring_case(name, "Content-Type")) {
    part_.has_type = true;
    part_.jpeg_type = is_jpeg_type(value);
  } else if (equal_ignoring_case(name, "Content-Length")) {
    part_.length = parse_integer<std::uint64_t>(value);
  } else if (starts_with_ignoring_case(name, "X-") && is_clean_value(value)) {
    x_header(name, value);
  }
  return true;
}

void StreamParser::x_header(std::string_view name, std::string_view value) {
  Frame& frame = part_.frame;
  if (equal_ignoring_case(name, "X-Timestamp")) {
    if (const auto time = parse_timestamp(value)) {
      frame.captured = *time;
      part_.timestamp = true;
    }
  } else if (equal_ignoring_case(name, "X-Sequence")) {
    if (const auto sequence = parse_integer<std::uint64_t>(value)) {
      frame.sequence = *sequence;
      part_.sequence = true;
    }
  } else if (equal_ignoring_case(name, "X-Camera")) {
    frame.camera = std::string(value);
  } else if (equal_ignoring_case(name, "X-Signal")) {
    frame.signal = parse_signal(lower(value)).value_or(Signal::Live);
  } else if (equal_ignoring_case(name, "X-Trace")) {
    frame.trace = std::string(value);
  } else if (!options_.strip_control_headers || !is_control_header(name)) {
    frame.extra.push_back({std::string(name), std::string(value)});
  }
}

void StreamParser::headers_done() {
  bare_ = false;
  length_wrong_ = false;
  walker_ = jpeg::Walker();
  ++framing_.parts;
  if (part_.lf_only) ++framing_.lf_only;
  if (!part_.has_type) ++framing_.without_type;
  if (!part_.jpeg_type) {
    skips_.add(Skip::OtherType);
    if (part_.length && *part_.length <= options_.max_frame_bytes) {
      state_ = State::Tail;
      tail_left_ = *part_.length;
      tail_padding_ = false;
      searched_ = 0;
    } else {
      to_seek(true);
      soi_allowed_ = false;
      in_junk_ = true;
    }
    return;
  }
  if (!part_.length) {
    ++framing_.without_length;
  } else if (*part_.length == 0) {
    skips_.add(Skip::Empty);
    to_seek(true);
    return;
  } else if (*part_.length > options_.max_frame_bytes) {
    // The length is not believed: what follows is searched for the next boundary or SOI.
    skips_.add(Skip::TooLarge);
    to_seek(true);
    in_junk_ = true;
    over_limit_ = true;
    return;
  }
  state_ = State::Body;
}

// Whether a boundary that we know stands at `at`, with or without a line end in front.
StreamParser::Match StreamParser::boundary_behind(std::size_t at) const {
  const ByteView bytes = view();
  while (at < bytes.size() && (bytes[at] == '\r' || bytes[at] == '\n')) ++at;
  if (at >= bytes.size()) return Match::Unsure;
  if (bytes[at] != '-') return Match::No;
  return boundary_at(bytes, at, false);
}

// Where a line with our boundary stands inside the JPEG in hand, or 0: the head of one part and the body of the next.
std::size_t StreamParser::boundary_inside(std::size_t end) const {
  const ByteView bytes = view().first(end);
  const std::string line = "\n--" + boundary_;
  const auto found =
      std::search(bytes.begin(), bytes.end(), std::boyer_moore_horspool_searcher(line.begin(), line.end()));
  if (found == bytes.end()) return 0;
  const auto at = static_cast<std::size_t>(found - bytes.begin()) + 1;
  return boundary_at(bytes, at, true) == Match::Yes ? at : 0;
}

StreamParser::Step StreamParser::body(std::optional<Frame>& out) {
  // Some servers put a second blank line in front of the picture.
  if (walker_.position() == 0) {
    while (!view().empty() && (view()[0] == '\r' || view()[0] == '\n')) {
      consume(1);
      if (part_.length && *part_.length > 0) --*part_.length;
    }
  }
  const ByteView bytes = view();
  if (bytes.size() < 2) return Step::More;
  if (bytes[0] != 0xFF || bytes[1] != 0xD8) {
    skips_.add(Skip::NotJpeg);
    to_seek(true);
    in_junk_ = true;
    return Step::Again;
  }
  const jpeg::Walker::Status status = walker_.walk(bytes);
  const bool done = status == jpeg::Walker::Status::Done;
  const bool length_holds = part_.length && !length_wrong_;
  if (length_holds && bytes.size() >= *part_.length && !(done && walker_.end() <= *part_.length)) {
    // The part should be over, and its JPEG is not: cut off in the camera, or is the length too short? Asked before a
    // JPEG that ends further on is believed: it might be the head of this one and the body of the next.
    const auto length = static_cast<std::size_t>(*part_.length);
    switch (boundary_behind(length)) {
      case Match::Yes:
        skips_.add(status == jpeg::Walker::Status::Bad && walker_.position() < length ? Skip::Corrupt
                                                                                      : Skip::Truncated);
        skips_.bytes += length;
        consume(length);
        to_seek(true);
        return Step::Again;
      case Match::Unsure:
        if (status != jpeg::Walker::Status::Bad) return Step::More;
        break;
      case Match::No:
        length_wrong_ = true;
        ++framing_.wrong_length;
        break;
    }
  }
  if (done && walker_.end() <= options_.max_frame_bytes) {
    const bool trusted = bare_ || (part_.length && !length_wrong_);
    if (const std::size_t boundary = trusted ? 0 : boundary_inside(walker_.end()); boundary > 0) {
      skips_.add(Skip::Truncated);
      skips_.bytes += boundary;
      consume(boundary);
      to_seek(true);
      return Step::Again;
    }
    emit(out);
    return Step::Again;
  }
  if (status == jpeg::Walker::Status::Bad) return lose_body(Skip::Corrupt);
  if (bytes.size() > options_.max_frame_bytes) {
    // The picture of a part that was refused for its length is the same one again.
    if (!over_limit_) skips_.add(Skip::TooLarge);
    to_seek(false);
    in_junk_ = true;
    soi_from_ = bytes.size();
    return Step::Again;
  }
  return Step::More;
}

// The JPEG in hand is damaged. Its part may end at once (a boundary inside it), at its length, or nobody knows where.
StreamParser::Step StreamParser::lose_body(Skip reason) {
  const std::size_t walked = std::max<std::size_t>(walker_.position(), 2);
  const ByteView bytes = view();
  skips_.add(walker_.cut_off() ? Skip::Truncated : reason);
  if (part_.length && !length_wrong_ && !walker_.cut_off()) {
    state_ = State::Tail;
    tail_left_ = *part_.length;
    tail_padding_ = false;
    searched_ = 0;
    skips_.bytes += std::min<std::uint64_t>(tail_left_, bytes.size());
    return Step::Again;
  }
  // Boundaries count from here on; SOIs only behind what was walked, or a thumbnail in the damaged picture's EXIF
  // would be shown as if it were a frame.
  to_seek(false);
  in_junk_ = true;
  soi_from_ = walked;
  searched_ = 2;
  return Step::Again;
}

void StreamParser::emit(std::optional<Frame>& out) {
  const std::size_t size = walker_.end();
  Frame frame = std::move(part_.frame);
  frame.picture = walker_.info();
  frame.received = now_;
  if (!part_.timestamp) frame.captured = now_;
  if (!part_.sequence) frame.sequence = given_out_;
  ++given_out_;
  started_ = true;
  gave_frame_ = true;
  over_limit_ = false;
  line_behind_ = false;
  hint_bytes_ = size;
  if (bare_) ++framing_.bare_jpegs;
  if (part_.timestamp) ++framing_.with_timestamp;
  if (part_.sequence) ++framing_.with_sequence;
  if (jpeg::lacks_huffman_tables(frame.picture)) ++framing_.without_tables;
  if (frame.picture.sof == 2) ++framing_.progressive;

  const std::size_t behind = end_ - begin_ - size;
  if (size >= behind) {
    // The buffer itself becomes the frame; what was read behind it moves to a new one.
    Buffer fresh(std::max(kChunkBytes, behind + size + size / 8));
    if (behind > 0) std::memcpy(fresh.data(), buffer_.data() + begin_ + size, behind);
    frame.jpeg = std::move(buffer_).into_blob(begin_, size);
    buffer_ = std::move(fresh);
    begin_ = 0;
    end_ = behind;
  } else {
    frame.jpeg = Blob::copy_of(view().first(size));
    begin_ += size;
  }
  if (part_.length && !length_wrong_ && *part_.length > size) {
    state_ = State::Tail;
    tail_left_ = *part_.length - size;
    tail_padding_ = true;
    searched_ = 0;
  } else {
    to_seek(true);
    behind_frame_ = true;
  }
  out = std::move(frame);
}

// What is left of a part behind its JPEG, or of one that is not wanted: up to its length, or to a boundary before that.
StreamParser::Step StreamParser::tail() {
  const ByteView bytes = view();
  const auto limit = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), tail_left_));
  if (part_.jpeg_type) {
    for (std::size_t at = 0; at < limit; ++at) {
      if (bytes[at] != '-') continue;
      const Match match = boundary_at(bytes, at, false);
      if (match == Match::No) continue;
      if (match == Match::Yes) {
        ++framing_.wrong_length;
        consume(at);
        to_seek(true);
        return Step::Again;
      }
      consume(at);
      tail_left_ -= at;
      return Step::More;
    }
  }
  consume(limit);
  tail_left_ -= limit;
  if (tail_left_ > 0) return Step::More;
  if (tail_padding_) ++framing_.padded;
  to_seek(true);
  return Step::Again;
}

void StreamParser::end() {
  if (state_ == State::Body && !view().empty()) {
    skips_.add(Skip::Truncated);
    skips_.bytes += view().size();
  } else if (state_ == State::Seek) {
    skip_junk(view().size());
  }
  consume(view().size());
  to_seek(true);
}

void StreamParser::note_pause() {
  if (!gave_frame_) return;
  gave_frame_ = false;
  Framing::Tail tail = Framing::Tail::Nothing;
  if (state_ == State::Body) {
    tail = Framing::Tail::Headers;
  } else if (state_ == State::Headers) {
    tail = Framing::Tail::Boundary;
  } else if (line_behind_) {
    tail = Framing::Tail::Crlf;
  }
  ++framing_.tails[static_cast<std::size_t>(tail)];
}

}  // namespace fp
