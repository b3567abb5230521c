#include "webrtc-ingest/lines.h"

#include "base/text.h"

namespace fp::ingest {

void Lines::add(std::string_view bytes) {
  if (skipping_) return;
  if (begun_.size() + bytes.size() > most_bytes_) {
    ++too_long_;
    skipping_ = true;
    begun_.clear();
    return;
  }
  begun_ += bytes;
}

void Lines::feed(std::string_view bytes, const Line& line) {
  for (;;) {
    const auto end = bytes.find('\n');
    add(bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    if (const std::string_view whole = trim(begun_); !skipping_ && !whole.empty()) line(whole);
    begun_.clear();
    skipping_ = false;
  }
}

}  // namespace fp::ingest
