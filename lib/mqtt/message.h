// What goes over a broker.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace fp::mqtt {

struct Message {
  std::string topic;
  Blob payload;
  int qos = 0;          ///< 0 or 1
  bool retain = false;  ///< the broker keeps it for those who subscribe later
};

/// Messages about one frame: they go out together, or none of them does.
using Bundle = std::vector<Message>;

/// What has come. The views last as long as the call that gives them.
struct Incoming {
  std::string_view topic;
  ByteView payload;
  bool retained = false;  ///< it had been kept: nobody knows for how long
};

}  // namespace fp::mqtt
