#include "serve/card_frame.h"

#include <algorithm>

#include "jpeg/card.h"
#include "jpeg/hygiene.h"

namespace fp {
namespace {

// What a picture claims to be is not what a card has to be: it is drawn here and now, with everybody waiting.
constexpr jpeg::Size kMostCard{1920, 1080};

jpeg::Size size_like(const Frame* frame) {
  if (frame == nullptr) return {640, 480};
  const jpeg::Info& picture = frame->picture;
  const double shrink = std::min({1.0, kMostCard.width_px / static_cast<double>(picture.width_px),
                                  kMostCard.height_px / static_cast<double>(picture.height_px)});
  return {std::max(1, static_cast<int>(picture.width_px * shrink)),
          std::max(1, static_cast<int>(picture.height_px * shrink))};
}

}  // namespace

FramePtr card_frame(jpeg::Encoder& encoder, const Frame* like, const std::string& title,
                    const std::vector<std::string>& lines, WallTime now) {
  auto encoded = encoder.encode(jpeg::draw_card(size_like(like), title, lines), 80);
  if (!encoded) return nullptr;
  Frame card;
  jpeg::Walker walker;
  walker.walk(encoded->view());
  card.picture = walker.info();
  card.jpeg = std::move(*encoded);
  card.captured = card.received = now;
  card.sequence = like != nullptr ? like->sequence : 0;
  card.signal = Signal::Card;
  return std::make_shared<const Frame>(std::move(card));
}

}  // namespace fp
