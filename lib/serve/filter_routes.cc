// The routes that ask filters.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "serve/detect_once.h"
#include "serve/query.h"
#include "serve/routes.h"

namespace fp {
namespace {

using http::Connection;
using http::Request;
using http::Response;

constexpr std::array<std::string_view, 4> kOverlays = {"boxes", "labels", "skeleton", "garment"};
constexpr std::string_view kUsualOverlay = "boxes=1,labels=1,skeleton=1";

// "boxes,labels" as "boxes=1,labels=1,skeleton=0,garment=0".
std::string overlay_of(const std::string& text) {
  std::vector<std::string_view> wanted;
  if (text != "none") wanted = split(text, ',');
  for (const std::string_view name : wanted) {
    if (std::find(kOverlays.begin(), kOverlays.end(), name) == kOverlays.end()) {
      throw BadQuery{"overlay must be none, or some of boxes,labels,skeleton,garment"};
    }
  }
  std::string overlay;
  for (const std::string_view name : kOverlays) {
    const bool shown = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    overlay += (overlay.empty() ? "" : ",") + std::string(name) + (shown ? "=1" : "=0");
  }
  return overlay;
}

}  // namespace

// `filter=NAME`, or with `always` the first one; and `overlay=`.
FilterWish Routes::filter_wish(const Request& request, bool always) const {
  const auto name = query(request, "filter");
  if (!name && !always) return {};
  if (filters_.first() == nullptr) {
    throw NoFilter{"no filter here: start mjpeg-serve with --filter NAME=COMMAND"};
  }
  FilterWish wish;
  wish.filter = name ? filters_.find(*name) : filters_.first();
  if (wish.filter == nullptr) throw NoFilter{"no filter '" + printable(*name, 80) + "' here"};
  if (always) wish.overlay = kUsualOverlay;
  if (const auto overlay = query(request, "overlay")) wish.overlay = overlay_of(*overlay);
  return wish;
}

std::function<void(Connection&, Response)> Routes::answer_later(const Request& request) const {
  return [this, origin = site_.cors_origin(request)](Connection& to, Response response) {
    to.respond(site_.finished(std::move(response), origin));
  };
}

void Routes::detect_once(Connection& connection, const Request& request, Camera* camera) {
  const FilterWish wish = filter_wish(request, /*always=*/true);
  const DetectForm form = detect_form(request.header("Accept"));
  if (request.method != "POST") {
    return connection.wait(
        std::make_unique<DetectOnce>(clock_, connection, *camera, wish, form, answer_later(request)));
  }
  auto frame = posted_frame(as_bytes(request.body), clock_.wall());
  if (!frame) throw BadQuery{"the body is no JPEG: " + frame.error().text};
  connection.wait(std::make_unique<DetectPosted>(clock_, connection, *frame, wish, form, answer_later(request)));
}

void Routes::detect_stream(Connection& connection, const Request& request, Camera* camera) {
  stream_of(connection, request, *camera, filter_wish(request, /*always=*/true));
}

void Routes::filtered_snapshot(Connection& connection, const Request& request, Camera& camera) {
  if (query(request, "max_age") || query(request, "after")) {
    throw BadQuery{"filter does not go with max_age or after: the picture is of a frame that comes after the request"};
  }
  connection.wait(std::make_unique<DetectOnce>(clock_, connection, camera, filter_wish(request, /*always=*/false),
                                               DetectForm::Picture, answer_later(request)));
}

}  // namespace fp
