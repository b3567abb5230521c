// How the two ends of a session find each other (RFC 8445).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace fp::rtc {

struct IceOptions {
  std::vector<std::string> addresses;  ///< of this machine, in figures, where media may come and go; none: all of them
  std::string stun;                    ///< "HOST:PORT" of a server that tells us our address outside; "": none
  std::string turn;                    ///< "USER:PASSWORD@HOST:PORT" of a relay; "": none
  std::uint16_t min_port = 0;          ///< UDP, with max_port; 0: any
  std::uint16_t max_port = 0;
  bool relay_only = false;  ///< no address of ours is told to anybody
};

}  // namespace fp::rtc
