// What the parts of this library that call TurboJPEG share. Not for others: it includes turbojpeg.h.
#pragma once

#include <turbojpeg.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fp::jpeg::turbo {

/// Why the last call failed, as an Error with `doing` in front: Malformed, in libjpeg-turbo's own words on one line.
[[nodiscard]] inline Error error_of(tjhandle handle, std::string_view doing) {
  std::string text(doing);
  text += ": ";
  text += tjGetErrorStr2(handle);
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return {Error::Kind::Malformed, 0, std::move(text)};
}

/// Whether the last call failed for nothing but bytes between the last scan and EOI, which many USB cameras leave there
/// and which hide nothing. libjpeg-turbo has no number for it, only words.
[[nodiscard]] inline bool only_padding(tjhandle handle) {
  return tjGetErrorCode(handle) == TJERR_WARNING &&
         std::string_view(tjGetErrorStr2(handle)).ends_with("extraneous bytes before marker 0xd9");
}

/// A damaged picture is an error, not a half grey picture; and one with thousands of scans, each of which takes a walk
/// over all of it, is damaged.
inline constexpr int kStrict = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;

/// Calls `work` with flags so that it fails at the first warning, and again without them when that was padding: at the
/// first warning nothing is known of those behind it, at the end of all only the last one is.
template <typename Work>
[[nodiscard]] bool strictly(tjhandle handle, const Work& work) {
  if (work(kStrict) == 0) return true;
  if (!only_padding(handle)) return false;
  return work(TJFLAG_LIMITSCANS) == 0 || only_padding(handle);
}

}  // namespace fp::jpeg::turbo
