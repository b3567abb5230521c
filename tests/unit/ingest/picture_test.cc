#include "webrtc-ingest/picture.h"

#include <doctest/doctest.h>

#include "support/io.h"
#include "support/jpegs.h"
#include "support/loops.h"
#include "support/pngs.h"
#include "webrtc-ingest/png_worker.h"

namespace {

using namespace fp;
using namespace fp::ingest;

std::vector<std::uint8_t> bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

TEST_CASE("PictureReader: a whole JPEG stays as it is, byte for byte, and what is behind it goes") {
  PictureReader reader;
  const std::string jpeg = test::make_jpeg(3, 64, 48);
  const auto read = reader.jpeg(bytes_of(jpeg + "padding"));
  REQUIRE(read);
  CHECK(as_text(read->jpeg.view()) == jpeg);
  CHECK(read->info.width_px == 64);
}

TEST_CASE("PictureReader: damaged pictures and what is none are told apart") {
  PictureReader reader;
  const std::string jpeg = test::make_jpeg(3, 320, 240);
  CHECK(reader.jpeg({}).error().text == "no JPEG and no PNG");
  CHECK(reader.jpeg(bytes_of("GIF89a")).error().text == "no JPEG and no PNG");
  CHECK(reader.jpeg(bytes_of(jpeg.substr(0, jpeg.size() / 2))).error().text.starts_with("cut off"));
  std::string torn = jpeg;
  torn.erase(jpeg.size() - 300, 200);
  CHECK(reader.jpeg(bytes_of(torn)).error().text == "damaged");
}

TEST_CASE("PictureReader: a PNG becomes a JPEG of its size; a bomb is refused by its first bytes") {
  PictureReader reader;
  const std::string png = test::make_png(40, 30);
  const auto read = reader.png(as_bytes(png));
  REQUIRE(read);
  CHECK(read->info.width_px == 40);
  CHECK(read->info.height_px == 30);
  std::string bomb = png;
  bomb.replace(16, 8, std::string("\x00\x00\xFF\xFF\x00\x00\xFF\xFF", 8));
  CHECK(reader.png(as_bytes(bomb)).error().kind == Error::Kind::TooLarge);
  CHECK(reader.png(as_bytes(png.substr(0, 10))).error().text.starts_with("cut off"));
  CHECK(reader.png(as_bytes(png.substr(0, png.size() / 2))).error().kind == Error::Kind::Malformed);
}

struct Worked {
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  PngWorker::Seat::Done done() {
    return [this](const PngJob& job, const Result<Picture>& made) {
      CHECK(made.has_value());
      numbers.push_back(job.number);
    };
  }
  static PngJob job(std::uint64_t number) {
    PngJob job;
    job.bytes = bytes_of(test::make_png(64, 64));
    job.number = number;
    return job;
  }
  Loop loop;
  PngWorker worker{loop};
  std::vector<std::uint64_t> numbers;
};

TEST_CASE("PngWorker: pictures of a seat come in their order") {
  Worked site;
  PngWorker::Seat seat(site.worker, site.done());
  for (std::uint64_t number = 1; number <= 20; ++number) {
    REQUIRE(seat.put(Worked::job(number)));
    REQUIRE(site.run_until([&] { return site.numbers.size() == number; }));
  }
  for (std::uint64_t number = 1; number <= 20; ++number) CHECK(site.numbers[number - 1] == number);
}

TEST_CASE("PngWorker: of more than can wait the newest stay") {
  Worked site;
  PngWorker::Seat seat(site.worker, site.done());
  // A picture that takes far longer than another one's arrival, and as many as it needs: how busy the machine is must
  // not matter.
  PngJob job;
  job.bytes = bytes_of(test::make_png(640, 480));
  std::uint64_t lost = 0;
  while (lost < 10) {
    ++job.number;
    lost += seat.put(job) ? 0 : 1;
  }
  REQUIRE(site.run_until([&] { return site.numbers.size() + lost == job.number; }));
  CHECK(site.numbers.back() == job.number);
  CHECK(std::is_sorted(site.numbers.begin(), site.numbers.end()));
}

TEST_CASE("PngWorker: a seat that goes is not called any more, and the others are") {
  Worked site;
  auto gone = std::make_unique<PngWorker::Seat>(
      site.worker, [](const PngJob&, const Result<Picture>&) { FAIL("called after its end"); });
  PngWorker::Seat seat(site.worker, site.done());
  for (std::uint64_t number = 1; number <= 3; ++number) gone->put(Worked::job(number));
  gone.reset();
  seat.put(Worked::job(9));
  CHECK(site.run_until([&] { return site.numbers == std::vector<std::uint64_t>{9}; }));
}

}  // namespace
