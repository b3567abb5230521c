#include "record/matroska.h"

#include <doctest/doctest.h>

#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;
using namespace std::chrono_literals;

Frame frame_at(WallTime captured) {
  Frame frame = *test::make_frame(1);
  frame.captured = captured;
  return frame;
}
const WallTime kBegin{1'763'688'000s};

// A Cluster around "jpeg".
std::string cluster_of(const std::string& headers) {
  const auto around = matroska::cluster(1234ms, 4, headers);
  return around.before + "jpeg" + around.behind;
}

TEST_CASE("Matroska: the head has one size, whatever is in it") {
  matroska::Film film(frame_at(kBegin));
  CHECK(film.head().size() == matroska::kHeadBytes);
  film.added(0ms, matroska::kHeadBytes);
  film.added(1h * 24 * 365 * 100, 1ull << 50);
  CHECK(film.head((1ull << 50) + 1000, (1ull << 50) + 2000).size() == matroska::kHeadBytes);
  for (const WallTime odd : {WallTime(), WallTime(std::chrono::microseconds(253'402'300'799'999'999))}) {
    CHECK(matroska::Film(frame_at(odd)).head().size() == matroska::kHeadBytes);
  }
}

TEST_CASE("Matroska: a head is known as ours, open or closed, and that of another program is not") {
  matroska::Film film(frame_at(kBegin));
  std::string head = film.head();
  CHECK(matroska::is_ours(as_bytes(head)));
  film.added(0ms, matroska::kHeadBytes);
  CHECK(matroska::is_ours(as_bytes(film.head(1000, 2000))));
  CHECK_FALSE(matroska::is_ours(as_bytes(head.substr(0, 100))));
  head.replace(head.find("framepipe"), 9, "Lavf59.27");
  CHECK_FALSE(matroska::is_ours(as_bytes(head)));
}

TEST_CASE("Matroska: a Cluster is read as it was written") {
  const std::string headers = "X-Timestamp: 1.000000\r\nX-Camera: porch\r\n";
  const std::string text = cluster_of(headers);
  const auto head = matroska::parse_cluster_head(as_bytes(text)).value();
  CHECK(head.time == 1234ms);
  CHECK(head.jpeg_bytes == 4);
  CHECK(matroska::kClusterHeadBytes + head.jpeg_bytes + head.tail_bytes == text.size());
  CHECK(text.substr(matroska::kClusterHeadBytes, 4) == "jpeg");
  CHECK(matroska::parse_tail(as_bytes(text.substr(text.size() - head.tail_bytes))) == headers);
}

TEST_CASE("Matroska: a Cluster that is cut, or altered anywhere in front of its picture, is none or another one") {
  const std::string text = cluster_of("X-Sequence: 1\r\n");
  const auto whole = matroska::parse_cluster_head(as_bytes(text)).value();
  for (std::size_t i = 0; i < matroska::kClusterHeadBytes; ++i) {
    CAPTURE(i);
    CHECK_FALSE(matroska::parse_cluster_head(as_bytes(text.substr(0, i))).has_value());
    std::string altered = text;
    altered[i] = static_cast<char>(altered[i] ^ 0x11);
    const auto head = matroska::parse_cluster_head(as_bytes(altered));
    // The time may be any, and the border between the picture and what is behind it.
    if (head) CHECK((head->time != whole.time || head->jpeg_bytes != whole.jpeg_bytes));
  }
}

TEST_CASE("Matroska: what stands behind a picture is nothing unless its sizes hold") {
  const auto around = matroska::cluster(0ms, 0, "X-Sequence: 1\r\n");
  CHECK(matroska::parse_tail(as_bytes(around.behind)) == "X-Sequence: 1\r\n");
  for (std::size_t i = 0; i < around.behind.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(matroska::parse_tail(as_bytes(around.behind.substr(0, i))).has_value());
  }
  CHECK_FALSE(matroska::parse_tail(as_bytes(around.behind + "x")).has_value());
}

TEST_CASE("Matroska: times grow, also where those of the frames do not") {
  matroska::Film film(frame_at(kBegin));
  CHECK(film.time_of(frame_at(kBegin)) == 0ms);
  film.added(0ms, 0);
  CHECK(film.time_of(frame_at(kBegin + 40'999us)) == 40ms);
  CHECK(film.time_of(frame_at(kBegin)) == 1ms);
  CHECK(film.time_of(frame_at(kBegin - 1h)) == 1ms);
}

TEST_CASE("Matroska: a film is of one size") {
  const matroska::Film film(*test::make_frame(1, test::make_jpeg(1, 48, 32)));
  CHECK(film.fits(*test::make_frame(2, test::make_jpeg(2, 48, 32))));
  CHECK_FALSE(film.fits(*test::make_frame(2, test::make_jpeg(2, 32, 48))));
  CHECK_FALSE(film.fits(*test::make_frame(2, test::make_jpeg(2, 48, 40))));
}

TEST_CASE("Matroska: there is a cue each second, and less often in a film of years") {
  matroska::Film film(frame_at(kBegin));
  const std::size_t none = film.cues().size();
  film.added(0ms, 300);
  const std::size_t one = film.cues().size() - none;
  film.added(999ms, 400);
  CHECK(film.cues().size() == none + one);
  film.added(1000ms, 500);
  CHECK(film.cues().size() == none + 2 * one);
  for (int second = 2; second < 200'000; ++second) film.added(1s * second, 600);
  CHECK(film.cues().size() < 1u << 20);
  CHECK(film.cues().size() > 10'000 * one);
}

}  // namespace
