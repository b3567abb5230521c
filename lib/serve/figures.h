// The server's figures: for people as JSON, for Prometheus as text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/access.h"
#include "http/server.h"
#include "serve/camera_list.h"
#include "serve/filter_list.h"
#include "serve/viewer.h"
#include "serve/webrtc_links.h"

namespace fp {

class Figures {
 public:
  /// What whoever asks may do and finds elsewhere, for the viewer page.
  struct Allowed {
    bool control = false;  ///< start and stop
    bool can_add = false;  ///< add and remove cameras
    WebrtcLinks webrtc = {};
  };
  Figures(const CameraList& cameras, const FilterList& filters, const ViewerList& viewers, const http::Server*& server,
          const Clock& clock, std::string version, Allowed allowed)
      : cameras_(cameras),
        filters_(filters),
        viewers_(viewers),
        server_(server),
        clock_(clock),
        version_(std::move(version)),
        allowed_(std::move(allowed)),
        began_(clock.steady()) {}

  /// {"server":{...},"cameras":[...],"filters":[...]}: what /wall and /events send each second; of the camera `only`,
  /// or of all: "".
  /// Of cameras, and of who watches them, only what `rights` let see, here and below.
  [[nodiscard]] std::string brief_json(const std::string& only, const std::string& viewer_json,
                                       const http::RightsPtr& rights) const;
  /// The same and every viewer, skips by reason and the server's own counters: /state.
  [[nodiscard]] std::string state_json(const http::RightsPtr& rights) const;
  /// Prometheus' text format 0.0.4.
  [[nodiscard]] std::string metrics(const http::RightsPtr& rights) const;

 private:
  using Shown = std::vector<std::shared_ptr<Camera>>;
  [[nodiscard]] Shown shown(const http::RightsPtr& rights) const;
  [[nodiscard]] std::string server_json(const http::RightsPtr& rights) const;
  [[nodiscard]] std::string filters_json() const;
  static void add_variants(std::string& out, const Shown& cameras);
  void add_filters(std::string& out) const;
  [[nodiscard]] std::string camera_json(Camera& camera, bool full) const;

  const CameraList& cameras_;
  const FilterList& filters_;
  const ViewerList& viewers_;
  const http::Server*& server_;
  const Clock& clock_;
  const std::string version_;
  const Allowed allowed_;
  const SteadyTime began_;
};

}  // namespace fp
