#include "http/chunks.h"

#include <algorithm>
#include <cstring>

namespace fp::http {
namespace {

constexpr unsigned kMostDigits = 15;  // 2^60 bytes: never, and no overflow

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = c | 0x20;
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

}  // namespace

ChunkDecoder::Step ChunkDecoder::decode(ByteView in, std::span<std::uint8_t> out) {
  Step step;
  while (step.taken < in.size() && !done() && !bad()) {
    if (state_ == State::First) state_ = hex_value(static_cast<char>(in[step.taken])) < 0 ? State::Raw : State::Size;
    if (state_ != State::Data && state_ != State::Raw) {
      take_wrapping(static_cast<char>(in[step.taken++]));
      continue;
    }
    std::size_t size = std::min(in.size() - step.taken, out.size() - step.given);
    if (state_ == State::Data) size = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
    if (size == 0) break;
    std::memcpy(out.data() + step.given, in.data() + step.taken, size);
    step.taken += size;
    step.given += size;
    if (state_ == State::Data) skip_data(size);
  }
  return step;
}

void ChunkDecoder::skip_data(std::uint64_t size) {
  left_ -= size;
  if (left_ == 0) state_ = State::DataEnd;
}

void ChunkDecoder::end_size() {
  state_ = digits_ == 0 ? State::Bad : left_ > 0 ? State::Data : State::Trailer;
  digits_ = 0;
  wrapping_ = 0;
  line_empty_ = true;
}

void ChunkDecoder::take_wrapping(char c) {
  switch (state_) {
    case State::Size:
      if (const int digit = hex_value(c); digit >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        if (++digits_ > kMostDigits) state_ = State::Bad;
      } else if (c == '\n') {
        end_size();
      } else if (c == ';' || c == ' ' || c == '\t' || c == '\r') {
        state_ = State::Extension;
      } else {
        state_ = State::Bad;
      }
      break;
    case State::Extension:
      if (c == '\n') {
        end_size();
      } else if (++wrapping_ > kMostWrapping) {
        state_ = State::Bad;
      }
      break;
    case State::DataEnd:
      if (c == '\n') {
        state_ = State::Size;
        wrapping_ = 0;
      } else if (c != '\r' || ++wrapping_ > kMostWrapping) {
        state_ = State::Bad;
      }
      break;
    case State::Trailer:
      if (c == '\n') {
        if (line_empty_) state_ = State::Done;
        line_empty_ = true;
      } else if (c != '\r') {
        line_empty_ = false;
      }
      if (++wrapping_ > kMostWrapping) state_ = State::Bad;
      break;
    case State::First:
    case State::Data:
    case State::Done:
    case State::Bad:
    case State::Raw:
      break;
  }
}

}  // namespace fp::http
