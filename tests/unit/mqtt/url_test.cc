#include "mqtt/url.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using mqtt::name_in;
using mqtt::parse_url;

std::string why_not(const std::string& url) {
  const auto parsed = parse_url(url);
  return parsed ? "it was taken" : parsed.error().text;
}

TEST_CASE("parse_url: takes a broker's URL apart") {
  const auto url = parse_url("MQTTS://Broker.Local:8884/site/hall/door");
  REQUIRE(url.has_value());
  CHECK(url->secure);
  CHECK(url->brokers.front().host == "broker.local");
  CHECK(url->brokers.front().port == "8884");
  CHECK(url->prefix == "site/hall");
  CHECK(url->names == std::vector<std::string>{"door"});
  CHECK_FALSE(url->credentials.has_value());
  CHECK(url->topic("door", "frame") == "site/hall/door/frame");
}

TEST_CASE("parse_url: the port is the scheme's own where none is written, and is not shown then") {
  CHECK(parse_url("mqtt://b/cams/door")->brokers.front().port == "1883");
  CHECK(parse_url("mqtts://b/cams/door")->brokers.front().port == "8883");
  CHECK(parse_url("mqtt://b:1883/cams/door")->text() == "mqtt://b/cams/door");
  CHECK(parse_url("mqtt://b:8883/cams/door")->text() == "mqtt://b:8883/cams/door");
}

TEST_CASE("parse_url: a camera may stand without a prefix") {
  const auto url = parse_url("mqtt://b/door");
  REQUIRE(url.has_value());
  CHECK(url->topic("door", "status") == "door/status");
}

TEST_CASE("parse_url: several cameras stand with commas in between, and + is all of them") {
  CHECK(parse_url("mqtt://b/cams/door,yard,door")->names == std::vector<std::string>{"door", "yard"});
  CHECK(parse_url("mqtt://b/cams/+")->names == std::vector<std::string>{"+"});
  CHECK(why_not("mqtt://b/cams/+,door").find("'+' is no camera's name") != std::string::npos);
}

TEST_CASE("parse_url: user and password are decoded, and never shown") {
  const auto url = parse_url("mqtt://me:p%40ss%2Fword@b/cams/door");
  REQUIRE(url.has_value());
  REQUIRE(url->credentials.has_value());
  CHECK(url->credentials->user == "me");
  CHECK(url->credentials->password == "p@ss/word");
  CHECK(url->text() == "mqtt://b/cams/door");
  CHECK(why_not("mqtt://me:se/cret@b/cams/door").find("cret") == std::string::npos);
  CHECK(why_not("mqtt://me:secret@b:x/cams/door").find("secret") == std::string::npos);
}

TEST_CASE("parse_url: the nodes of a cluster stand with commas in between") {
  const auto url = parse_url("mqtt://me@a,b:1884,[::1]:1885/cams/door");
  REQUIRE(url.has_value());
  REQUIRE(url->brokers.size() == 3);
  CHECK(url->brokers[0].port == "1883");
  CHECK(url->brokers[1].host == "b");
  CHECK(url->brokers[1].port == "1884");
  CHECK(url->brokers[2].host == "::1");
  CHECK(url->text() == "mqtt://a,b:1884,[::1]:1885/cams/door");
  CHECK(why_not("mqtt://a,,b/cams/door").find("no host") != std::string::npos);
}

TEST_CASE("parse_url: an IPv6 address stands in brackets") {
  const auto url = parse_url("mqtt://[::1]:1884/cams/door");
  REQUIRE(url.has_value());
  CHECK(url->brokers.front().host == "::1");
  CHECK(url->brokers.front().port == "1884");
  CHECK(url->text() == "mqtt://[::1]:1884/cams/door");
}

TEST_CASE("parse_url: what is no broker's URL is refused with its reason") {
  CHECK(why_not("http://b/cams/door").find("mqtt://HOST/PREFIX/NAME") != std::string::npos);
  CHECK(why_not("mqtt://b").find("no camera is named") != std::string::npos);
  CHECK(why_not("mqtt://b/cams/").find("no camera is named") != std::string::npos);
  CHECK(why_not("mqtt:///cams/door").find("no host") != std::string::npos);
  CHECK(why_not("mqtt://b:0/cams/door").find("no port") != std::string::npos);
  CHECK(why_not("mqtt://b:99999/cams/door").find("no port") != std::string::npos);
  CHECK(why_not("mqtt://b/+/door").find("'+' and '#'") != std::string::npos);
  CHECK(why_not("mqtt://b//door").find("empty level") != std::string::npos);
  CHECK(why_not("mqtt://b/$SYS/door").find("broker's own") != std::string::npos);
  CHECK(why_not("mqtt://b/cams/a.b").find("no camera's name") != std::string::npos);
  CHECK(why_not("mqtt://b/cams/door?x=1").find("'?'") != std::string::npos);
}

TEST_CASE("name_in: a topic's camera is the level in front of its leaf") {
  CHECK(name_in("cams/door/frame", "cams", "frame") == "door");
  CHECK(name_in("a/b/door/frame", "a/b", "frame") == "door");
  CHECK(name_in("door/frame", "", "frame") == "door");
}

TEST_CASE("name_in: topics of others and names that could end a header are no camera's") {
  CHECK_FALSE(name_in("cams/door/status", "cams", "frame").has_value());
  CHECK_FALSE(name_in("camsdoor/frame", "cams", "frame").has_value());
  CHECK_FALSE(name_in("other/door/frame", "cams", "frame").has_value());
  CHECK_FALSE(name_in("cams/a/b/frame", "cams", "frame").has_value());
  CHECK_FALSE(name_in("cams/a\r\nX-Gate: open/frame", "cams", "frame").has_value());
  CHECK_FALSE(name_in("cams//frame", "cams", "frame").has_value());
}

}  // namespace
