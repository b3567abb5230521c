#include "jpeg/converter.h"

#include <algorithm>
#include <cmath>

#include "jpeg/resample.h"

namespace fp::jpeg {
namespace {

// `side` of a picture of which the other side goes from `other` to `wanted`.
int in_proportion(int side, int other, int wanted) {
  return std::max(1, static_cast<int>(std::lround(static_cast<double>(side) * wanted / other)));
}

Size sized(Size size, const Wishes& wishes) {
  if (wishes.width_px > 0 && wishes.height_px > 0) return {wishes.width_px, wishes.height_px};
  if (wishes.width_px > 0 && wishes.width_px < size.width_px) {
    return {wishes.width_px, in_proportion(size.height_px, size.width_px, wishes.width_px)};
  }
  if (wishes.height_px > 0 && wishes.height_px < size.height_px) {
    return {in_proportion(size.width_px, size.height_px, wishes.height_px), wishes.height_px};
  }
  return size;
}

// Why there is no way around decoding and encoding; "" when there is.
std::string why_encode(const Wishes& wishes, const Geometry& geometry, const Decoder::Header& header) {
  if (wishes.quality_percent) return "another quality";
  if (geometry.scaled()) return "another size";
  if (!wishes.text.empty()) return "text in the picture";
  if (!header.sampling) return "colours are sampled in an unusual way";
  return lossy_because(geometry, *header.sampling, wishes.gray);
}

// How large the whole picture must be decoded so that what is cut out of it has all the samples that are wanted.
Size needed(const Geometry& geometry) {
  const Size cut = geometry.turn.of(geometry.to);  // the wanted size before the turn: a turn is its own inverse here
  const auto side = [](int whole, int part, int wanted) {
    if (wanted >= part) return whole;
    return std::min(whole, static_cast<int>(std::ceil(static_cast<double>(whole) * wanted / part)));
  };
  return {side(geometry.from.width_px, geometry.crop.width_px, cut.width_px),
          side(geometry.from.height_px, geometry.crop.height_px, cut.height_px)};
}

// The crop in a picture that was decoded smaller.
Region region_in(Size decoded, const Geometry& geometry) {
  const double across = static_cast<double>(decoded.width_px) / geometry.from.width_px;
  const double down = static_cast<double>(decoded.height_px) / geometry.from.height_px;
  Region region{geometry.crop.x * across, geometry.crop.y * down, geometry.crop.width_px * across,
                geometry.crop.height_px * down};
  // A cut of few pixels may be less than a sample now.
  region.width_px = std::clamp(region.width_px, 1.0, static_cast<double>(decoded.width_px));
  region.height_px = std::clamp(region.height_px, 1.0, static_cast<double>(decoded.height_px));
  region.x = std::clamp(region.x, 0.0, decoded.width_px - region.width_px);
  region.y = std::clamp(region.y, 0.0, decoded.height_px - region.height_px);
  return region;
}

}  // namespace

Result<Geometry> plan(Size from, const Wishes& wishes) {
  Geometry geometry = Geometry::none(from);
  if (wishes.crop) {
    const Rect& crop = *wishes.crop;
    if (crop.x >= from.width_px || crop.y >= from.height_px) {
      return fail({Error::Kind::Unsupported, 0,
                   "crop: nothing is left of a picture of " + std::to_string(from.width_px) + "x" +
                       std::to_string(from.height_px)});
    }
    geometry.crop = {crop.x, crop.y, std::min(crop.width_px, from.width_px - crop.x),
                     std::min(crop.height_px, from.height_px - crop.y)};
  }
  geometry.turn = wishes.turn;
  geometry.to = sized(geometry.turned(), wishes);
  if (wishes.half) geometry.to = {(geometry.to.width_px + 1) / 2, (geometry.to.height_px + 1) / 2};
  if (!within_limits(geometry.to)) return fail({Error::Kind::TooLarge, 0, "resize: more than 64 million pixels"});
  return geometry;
}

Result<Converter::Outcome> Converter::convert(const Blob& jpeg, const Wishes& wishes) {
  const auto header = decoder_.read_header(jpeg.view());
  if (!header) return fail(header.error());
  const auto geometry = plan(header->size, wishes);
  if (!geometry) return fail(geometry.error());

  Outcome outcome{jpeg, *geometry, How::Untouched, {}};
  const bool gray = wishes.gray && header->sampling != Sampling::Gray;
  if (geometry->nothing() && !gray && !wishes.quality_percent && wishes.text.empty()) return outcome;
  outcome.why = why_encode(wishes, *geometry, *header);
  outcome.how = outcome.why.empty() ? How::Lossless : How::Encoded;
  auto converted =
      outcome.why.empty() ? transformer_.apply(jpeg, *geometry, gray) : encode_again(jpeg, wishes, *geometry);
  if (!converted) return fail(std::move(converted).error());
  outcome.jpeg = std::move(*converted);
  return outcome;
}

Result<Blob> Converter::encode_again(const Blob& jpeg, const Wishes& wishes, const Geometry& geometry) {
  auto planes = decoder_.decode(jpeg.view(), needed(geometry));
  if (!planes) return fail(std::move(planes).error());
  if (wishes.gray) planes->drop_chroma();
  if (geometry.cropped() || !geometry.turn.nothing() || planes->size() != geometry.to) {
    *planes = resample(*planes, region_in(planes->size(), geometry), geometry.turn, geometry.to);
  }
  draw_caption(*planes, wishes.text, wishes.corner);
  return encoder_.encode(*planes, wishes.quality_percent.value_or(kDefaultQuality));
}

}  // namespace fp::jpeg
