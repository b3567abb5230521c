#include "serve/fit.h"

namespace fp {

using http::Connection;
using http::Request;
using http::Response;

void Fit::stream(Connection& connection, const Request& request, Filter& filter, const Respond& respond) {
  auto posted = parse_fit_request(request.body);
  if (!posted) return respond(connection, fit_error(400, posted.error().text));
  const FitClients::Visit visit = clients_.visit(request.header("Cookie"), connection.peer(), posted->is_first_frame);
  const Respond with_cookie = [respond, cookie = visit.set_cookie](Connection& to, Response response) {
    if (!cookie.empty()) response.headers.emplace_back("Set-Cookie", cookie);
    respond(to, std::move(response));
  };
  if (!visit.client->open) return with_cookie(connection, fit_untouched(posted->text, 0));
  auto question = std::make_unique<FitQuestion>(clock_, connection, visit.client, std::move(*posted), with_cookie);
  FitQuestion& asked = *question;
  connection.wait(std::move(question));
  asked.ask(filter);
}

void Fit::stop(Connection& connection, const Request& request, const Respond& respond) {
  const std::shared_ptr<FitClient> client = clients_.leave(request.header("Cookie"), connection.peer());
  respond(connection, http::json_response(200, "{\"success\":true}"));
  if (client && client->waiting) client->waiting->who->gate_closed();
}

}  // namespace fp
