// Two ends of WebRTC in one program: a viewer's pictures arrive at an ingest, over UDP on loopback.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "jpeg/decoder.h"
#include "jpeg/encoder.h"
#include "loop/loop.h"
#include "rtc/encoder.h"
#include "rtc/ingest.h"
#include "rtc/viewer.h"
#include "support/jpegs.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

constexpr std::string_view kEmptyOffer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

FramePtr coloured_frame(std::uint64_t sequence, jpeg::Size size, jpeg::Colour colour) {
  jpeg::Picture picture(size);
  picture.fill(0, 0, size.width_px, size.height_px, colour);
  jpeg::Encoder encoder;
  auto jpeg = encoder.encode(picture, 90);
  REQUIRE(jpeg);
  auto frame = std::make_shared<Frame>();
  frame->jpeg = *jpeg;
  frame->sequence = sequence;
  frame->captured = WallTime(1700000000s + std::chrono::milliseconds(sequence));
  return frame;
}

// A viewer and an ingest that are each other's peers, with a source of frames behind the encoder.
struct Ends {
  explicit Ends(const rtc::EncoderOptions& options)
      : engine(loop, [](Severity, const std::string& text) { MESSAGE(text); }),
        encoder(engine, options),
        guard(loop, [this] {
          timed_out = true;
          loop.stop();
        }) {
    peer.ice.addresses = {"127.0.0.1"};
    guard.once(30s);
  }

  void connect() {
    rtc::PeerEvents events;
    events.described = [this](const char* type, const std::string& sdp) {
      if (std::string_view(type) == "answer") {
        CHECK(sdp.find("m=") == std::string::npos);  // as little as the offer
        return;
      }
      accept(sdp);
    };
    events.connected = [this] { viewer_connected = true; };
    events.gone = [this](const std::string& why) {
      viewer_gone = why;
      loop.stop();
    };
    viewer.emplace(encoder, peer, std::move(events));
    REQUIRE(viewer->take_offer(kEmptyOffer, false));
  }

  void accept(const std::string& sdp) {
    rtc::IngestOptions options;
    options.peer = peer;
    rtc::IngestEvents events;
    events.peer.described = [this](const char* type, const std::string& answer) {
      CHECK(std::string_view(type) == "answer");
      CHECK(viewer->take_answer(answer));
    };
    events.peer.gone = [this](const std::string& why) {
      ingest_gone = why;
      loop.stop();
    };
    events.open = [this](const char* how) { opened = how; };
    events.picture = [this](rtc::IncomingPicture picture) {
      pictures.push_back(std::move(picture));
      if (enough()) loop.stop();
    };
    ingest.emplace(engine, options, std::move(events));
    REQUIRE(ingest->take_offer(sdp));
  }

  Loop loop;
  rtc::PeerOptions peer;
  rtc::Engine engine;
  rtc::Encoder encoder;
  Timer guard;
  std::function<bool()> enough = [this] { return pictures.size() >= 10; };
  std::optional<rtc::Viewer> viewer;
  std::optional<rtc::Ingest> ingest;
  bool viewer_connected = false;
  bool timed_out = false;
  std::string opened;
  std::string viewer_gone;
  std::string ingest_gone;
  std::vector<rtc::IncomingPicture> pictures;
};

// Of all sessions in this program that are not quite gone.
int threads_of_agents() {
  int count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    std::getline(file, name);
    count += name.ends_with(":ice") ? 1 : 0;
  }
  return count;
}

// Puts a frame each 20 ms.
struct Source {
  Source(Ends& ends, std::function<FramePtr(std::uint64_t)> make)
      : timer(ends.loop, [this, &ends, frame = std::move(make)] { ends.encoder.put(frame(next++)); }) {
    timer.every(20ms);
  }
  std::uint64_t next = 0;
  Timer timer;
};

jpeg::Planes decoded(const rtc::IncomingPicture& picture) {
  jpeg::Decoder decoder;
  auto planes = decoder.decode(ByteView(picture.bytes), {16384, 16384});
  REQUIRE(planes);
  return std::move(*planes);
}

int middle(const jpeg::Planes& planes, int index) {
  const jpeg::Size shown = planes.layout().shown(index);
  return *(planes.row(index, shown.height_px / 2) + shown.width_px / 2);
}

void check_round_trip(rtc::Codec codec) {
  rtc::EncoderOptions options;
  options.codec = codec;
  Ends ends(options);
  const jpeg::Colour colour = jpeg::Colour::rgb(200, 40, 40);
  Source source(ends, [&](std::uint64_t sequence) { return coloured_frame(sequence, {320, 240}, colour); });
  ends.connect();
  ends.loop.run();
  REQUIRE_FALSE(ends.timed_out);
  CHECK(ends.viewer_gone == "");
  CHECK(ends.ingest_gone == "");
  CHECK(ends.viewer_connected);
  CHECK(ends.opened == "track");
  REQUIRE_FALSE(ends.pictures.empty());
  const jpeg::Planes picture = decoded(ends.pictures.back());
  CHECK(picture.size() == jpeg::Size{320, 240});
  // The range is JPEG's again, and 10 steps of Cr would be the difference between the ranges.
  CHECK(std::abs(middle(picture, 0) - colour.y) <= 6);
  CHECK(std::abs(middle(picture, 1) - colour.cb) <= 6);
  CHECK(std::abs(middle(picture, 2) - colour.cr) <= 6);
  const auto figures = ends.viewer->figures();
  CHECK(figures.sent >= 10);
  CHECK(ends.encoder.figures().encoded >= figures.sent);
  CHECK(ends.viewer->last());
}

TEST_CASE("Viewer: pictures arrive as VP8 in their colours") { check_round_trip(rtc::Codec::Vp8); }
TEST_CASE("Viewer: pictures arrive as H.264 in their colours") { check_round_trip(rtc::Codec::H264); }

TEST_CASE("Viewer: an answer that nobody asked for, or to another offer, is refused and changes nothing") {
  Ends ends({});
  std::string offer;
  rtc::PeerEvents events;
  events.described = [&](const char* type, const std::string& sdp) {
    if (std::string_view(type) != "offer") return;
    offer = sdp;
    ends.loop.stop();
  };
  ends.viewer.emplace(ends.encoder, ends.peer, std::move(events));
  REQUIRE(ends.viewer->take_offer(kEmptyOffer, false));
  CHECK_FALSE(ends.viewer->take_answer(kEmptyOffer));  // ours is not made yet
  ends.loop.run();
  REQUIRE_FALSE(ends.timed_out);
  CHECK_FALSE(ends.viewer->take_answer(kEmptyOffer));  // without the line of ours
  std::string other = offer;
  other.replace(other.find("a=mid:"), 6, "a=mid:z");
  CHECK_FALSE(ends.viewer->take_answer(other));
  CHECK_FALSE(ends.viewer->take_offer(kEmptyOffer, false));  // a second one
  ends.viewer.reset();
  Source source(ends, [&](std::uint64_t sequence) { return coloured_frame(sequence, {64, 48}, {90, 90, 90}); });
  ends.connect();
  ends.loop.run();
  CHECK_FALSE(ends.timed_out);
}

TEST_CASE("Viewer: a peer that vanishes is gone after the time of silence, and its pipeline with it") {
  Ends ends({});
  ends.peer.silence = 2s;
  Source source(ends, [&](std::uint64_t sequence) { return coloured_frame(sequence, {64, 48}, {90, 90, 90}); });
  ends.connect();
  ends.loop.run();
  REQUIRE_FALSE(ends.timed_out);
  ends.ingest.reset();
  ends.loop.run();
  REQUIRE_FALSE(ends.timed_out);
  CHECK(ends.viewer_gone != "");
  CHECK(ends.viewer->state() == rtc::PeerState::Gone);
  CHECK(ends.encoder.viewers() == 0);
  Timer look(ends.loop, [&] {
    // The encoder's pipeline stays. A reference that is lost keeps the thread of an ICE agent, and its sockets.
    if (ends.engine.pipelines() == 1 && threads_of_agents() == 0) ends.loop.stop();
  });
  look.every(5ms);
  ends.loop.run();
  CHECK_FALSE(ends.timed_out);
}

TEST_CASE("Viewer: who never comes is gone after the time to connect") {
  Ends ends({});
  ends.peer.connect_time = 1s;
  rtc::PeerEvents events;
  events.gone = [&](const std::string& why) {
    ends.viewer_gone = why;
    ends.viewer.reset();  // whoever is told may let go
    ends.loop.stop();
  };
  ends.viewer.emplace(ends.encoder, ends.peer, std::move(events));
  REQUIRE(ends.viewer->take_offer(kEmptyOffer, false));
  ends.loop.run();
  CHECK_FALSE(ends.timed_out);
  CHECK(ends.viewer_gone == "no connection came about within 1 s");
}

TEST_CASE("Viewer: an address that is not this machine's is an error in words") {
  Ends ends({});
  ends.peer.ice.addresses = {"not an address"};
  ends.viewer.emplace(ends.encoder, ends.peer, rtc::PeerEvents());
  const auto done = ends.viewer->take_offer(kEmptyOffer, false);
  REQUIRE_FALSE(done);
  CHECK(done.error().text.find("not an address") != std::string::npos);
}

TEST_CASE("Viewer: WHEP's offers must have video, and the word says how") {
  Ends ends({});
  ends.viewer.emplace(ends.encoder, ends.peer, rtc::PeerEvents());
  const auto done = ends.viewer->take_offer(kEmptyOffer, true);
  REQUIRE_FALSE(done);
  CHECK(done.error().text.find("addTransceiver") != std::string::npos);
}

}  // namespace
