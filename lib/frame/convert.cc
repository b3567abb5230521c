#include "frame/convert.h"

#include "base/text.h"
#include "frame/detections.h"

namespace fp {
namespace {

// Whether it had to go.
bool move_detections(Frame& frame, const jpeg::Geometry& geometry) {
  return std::erase_if(frame.extra, [&](Header& header) {
           if (!equal_ignoring_case(header.name, "X-Detections")) return false;
           auto moved = map_detections(header.value, geometry);
           if (moved) header.value = std::move(*moved);
           return !moved;
         }) > 0;
}

}  // namespace

Result<Converted> convert_frame(jpeg::Converter& converter, const FramePtr& frame, const jpeg::Wishes& wishes) {
  auto outcome = converter.convert(frame->jpeg, wishes);
  if (!outcome) return fail(std::move(outcome).error());
  Converted converted{frame, outcome->how, std::move(outcome->why), false};
  if (converted.how == jpeg::Converter::How::Untouched) return converted;
  jpeg::Walker walker;
  if (walker.walk(outcome->jpeg.view()) != jpeg::Walker::Status::Done) {
    return fail({Error::Kind::Malformed, 0, std::string("convert: ") + walker.reason()});
  }
  auto changed = std::make_shared<Frame>(*frame);
  changed->jpeg = outcome->jpeg.first(walker.end());
  changed->picture = walker.info();
  if (!outcome->geometry.nothing()) converted.detections_dropped = move_detections(*changed, outcome->geometry);
  converted.frame = std::move(changed);
  return converted;
}

}  // namespace fp
