#include "serve/fit_clients.h"

#include <doctest/doctest.h>

#include <string>

#include "serve/fit_question.h"

namespace {

using namespace fp;

// What a browser sends back.
std::string cookie_of(const FitClients::Visit& visit) { return visit.set_cookie.substr(0, visit.set_cookie.find(';')); }

TEST_CASE("FitClients: a gate is closed until it is opened, and closed again by leaving") {
  FitClients clients;
  CHECK_FALSE(clients.visit({}, "10.0.0.1", false).client->open);
  CHECK(clients.visit({}, "10.0.0.1", true).client->open);
  CHECK(clients.visit({}, "10.0.0.1", false).client->open);
  CHECK(clients.leave({}, "10.0.0.1") != nullptr);
  CHECK_FALSE(clients.visit({}, "10.0.0.1", false).client->open);
  CHECK(clients.leave({}, "10.0.0.1") == nullptr);
}

TEST_CASE("FitClients: a cookie is set for whoever brings none, and no script can read it") {
  FitClients clients;
  const auto first = clients.visit({}, "10.0.0.1", true);
  CHECK(first.set_cookie.starts_with("framepipe_fit="));
  CHECK(first.set_cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"));
  CHECK(clients.visit(cookie_of(first), "10.0.0.1", false).set_cookie.empty());
  CHECK(clients.visit("a=b;  " + cookie_of(first) + "; c=d", "10.0.0.1", false).client->open);
}

TEST_CASE("FitClients: who comes back with its cookie is the same one, and leaves no open gate at its address") {
  FitClients clients;
  const auto first = clients.visit({}, "10.0.0.1", true);
  CHECK(clients.visit(cookie_of(first), "10.0.0.1", false).client->open);
  const auto other = clients.visit({}, "10.0.0.1", false);
  CHECK_FALSE(other.client->open);
  CHECK(other.set_cookie != first.set_cookie);
  CHECK_FALSE(clients.visit(cookie_of(other), "10.0.0.1", false).client->open);
  CHECK(clients.visit(cookie_of(first), "10.0.0.1", false).client->open);
}

TEST_CASE("FitClients: two that came first at the same time from one address have gates of their own") {
  FitClients clients;
  const auto one = clients.visit({}, "10.0.0.1", true);
  const auto two = clients.visit({}, "10.0.0.1", true);
  CHECK(cookie_of(one) != cookie_of(two));
  const auto one_again = clients.visit(cookie_of(one), "10.0.0.1", false);
  const auto two_again = clients.visit(cookie_of(two), "10.0.0.1", false);
  CHECK(one_again.client->open);
  CHECK(two_again.client->open);
  CHECK(one_again.client != two_again.client);
  CHECK(clients.leave(cookie_of(one), "10.0.0.1") != nullptr);
  CHECK_FALSE(clients.visit(cookie_of(one), "10.0.0.1", false).client->open);
  CHECK(clients.visit(cookie_of(two), "10.0.0.1", false).client->open);
}

TEST_CASE("FitClients: a page that posts on before it has its cookie keeps its gate with the one it gets") {
  FitClients clients;
  (void)clients.visit({}, "10.0.0.1", true);
  const auto second = clients.visit({}, "10.0.0.1", false);
  CHECK(clients.visit(cookie_of(second), "10.0.0.1", false).client->open);
}

TEST_CASE("FitClients: leaving by the cookie that was just given closes the gate") {
  FitClients clients;
  const auto first = clients.visit({}, "10.0.0.1", true);
  CHECK(clients.leave(cookie_of(first), "10.0.0.1") != nullptr);
  CHECK_FALSE(clients.visit(cookie_of(first), "10.0.0.1", false).client->open);
  CHECK(clients.size() == 0);
}

TEST_CASE("FitClients: a cookie that is not one of ours says nothing, and an invented one opens nothing") {
  FitClients clients;
  (void)clients.visit({}, "10.0.0.1", true);
  CHECK_FALSE(clients.visit("framepipe_fit=" + std::string(32, 'a'), "10.0.0.1", false).client->open);
  for (const char* bad : {"framepipe_fit=", "framepipe_fit=x", "framepipe_fit=../../etc", "other=1"}) {
    CAPTURE(bad);
    CHECK(clients.visit(bad, "10.0.0.1", false).client->open);  // known by its address
  }
}

TEST_CASE("FitClients: no more than 256 are remembered, and the one not seen longest is forgotten") {
  FitClients clients;
  for (int i = 0; i < 256; ++i) (void)clients.visit({}, "10.0.0." + std::to_string(i), true);
  CHECK(clients.visit({}, "10.0.0.0", false).client->open);  // seen again
  (void)clients.visit({}, "10.0.1.1", true);
  CHECK(clients.size() == FitClients::kMostClients);
  CHECK(clients.visit({}, "10.0.0.0", false).client->open);
  CHECK_FALSE(clients.visit({}, "10.0.0.1", false).client->open);
}

TEST_CASE("FitClients: those whose gate is closed take no place, whatever they bring") {
  FitClients clients;
  for (int i = 0; i < 1000; ++i) (void)clients.visit({}, "10.0.0." + std::to_string(i), false);
  CHECK(clients.size() == 0);
}

TEST_CASE("FitClients: one without cookies that opens its gate with each picture is one client") {
  FitClients clients;
  const auto first = clients.visit({}, "10.0.0.1", true);
  for (int i = 0; i < 1000; ++i) CHECK(clients.visit({}, "10.0.0.1", true).client == first.client);
  CHECK(clients.size() == 1);
  CHECK(first.client->cookies.size() <= 8);
}

}  // namespace
