#include "base/lookup.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <cerrno>

#include "support/io.h"

namespace {

using namespace fp;

TEST_CASE("Lookup: an address in figures is known at once") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    Lookup lookup(host, "8000");
    CHECK(lookup.fd() == -1);
    const auto found = lookup.take();
    REQUIRE(found.has_value());
    REQUIRE(found->has_value());
    CHECK((*found)->size() == 1);
    CHECK_FALSE(lookup.take().has_value());
  }
  auto found = Lookup("127.0.0.1", "8000").take();
  const auto& address = reinterpret_cast<const sockaddr_in&>((*found)->front().storage);
  CHECK((*found)->front().family() == AF_INET);
  CHECK(ntohs(address.sin_port) == 8000);
}

TEST_CASE("Lookup: a name is looked up elsewhere, and its descriptor says when it is known") {
  Lookup lookup("localhost", "8000");
  REQUIRE(lookup.fd() >= 0);
  REQUIRE(test::wait_readable(lookup.fd()));
  const auto found = lookup.take();
  REQUIRE(found.has_value());
  REQUIRE(found->has_value());
  CHECK_FALSE((*found)->empty());
}

TEST_CASE("Lookup: a name that cannot be one is an error that names it") {
  Lookup lookup("no such host", "8000");
  REQUIRE(test::wait_readable(lookup.fd()));
  const auto found = lookup.take();
  REQUIRE(found.has_value());
  REQUIRE_FALSE(found->has_value());
  CHECK(found->error().text.starts_with("no such host: "));
}

TEST_CASE("Lookup: abandoning one that has not answered does no harm") {
  for (int i = 0; i < 20; ++i) Lookup("localhost", "8000");
}

}  // namespace
