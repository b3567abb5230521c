#include "rtc/peer.h"

namespace fp::rtc {

const char* name_of(PeerState state) {
  switch (state) {
    case PeerState::Negotiating:
      return "negotiating";
    case PeerState::Connected:
      return "connected";
    case PeerState::Gone:
      return "gone";
  }
  return "gone";
}

}  // namespace fp::rtc
