// What is said of a camera over a broker besides its pictures.
#pragma once

#include <optional>
#include <string>

#include "frame/frame.h"
#include "mqtt/url.h"

namespace fp::mqtt {

/// One line of JSON for PREFIX/NAME/detections: the frame's timestamp, sequence and size, and as "detections" the
/// objects of its X-Detections headers. Nothing when it has none. What is no object, or is nested deeper than 32, is
/// left out.
[[nodiscard]] std::optional<std::string> detections_message(const Frame& frame, const std::string& name);

/// The configuration by which Home Assistant finds the camera (its "MQTT discovery", component camera), and the topic
/// below `discovery_prefix` that it goes to, retained.
[[nodiscard]] std::string discovery_topic(const std::string& discovery_prefix, const Url& url, const std::string& name);
[[nodiscard]] std::string discovery_message(const Url& url, const std::string& name, const std::string& version);

}  // namespace fp::mqtt
