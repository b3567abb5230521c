#include "serve/fit_request.h"

#include <doctest/doctest.h>

#include <string>

#include "base/base64.h"
#include "support/jpegs.h"

namespace {

using namespace fp;

const std::string kJpeg = test::make_jpeg(1);

std::string text_of(const std::string& bytes) { return base64(as_bytes(bytes)); }
std::string with_frame(const std::string& text, const std::string& more = {}) {
  return R"({"frame":")" + text + "\"" + more + "}";
}
std::string why(const std::string& body) {
  const auto request = parse_fit_request(body);
  return request ? "accepted" : request.error().text;
}

TEST_CASE("parse_fit_request: a picture in base64 with what is asked for") {
  const auto request = parse_fit_request(
      with_frame(text_of(kJpeg), R"(,"showSkeleton":true,"useWarp":false,"isFirstFrame":true,"other":[{"frame":1}])"));
  REQUIRE(request);
  CHECK(as_text(request->jpeg.view()) == kJpeg);
  CHECK(request->text == text_of(kJpeg));
  CHECK_FALSE(request->data_url);
  CHECK(request->show_skeleton);
  CHECK_FALSE(request->use_warp);
  CHECK(request->is_first_frame);
  CHECK(request->picture.width_px > 0);
}

TEST_CASE("parse_fit_request: a picture in the data: form") {
  for (const char* head : {"data:image/jpeg;base64,", "DATA:image/jpg;Base64,", "data:;base64,"}) {
    CAPTURE(head);
    const auto request = parse_fit_request(with_frame(head + text_of(kJpeg)));
    REQUIRE(request);
    CHECK(request->data_url);
    CHECK(as_text(request->jpeg.view()) == kJpeg);
  }
}

TEST_CASE("parse_fit_request: a body of very many members is given up early") {
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += R"("showSkeleton":true,)";
  std::string numbers = R"({"x":[1)";
  for (int i = 0; i < 1000; ++i) numbers += ",1";
  for (const std::string& body : {many + R"("useWarp":true})", numbers + "]}"}) {
    const auto request = parse_fit_request(body);
    REQUIRE_FALSE(request);
    CHECK(request.error().text == "the body has more in it than a frame and what is wanted of it");
  }
  CHECK(parse_fit_request(R"({"frame":"AA==","frame":"AA=="})").error().text == "the body has two frames");
}

TEST_CASE("parse_fit_request: slashes may be escaped, as some programs write them") {
  std::string escaped;
  for (const char letter : text_of(kJpeg)) escaped += letter == '/' ? std::string("\\/") : std::string(1, letter);
  const auto request = parse_fit_request(with_frame(escaped));
  REQUIRE(request);
  CHECK(as_text(request->jpeg.view()) == kJpeg);
}

TEST_CASE("parse_fit_request: what follows the picture is no part of it, and is kept for the closed gate") {
  const auto request = parse_fit_request(with_frame(text_of(kJpeg + "behind")));
  REQUIRE(request);
  CHECK(as_text(request->jpeg.view()) == kJpeg);
  CHECK(as_text(request->posted.view()) == kJpeg + "behind");
}

TEST_CASE("parse_fit_request: what is no JSON object is refused, and the reason says so") {
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("frame=1"), std::string("{\"frame\":"),
        with_frame(text_of(kJpeg)) + "x", std::string("\xFF\xFE{}"), std::string("{'a':1}")}) {
    CAPTURE(body.substr(0, 30));
    CHECK(why(body).starts_with("the body is no JSON: byte "));
  }
  for (const char* body : {"[]", "1", "\"text\"", "null", "true"}) CHECK(why(body) == "the body is no JSON object");
}

TEST_CASE("parse_fit_request: members of another kind are refused by name") {
  CHECK(why("{}") == "the body has no frame");
  for (const char* value : {"1", "null", "[]", "{}", "true", "1.5"}) {
    CHECK(why(R"({"frame":)" + std::string(value) + "}") == "frame must be a picture in base64");
  }
  for (const char* value : {"1", "null", "[]", "{}", "\"yes\""}) {
    CHECK(why(with_frame(text_of(kJpeg), R"(,"useWarp":)" + std::string(value))) == "useWarp must be true or false");
  }
}

TEST_CASE("parse_fit_request: brackets without end are given up early") {
  CHECK(why("{\"a\":" + std::string(1'000'000, '[')) == "the body is nested too deeply");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(why(objects) == "the body is nested too deeply");
}

TEST_CASE("parse_fit_request: no base64, and no JPEG") {
  CHECK(why(with_frame("%%%%")).starts_with("frame is no base64"));
  CHECK(why(with_frame("data:image/jpeg," + text_of(kJpeg))).starts_with("frame: a data: address must be"));
  CHECK(why(with_frame("data:image/jpeg;base64")).starts_with("frame: a data: address must be"));
  CHECK(why(with_frame("")).starts_with("frame is no JPEG: "));
  CHECK(why(with_frame(text_of("\x89PNG\r\n\x1A\n"))).starts_with("frame is no JPEG: "));
  CHECK(why(with_frame(text_of(kJpeg.substr(0, kJpeg.size() / 2)))).starts_with("frame is no JPEG: cut off after "));
}

}  // namespace
