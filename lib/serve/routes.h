// What each request is answered with: the routes that serve frames.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/server.h"
#include "serve/camera.h"
#include "serve/figures.h"
#include "serve/multipart.h"
#include "serve/viewer.h"

namespace fp {

/// A file of the viewer page, compiled in.
struct Asset {
  std::string_view content_type;
  std::string_view bytes;
};

struct RouteOptions {
  std::vector<std::string> allowed_hosts;            ///< lower case, besides localhost and addresses
  std::string allow_origin;                          ///< for CORS; "": none
  std::map<std::string, Asset, std::less<>> assets;  ///< by path: "/", "/assets/viewer.js"
};

/// Answers requests about cameras. One thread; outlives the server that calls handle().
class Routes {
 public:
  Routes(Loop& loop, const Clock& clock, const std::vector<std::unique_ptr<Camera>>& cameras, RouteOptions options,
         std::string advance_boundary, const std::string& version);
  /// The server, for its figures: it needs the routes to be made, and they it.
  void set_server(const http::Server& server) { server_ = &server; }

  void handle(http::Connection& connection, const http::Request& request);
  [[nodiscard]] const ViewerList& viewers() const { return viewers_; }

 private:
  using Handler = void (Routes::*)(http::Connection&, const http::Request&, Camera*);
  struct Route {
    std::string_view path;
    Handler handler;
    bool by_camera;  ///< also PATH/NAME
  };
  static const std::vector<Route>& table();

  void stream(http::Connection& connection, const http::Request& request, Camera* camera);
  void snapshot(http::Connection& connection, const http::Request& request, Camera* camera);
  void wall(http::Connection& connection, const http::Request& request, Camera* camera);
  void events(http::Connection& connection, const http::Request& request, Camera* camera);
  void state(http::Connection& connection, const http::Request& request, Camera* camera);
  void metrics(http::Connection& connection, const http::Request& request, Camera* camera);
  void health(http::Connection& connection, const http::Request& request, Camera* camera);
  void camera_names(http::Connection& connection, const http::Request& request, Camera* camera);
  void root(http::Connection& connection, const http::Request& request, Camera* camera);

  [[nodiscard]] Camera* find(std::string_view name) const;
  void answer(http::Connection& connection, http::Response response) const;
  [[nodiscard]] http::Response with_common(http::Response response) const;

  Loop& loop_;
  const Clock& clock_;
  const std::vector<std::unique_ptr<Camera>>& cameras_;
  const RouteOptions options_;
  const std::string advance_boundary_;
  const http::Server* server_ = nullptr;
  ViewerList viewers_;
  Figures figures_;
};

}  // namespace fp
