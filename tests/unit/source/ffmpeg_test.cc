#include "source/ffmpeg.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;

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

}  // namespace
