// What a page posts to /api/fit/stream.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/walker.h"

namespace fp {

struct FitRequest {
  std::string text;  ///< "frame" as it came: base64, or the data: form of it
  bool data_url = false;
  Blob posted;         ///< what it stands for
  Blob jpeg;           ///< the picture in it, jpeg::clean()
  jpeg::Info picture;  ///< what its segments say
  bool show_skeleton = false;
  bool use_warp = false;
  bool is_first_frame = false;
};

/// {"frame":base64 or "data:image/jpeg;base64,...","showSkeleton","useWarp","isFirstFrame"}; the last three are false
/// when they are missing, and other members are passed over. Nothing but these is kept, and nothing deeper than 16 is
/// read. Memory: three times `body`. Error: Malformed: what is wrong.
[[nodiscard]] Result<FitRequest> parse_fit_request(std::string_view body);

}  // namespace fp
