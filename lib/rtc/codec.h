// The two codecs of video that every browser has (RFC 7742, 5).
#pragma once

namespace fp::rtc {

enum class Codec { Vp8, H264 };
[[nodiscard]] constexpr const char* name_of(Codec codec) { return codec == Codec::Vp8 ? "vp8" : "h264"; }

}  // namespace fp::rtc
