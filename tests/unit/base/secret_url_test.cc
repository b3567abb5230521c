#include "base/secret_url.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using Views = std::vector<std::string_view>;

TEST_CASE("without_secret: user and password go, whatever they look like") {
  CHECK(without_secret("rtsp://cam/live").text == "rtsp://cam/live");
  CHECK(without_secret("rtsp://cam/live").secret.empty());
  CHECK(without_secret("rtsp://u:p@cam:554/live?x=1").text == "rtsp://cam:554/live?x=1");
  CHECK(without_secret("rtsp://u:p@cam:554/live").secret == "u:p");
  CHECK(without_secret("http://u:p@ss@cam").text == "http://cam");
  CHECK(without_secret("http://cam/mail@home").text == "http://cam/mail@home");
  CHECK(without_secret("http://cam?a=b@c").secret.empty());
  CHECK(without_secret("clip@home.mp4").text == "clip@home.mp4");
}

TEST_CASE("with_secret: put in, and encoded where it must be") {
  CHECK(with_secret("rtsp://cam/live", "") == "rtsp://cam/live");
  CHECK(with_secret("rtsp://cam/live", "user:pass") == "rtsp://user:pass@cam/live");
  CHECK(with_secret("rtsp://cam/live", "user:p@s/s:w") == "rtsp://user:p%40s%2Fs%3Aw@cam/live");
  CHECK(with_secret("rtsp://old:one@cam/live", "new:two") == "rtsp://new:two@cam/live");
  CHECK(with_secret("clip.mp4", "new:two") == "clip.mp4");
}

TEST_CASE("without_secret_parameters: what cameras take in the query is not shown") {
  CHECK(without_secret_parameters("/video.cgi") == "/video.cgi");
  CHECK(without_secret_parameters("/video.cgi?user=me&pwd=geheim&rate=0") == "/video.cgi?user=me&pwd=***&rate=0");
  CHECK(without_secret_parameters("/v?Password=a&loginpas=b&access_token=c") ==
        "/v?Password=***&loginpas=***&access_token=***");
  CHECK(without_secret_parameters("/v?pwd=&pwd") == "/v?pwd=&pwd");
  CHECK(without_secret_parameters("/pwd=x") == "/pwd=x");
}

TEST_CASE("secrets_in: all that an argument gives away") {
  CHECK(secrets_in("test").empty());
  CHECK(secrets_in("http://cam/stream").empty());
  CHECK(secrets_in("a=http://me:pw@cam/s?token=t&x=1,on-demand") == Views{"me:pw", "t"});
  CHECK(secrets_in("exec:curl 'http://a:b@x/' http://c:d@y/") == Views{"a:b", "c:d"});
  CHECK(secrets_in("http://@cam/").empty());
}

TEST_CASE("blotted: shows the rest") {
  CHECK(blotted("nothing") == "nothing");
  CHECK(blotted("a=http://me:pw@cam/s?token=t&x=1,on-demand") == "a=http://***@cam/s?token=***&x=1,on-demand");
}

}  // namespace
