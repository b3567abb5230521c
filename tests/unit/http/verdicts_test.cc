#include "http/verdicts.h"

#include <doctest/doctest.h>

#include "support/fake_clock.h"

using namespace fp;
using namespace fp::http;
using namespace std::chrono_literals;

TEST_CASE("CredentialNames: the same texts have the same name, and others another one") {
  const CredentialNames names;
  CHECK(names.of({"anna", "x"}) == names.of({"anna", "x"}));
  CHECK(names.of({"anna", "x"}) != names.of({"anna", "y"}));
  CHECK(names.of({"anna", "x"}) != names.of({"annax", ""}));
  CHECK(names.of({"1:a", "b"}) != names.of({"1", "ab"}));
  CHECK(names.of({"anna"}) != CredentialNames().of({"anna"}));
}

TEST_CASE("RecentNames: remembers for ten minutes, from the last time on") {
  const CredentialNames names;
  test::FakeClock clock;
  RecentNames recent;
  const auto anna = names.of({"anna"});
  CHECK_FALSE(recent.has(anna, clock.steady()));
  recent.add(anna, clock.steady());
  clock.tick(599s);
  CHECK(recent.has(anna, clock.steady()));
  recent.add(anna, clock.steady());
  clock.tick(599s);
  recent.add(names.of({"ben"}), clock.steady());
  CHECK(recent.has(anna, clock.steady()));
  clock.tick(1s);
  CHECK_FALSE(recent.has(anna, clock.steady()));
}

TEST_CASE("RecentNames: the oldest gives way, and all of them when it is cleared") {
  const CredentialNames names;
  test::FakeClock clock;
  RecentNames recent;
  for (std::size_t i = 0; i <= RecentNames::kMost; ++i) recent.add(names.of({std::to_string(i)}), clock.steady());
  CHECK(recent.size() == RecentNames::kMost);
  CHECK_FALSE(recent.has(names.of({"0"}), clock.steady()));
  CHECK(recent.has(names.of({"1"}), clock.steady()));
  recent.clear();
  CHECK_FALSE(recent.has(names.of({"1"}), clock.steady()));
}
