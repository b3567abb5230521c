#include "jpeg/transform.h"

#include <cassert>
#include <new>
#include <utility>

#include "jpeg/turbo.h"

namespace fp::jpeg {
namespace {

int operation(const Turn& turn) {
  if (turn.transpose) {
    if (turn.flip_x && turn.flip_y) return TJXOP_TRANSVERSE;
    if (turn.flip_x) return TJXOP_ROT270;
    return turn.flip_y ? TJXOP_ROT90 : TJXOP_TRANSPOSE;
  }
  if (turn.flip_x && turn.flip_y) return TJXOP_ROT180;
  if (turn.flip_x) return TJXOP_HFLIP;
  return turn.flip_y ? TJXOP_VFLIP : TJXOP_NONE;
}

std::string no_multiple(const char* what, int value, int of) {
  return std::string(what) + " of " + std::to_string(value) + " is no multiple of " + std::to_string(of);
}

}  // namespace

std::string lossy_because(const Geometry& geometry, Sampling sampling, bool gray) {
  assert(!geometry.scaled());
  const Rect& crop = geometry.crop;
  const Size mcu = mcu_of(sampling);
  if (crop.x % mcu.width_px != 0) return no_multiple("a cut at an X", crop.x, mcu.width_px);
  if (crop.y % mcu.height_px != 0) return no_multiple("a cut at a Y", crop.y, mcu.height_px);
  const Size moved = gray ? mcu_of(Sampling::Gray) : mcu;
  if (geometry.turn.flip_x && crop.width_px % moved.width_px != 0) {
    return no_multiple("a width", crop.width_px, moved.width_px);
  }
  if (geometry.turn.flip_y && crop.height_px % moved.height_px != 0) {
    return no_multiple("a height", crop.height_px, moved.height_px);
  }
  return {};
}

void Transformer::Destroy::operator()(void* handle) const { tjDestroy(handle); }

Transformer::Transformer() : handle_(tjInitTransform()) {
  if (!handle_) throw std::bad_alloc();
}

Result<Blob> Transformer::apply(const Blob& jpeg, const Geometry& geometry, bool gray) {
  if (!within_limits(geometry.from)) return fail({Error::Kind::TooLarge, 0, "transform: too many pixels"});
  const bool turn = !geometry.turn.nothing();
  if (!geometry.cropped()) return transform(jpeg, {{}, geometry.turn, gray});
  // Two steps, since TurboJPEG turns the whole picture first, and that may have partial MCUs where the cut has none.
  auto cut = transform(jpeg, {geometry.crop, {}, gray && !turn});
  if (!cut || !turn) return cut;
  return transform(*cut, {{}, geometry.turn, gray});
}

Result<Blob> Transformer::transform(const Blob& jpeg, const Step& step) {
  tjtransform order{};
  order.op = operation(step.turn);
  order.options = TJXOPT_PERFECT;
  if (step.gray) order.options |= TJXOPT_GRAY;
  if (step.crop != Rect{}) {
    order.options |= TJXOPT_CROP;
    order.r = {step.crop.x, step.crop.y, step.crop.width_px, step.crop.height_px};
  }
  // Its own buffer each time: with one of ours it insists on a size that leaves no room for large APPn segments.
  unsigned char* out = nullptr;
  unsigned long bytes = 0;
  const auto work = [&](int flags) {
    tjFree(std::exchange(out, nullptr));
    bytes = 0;
    return tjTransform(handle_.get(), jpeg.data(), static_cast<unsigned long>(jpeg.size()), 1, &out, &bytes, &order,
                       flags);
  };
  const bool done = turbo::strictly(handle_.get(), work);
  std::shared_ptr<const void> owner(out, [](void* memory) { tjFree(static_cast<unsigned char*>(memory)); });
  if (!done) return fail(turbo::error_of(handle_.get(), "transform"));
  return Blob(std::move(owner), ByteView(out, bytes));
}

}  // namespace fp::jpeg
