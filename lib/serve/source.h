// What a camera's frames come from, as users and pages name it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "frame/endpoint.h"
#include "http/client.h"

namespace fp {

struct Source {
  Endpoint endpoint;                ///< what is read
  bool by_camgrab = false;          ///< `endpoint` runs camgrab; its words are the reason when it ends
  std::string secret;               ///< for the standard input of `endpoint`'s command
  http::Client::Options http = {};  ///< when `endpoint` is a URL
  std::optional<std::chrono::milliseconds> frame_timeout = {};  ///< as Input::Options has it

  /// A stopped camera closes it: it can be opened again, and nobody else is harmed.
  [[nodiscard]] bool own() const;
};

/// A SPEC of parse_endpoint(), or what camgrab reads: a number N or /dev/videoN or another name below /dev/v4l/,
/// `test`, rtsp and rtmp URLs. Those are read by `camgrab`, a program's path, as a child. Errors: Unsupported.
[[nodiscard]] Result<Source> parse_source(const std::string& text, const std::string& camgrab);

/// The camgrab beside this very program, or the one of the PATH.
[[nodiscard]] std::string find_camgrab();

/// Whether whoever asks over HTTP may have `text` opened: it matches one of `globs` (fnmatch(3)), a number as
/// /dev/videoN, a URL by its scheme and host ("http://192.168.1.*"). Commands, descriptors, standard input and ends
/// that listen are never allowed. Nothing: allowed; else the reason.
[[nodiscard]] std::optional<std::string> refuse_source(const std::string& text, const std::vector<std::string>& globs);

}  // namespace fp
