#include "rtc/encoder.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "jpeg/encoder.h"
#include "rtc/encoder_hub.h"
#include "support/jpegs.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

// Keeps what it is given, and can hold up the encoder's thread.
class Sink final : public rtc::EncodedSink {
 public:
  struct Taken {
    std::uint64_t sequence = 0;
    bool key = false;
    std::size_t bytes = 0;
    std::uint64_t running_ns = 0;
  };
  void take(const rtc::EncodedPicture& picture) override {
    std::unique_lock lock(mutex_);
    taken_.push_back({picture.frame->sequence, picture.key, gst_buffer_get_size(picture.buffer), picture.running_ns});
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
  }
  // False: it took too long.
  [[nodiscard]] bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] { return taken_.size() >= count; });
  }
  void hold(bool held) {
    const std::scoped_lock lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  [[nodiscard]] std::vector<Taken> taken() {
    const std::scoped_lock lock(mutex_);
    return taken_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Taken> taken_;
  bool held_ = false;
};

FramePtr frame_of(std::uint64_t sequence, jpeg::Size size = {320, 240}) {
  jpeg::Picture picture(size);
  const int step = static_cast<int>(sequence % 16);
  picture.fill(step * size.width_px / 16, 0, size.width_px / 16, size.height_px, jpeg::Colour::rgb(200, 200, 20));
  jpeg::Encoder encoder;
  auto jpeg = encoder.encode(picture, 80);
  REQUIRE(jpeg);
  auto frame = std::make_shared<Frame>();
  frame->jpeg = *jpeg;
  frame->sequence = sequence;
  return frame;
}

FramePtr damaged_frame(std::uint64_t sequence) {
  auto frame = std::make_shared<Frame>(*frame_of(sequence));
  std::string bytes(frame->jpeg.view().begin(), frame->jpeg.view().end());
  frame->jpeg = Blob::copy_of(ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size() / 2));
  return frame;
}

struct Bench {
  explicit Bench(const rtc::EncoderOptions& options = {})
      : engine(loop,
               [this](Severity, const std::string& text) {
                 const std::scoped_lock lock(mutex);
                 said.push_back(text);
               }),
        encoder(engine, options) {}
  Loop loop;
  std::mutex mutex;
  std::vector<std::string> said;
  rtc::Engine engine;
  rtc::Encoder encoder;
};

rtc::EncoderOptions with(rtc::Codec codec) {
  rtc::EncoderOptions options;
  options.codec = codec;
  return options;
}

TEST_CASE("Encoder: works only while somebody watches, and begins with a key frame of the newest frame") {
  for (const rtc::Codec codec : {rtc::Codec::Vp8, rtc::Codec::H264}) {
    CAPTURE(name_of(codec));
    Bench bench(with(codec));
    for (std::uint64_t sequence = 0; sequence < 5; ++sequence) bench.encoder.put(frame_of(sequence));
    CHECK(bench.encoder.figures().encoded == 0);
    Sink sink;
    bench.encoder.hub()->attach(sink);
    REQUIRE(sink.wait_for(1));  // without any new frame: the source pauses
    CHECK(sink.taken().front().sequence == 4);
    CHECK(sink.taken().front().key);
    bench.encoder.put(frame_of(5));
    REQUIRE(sink.wait_for(2));
    CHECK(sink.taken().back().sequence == 5);
    CHECK_FALSE(sink.taken().back().key);
    CHECK(sink.taken().back().running_ns > sink.taken().front().running_ns);
    bench.encoder.hub()->detach(sink);
    bench.encoder.put(frame_of(6));
    CHECK(bench.encoder.figures().encoded == 2);
    CHECK(bench.encoder.viewers() == 0);
  }
}

TEST_CASE("Encoder: is run once for all, and who comes gets a key frame that all get") {
  Bench bench;
  Sink first;
  Sink second;
  bench.encoder.hub()->attach(first);
  bench.encoder.put(frame_of(0));
  REQUIRE(first.wait_for(1));
  bench.encoder.hub()->attach(second);
  REQUIRE(second.wait_for(1));
  REQUIRE(first.wait_for(2));
  CHECK(second.taken().front().key);
  CHECK(first.taken().at(1).key);
  CHECK(bench.encoder.figures().encoded == 2);
  CHECK(bench.encoder.figures().key_frames == 2);
  bench.encoder.hub()->detach(first);
  bench.encoder.hub()->detach(second);
}

TEST_CASE("Encoder: while a picture is being made the newest frame waits, and those before it are dropped") {
  Bench bench;
  Sink sink;
  sink.hold(true);
  bench.encoder.hub()->attach(sink);
  bench.encoder.put(frame_of(0));
  REQUIRE(sink.wait_for(1));
  for (std::uint64_t sequence = 1; sequence < 8; ++sequence) bench.encoder.put(frame_of(sequence));
  sink.hold(false);
  REQUIRE(sink.wait_for(2));
  CHECK(sink.taken().back().sequence == 7);
  CHECK(bench.encoder.figures().superseded == 6);
  bench.encoder.hub()->detach(sink);
}

TEST_CASE("Encoder: a damaged frame is counted, said once, and who comes gets the last good one") {
  Bench bench;
  Sink sink;
  bench.encoder.hub()->attach(sink);
  bench.encoder.put(frame_of(0));
  REQUIRE(sink.wait_for(1));
  for (std::uint64_t sequence = 1; sequence < 4; ++sequence) {
    bench.encoder.put(damaged_frame(sequence));
    while (bench.encoder.figures().failed < sequence) std::this_thread::yield();
  }
  Sink late;
  bench.encoder.hub()->attach(late);
  REQUIRE(late.wait_for(1));
  CHECK(late.taken().front().sequence == 0);
  CHECK(late.taken().front().key);
  bench.encoder.put(frame_of(4));
  REQUIRE(late.wait_for(2));
  CHECK(late.taken().back().sequence == 4);
  bench.encoder.hub()->detach(sink);
  bench.encoder.hub()->detach(late);
  const std::scoped_lock lock(bench.mutex);
  CHECK(bench.said.size() == 1);
}

TEST_CASE("Encoder: pictures of another size begin again with a key frame, also of an odd one") {
  for (const rtc::Codec codec : {rtc::Codec::Vp8, rtc::Codec::H264}) {
    CAPTURE(name_of(codec));
    Bench bench(with(codec));
    Sink sink;
    bench.encoder.hub()->attach(sink);
    std::size_t count = 0;
    for (const jpeg::Size size : {jpeg::Size{320, 240}, {161, 121}, {1, 1}, {320, 240}}) {
      bench.encoder.put(frame_of(count, size));
      ++count;
      REQUIRE(sink.wait_for(count));
      CHECK(sink.taken().back().key);
    }
    CHECK(bench.encoder.figures().restarts == 3);
    CHECK(bench.encoder.figures().size == jpeg::Size{320, 240});
    bench.encoder.hub()->detach(sink);
  }
}

TEST_CASE("Encoder: a request for a key frame is answered by the next picture, or by the last one again") {
  Bench bench;
  Sink sink;
  bench.encoder.hub()->attach(sink);
  bench.encoder.put(frame_of(0));
  REQUIRE(sink.wait_for(1));
  bench.encoder.put(frame_of(1));
  REQUIRE(sink.wait_for(2));
  CHECK_FALSE(sink.taken().back().key);
  bench.encoder.hub()->request_key();
  bench.encoder.hub()->request_key();
  REQUIRE(sink.wait_for(3));
  CHECK(sink.taken().back().key);
  CHECK(sink.taken().back().sequence == 1);
  CHECK(bench.encoder.figures().key_requests == 2);
  CHECK(bench.encoder.figures().key_frames == 2);
  bench.encoder.hub()->detach(sink);
}

TEST_CASE("Encoder: pictures are fitted into the size that was asked for") {
  rtc::EncoderOptions options;
  options.size = jpeg::Size{200, 200};
  Bench bench(options);
  Sink sink;
  bench.encoder.hub()->attach(sink);
  bench.encoder.put(frame_of(0, {640, 480}));
  REQUIRE(sink.wait_for(1));
  bench.encoder.put(frame_of(1, {48, 640}));
  REQUIRE(sink.wait_for(2));
  CHECK(bench.encoder.figures().size == jpeg::Size{200, 200});
  CHECK(bench.encoder.figures().restarts == 0);
  bench.encoder.hub()->detach(sink);
}

}  // namespace
