// The routes that pages post pictures to.
#include "serve/query.h"
#include "serve/routes.h"

namespace fp {

using http::Connection;
using http::Request;

void Routes::fit_stream(Connection& connection, const Request& request, Camera* /*camera*/) {
  const auto respond = answer_later(request);
  try {
    fit_.stream(connection, request, *filter_wish(request, /*always=*/true).filter, respond);
  } catch (const NoFilter& none) {
    respond(connection, fit_error(404, none.text));
  } catch (const BadQuery& bad) {
    respond(connection, fit_error(400, bad.text));
  }
}

void Routes::fit_stop(Connection& connection, const Request& request, Camera* /*camera*/) {
  fit_.stop(connection, request, answer_later(request));
}

}  // namespace fp
