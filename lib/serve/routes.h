// What each request is answered with: the routes that serve frames.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/access.h"
#include "http/server.h"
#include "http/site.h"
#include "serve/camera_list.h"
#include "serve/detection_board.h"
#include "serve/figures.h"
#include "serve/filter_list.h"
#include "serve/fit.h"
#include "serve/multipart.h"
#include "serve/viewer.h"

namespace fp {

struct RouteOptions {
  http::SiteOptions site;                         ///< with the viewer page; exposed_headers are the routes' to fill in
  std::vector<std::string> allowed_sources;       ///< globs of refuse_source(); none: no camera can be added or removed
  WebrtcLinks webrtc;                             ///< for the viewer page, which may connect to them
  bool read_only = false;                         ///< nothing can be changed
  std::string camgrab;                            ///< for parse_source()
  bool on_demand = false;                         ///< cameras that are added
  http::Forbid forbid;                            ///< asked when a request has rights, and not enough
  std::function<void(std::string&)> add_metrics;  ///< appends to them what is not of cameras, or empty
};

/// Answers requests about cameras. One thread; outlives the server that calls handle().
class Routes {
 public:
  Routes(Loop& loop, const Clock& clock, CameraList& cameras, const FilterList& filters, RouteOptions options,
         std::string advance_boundary, const std::string& version);
  /// The server, for its figures: it needs the routes to be made, and they it.
  void set_server(const http::Server& server) { server_ = &server; }

  void handle(http::Connection& connection, const http::Request& request);
  [[nodiscard]] const ViewerList& viewers() const { return viewers_; }

 private:
  using Handler = void (Routes::*)(http::Connection&, const http::Request&, Camera*);
  enum class Name {
    None,    ///< PATH alone
    Camera,  ///< PATH, the first camera; PATH/NAME
    Any,     ///< PATH/NAME, and there need be no camera of that name
  };
  // kRead: GET and HEAD; kAsk: a POST with a body that changes no camera: --read-only does not forbid it.
  enum Methods : unsigned { kRead = 1, kPost = 2, kDelete = 4, kAsk = 8 };
  struct Route {
    std::string_view path;
    Handler handler;
    Name name;
    unsigned methods;
  };
  static const std::vector<Route>& table();
  [[nodiscard]] static std::string names_of(unsigned methods);  // "GET, HEAD, POST"
  struct Match {
    const Route* route = nullptr;
    std::string_view name;  // behind PATH/
  };
  [[nodiscard]] static Match match(std::string_view path);
  /// Whether the page that sent it (if it was one) may change things; answers if not.
  bool refuse_change(http::Connection& connection, const http::Request& request) const;
  /// Whether that page may ask what costs something; answers if not.
  bool refuse_page(http::Connection& connection, const http::Request& request) const;

  void stream(http::Connection& connection, const http::Request& request, Camera* camera);
  void stream_of(http::Connection& connection, const http::Request& request, Camera& camera, const FilterWish& filter);
  void snapshot(http::Connection& connection, const http::Request& request, Camera* camera);
  void wall(http::Connection& connection, const http::Request& request, Camera* camera);
  void events(http::Connection& connection, const http::Request& request, Camera* camera);
  void state(http::Connection& connection, const http::Request& request, Camera* camera);
  void metrics(http::Connection& connection, const http::Request& request, Camera* camera);
  void health(http::Connection& connection, const http::Request& request, Camera* camera);
  void start(http::Connection& connection, const http::Request& request, Camera* camera);
  void stop(http::Connection& connection, const http::Request& request, Camera* camera);
  void change_camera(http::Connection& connection, const http::Request& request, Camera* camera);
  void add_camera(http::Connection& connection, const http::Request& request, const std::string& name);
  void camera_names(http::Connection& connection, const http::Request& request, Camera* camera);
  // In fit_routes.cc.
  void fit_stream(http::Connection& connection, const http::Request& request, Camera* camera);
  void fit_stop(http::Connection& connection, const http::Request& request, Camera* camera);
  // In filter_routes.cc.
  [[nodiscard]] FilterWish filter_wish(const http::Request& request, bool always) const;
  void detect_once(http::Connection& connection, const http::Request& request, Camera* camera);
  void detect_stream(http::Connection& connection, const http::Request& request, Camera* camera);
  void filtered_snapshot(http::Connection& connection, const http::Request& request, Camera& camera);
  [[nodiscard]] std::function<void(http::Connection&, http::Response)> answer_later(const http::Request& request) const;

  void root(http::Connection& connection, const http::Request& request, Camera* camera);

  [[nodiscard]] Camera* named(const http::Request& request) const;
  [[nodiscard]] Camera* find_for(const http::Request& request, std::string_view name) const;
  [[nodiscard]] Camera* first_for(const http::Request& request) const;
  [[nodiscard]] std::vector<std::string> names_for(const http::Request& request) const;
  void answer(http::Connection& connection, const http::Request& request, http::Response response) const;

  Loop& loop_;
  const Clock& clock_;
  CameraList& cameras_;
  const FilterList& filters_;
  VariantPool pool_;
  DetectionBoard board_;
  Fit fit_;
  const RouteOptions options_;
  const http::Site site_;
  std::size_t additions_ = 0;  // under way
  const std::string advance_boundary_;
  const http::Server* server_ = nullptr;
  ViewerList viewers_;
  Figures figures_;
};

}  // namespace fp
