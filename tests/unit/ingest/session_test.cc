#include "webrtc-ingest/session.h"

#include <doctest/doctest.h>

#include <csignal>

#include "support/fake_clock.h"
#include "support/filter_children.h"
#include "support/jpegs.h"
#include "support/loops.h"
#include "support/pngs.h"

namespace {

using namespace fp;
using namespace fp::ingest;
using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

// In place of WebRTC: what it was told, and the way to what it tells.
struct Media {
  rtc::IngestEvents events;
  std::vector<std::string> offers;
  std::vector<std::string> texts;
  int candidates = 0;
  bool gone = false;
};

class FakeSender final : public Sender {
 public:
  explicit FakeSender(Media& media) : media_(media) {}
  ~FakeSender() override { media_.gone = true; }
  Result<Done> take_offer(std::string_view sdp) override {
    media_.offers.emplace_back(sdp);
    if (sdp == "bad") return malformed("no v= line");
    media_.events.peer.described("answer", "v=0 answer");
    return Done{};
  }
  void take_candidate(const rtc::Candidate& /*candidate*/) override { ++media_.candidates; }
  bool send_text(const std::string& text) override {
    media_.texts.push_back(text);
    return true;
  }
  [[nodiscard]] rtc::Ingest::Figures figures() const override { return {}; }

 private:
  Media& media_;
};

struct Stage {
  explicit Stage(const std::string& command = "", std::size_t warm = 1) {
    if (!command.empty()) {
      pool.emplace(loop, clock, ChildOptions{command, 500ms}, warm,
                   [this](Severity, const std::string& text) { said.push_back(text); });
      site.pool = &*pool;
    }
    site.output = [this](const FramePtr& frame) { frames.push_back(frame); };
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() { loop.settle(); }
  std::unique_ptr<Session> session() {
    return std::make_unique<Session>(site, "s-000001", "192.0.2.1",
                                     Session::Line{[this](std::string_view text) {
                                                     told.push_back(Json::parse(text));
                                                     return !full;
                                                   },
                                                   [this](std::uint16_t code, std::string_view) { closed = code; }});
  }
  // A session whose data channel is open.
  std::unique_ptr<Session> connected(bool hello = true) {
    auto made = session();
    made->text(R"({"type":"offer","sdp":"v=0"})");
    if (hello) made->text(R"({"type":"hello"})");
    media.back()->events.open("data");
    told.clear();
    return made;
  }
  void send(std::optional<std::uint32_t> number, const std::string& bytes, std::optional<double> captured_ms = {}) {
    media.back()->events.picture({{bytes.begin(), bytes.end()}, number, captured_ms});
  }
  [[nodiscard]] std::vector<Json> of_type(const std::string& type) const {
    std::vector<Json> found;
    for (const Json& message : told) {
      if (message["type"] == type) found.push_back(message);
    }
    return found;
  }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }

  SystemClock clock;
  Loop loop;
  std::vector<std::string> said;
  std::vector<std::unique_ptr<Media>> media;
  std::vector<Json> told;
  std::vector<FramePtr> frames;
  bool full = false;
  int closed = 0;
  Latencies latencies;
  PngWorker pngs{loop};
  std::optional<Pool> pool;
  Site site{loop,
            clock,
            nullptr,
            {},
            [this](rtc::IngestEvents events) {
              media.push_back(std::make_unique<Media>());
              media.back()->events = std::move(events);
              return std::make_unique<FakeSender>(*media.back());
            },
            pngs,
            latencies,
            [this](Severity, const std::string& text) { said.push_back(text); }};
};

const std::string kOffer = R"({"type":"offer","sdp":"v=0"})";

TEST_CASE("Session: an offer is answered; what a page does not ask for it is not told") {
  Stage stage;
  const auto session = stage.session();
  session->text(kOffer);
  stage.media[0]->events.open("data");
  stage.send(1, test::make_jpeg(1));
  REQUIRE(stage.told.size() == 1);
  CHECK(stage.told[0]["type"] == "answer");
  CHECK(stage.told[0]["sdp"] == "v=0 answer");
  CHECK(stage.frames.size() == 1);
}

TEST_CASE("Session: a second offer begins anew, and too many of them end it") {
  Stage stage;
  const auto session = stage.session();
  session->text(kOffer);
  session->text(kOffer);
  REQUIRE(stage.media.size() == 2);
  CHECK(stage.run_until([&] { return stage.media[0]->gone; }));
  CHECK_FALSE(stage.media[1]->gone);
  for (int i = 0; i < 20; ++i) session->text(kOffer);
  CHECK(stage.media.size() == Session::kMostOffers);
  CHECK(stage.closed == 1008);
}

TEST_CASE("Session: one by which no pictures can come is ended after a while, and no other") {
  Stage stage;
  stage.site.idle_time = 50ms;
  {
    const auto busy = stage.connected();
    const auto until = stage.clock.steady() + 200ms;
    REQUIRE(stage.run_until([&] { return stage.clock.steady() > until; }));
    CHECK(stage.closed == 0);
    stage.media.back()->events.peer.gone("the peer has closed it");
    CHECK(stage.run_until([&] { return stage.closed == 1008; }));
  }
  stage.closed = 0;
  const auto idle = stage.session();
  CHECK(stage.run_until([&] { return stage.closed == 1008; }));
}

TEST_CASE("Session: an offer that is no good is told why, and another one may come") {
  Stage stage;
  const auto session = stage.session();
  session->text(R"({"type":"offer","sdp":"bad"})");
  REQUIRE(stage.told.size() == 1);
  CHECK(stage.told[0]["error"] == "offer: no v= line");
  session->text(kOffer);
  CHECK(stage.told.back()["type"] == "answer");
}

TEST_CASE("Session: candidates go on, before an offer nowhere") {
  Stage stage;
  const auto session = stage.session();
  const std::string candidate =
      R"({"type":"ice-candidate","candidate":{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdpMid":"0"}})";
  session->text(candidate);
  session->text(kOffer);
  session->text(candidate);
  CHECK(stage.media[0]->candidates == 1);
}

TEST_CASE("Session: words that are none are answered, and none of them ends it") {
  Stage stage;
  const auto session = stage.session();
  for (const char* const word :
       {"", "{", "[]", "null", R"({"type":"dance"})", R"({"type":7})", R"({"type":"answer","sdp":"v=0"})",
        R"({"type":"times"})", R"({"type":"times","frame":-1,"T_end":1})", R"({"type":"times","frame":1,"T_end":"x"})",
        R"({"type":"times","offset_ms":1e300,"error_ms":1})"}) {
    stage.told.clear();
    session->text(word);
    REQUIRE_MESSAGE(stage.told.size() == 1, word);
    CHECK(stage.told[0]["type"] == "error");
  }
  CHECK(stage.closed == 0);
  CHECK(session->counts().bad_messages == 11);
  session->text(R"({"type":"bye"})");
  CHECK(stage.closed == 1000);
}

TEST_CASE("Session: a ping is answered the way it came") {
  Stage stage;
  const auto session = stage.connected();
  session->text(R"({"type":"ping","t":12.5})");
  stage.media[0]->events.text(R"({"type":"ping","t":13})");
  REQUIRE(stage.told.size() == 1);
  CHECK(stage.told[0]["t"] == 12.5);
  CHECK(stage.told[0]["server"].get<double>() > 1e12);
  REQUIRE(stage.media[0]->texts.size() == 1);
  CHECK(Json::parse(stage.media[0]->texts[0])["t"] == 13);
}

TEST_CASE("Session: frames have the page's numbers, the session's name, and times that do not go back") {
  Stage stage;
  const auto session = stage.session();
  session->text(kOffer);
  session->text(R"({"type":"hello","name":"tablet 3"})");
  CHECK(stage.told.back() == Json::parse(R"({"type":"session","session":"s-000001","name":"tablet-3"})"));
  stage.media[0]->events.open("data");
  const std::string jpeg = test::make_jpeg(1);
  const double now = ms_of(stage.clock.wall());
  stage.send(41, jpeg, now - 5'000);
  session->text(R"({"type":"times","offset_ms":4900,"error_ms":2})");
  stage.send(42, jpeg, now - 5'000);  // 100 ms ago: before the one that came, by what we knew then
  stage.send(43, jpeg, now - 4'900);
  stage.send({}, jpeg);
  REQUIRE(stage.frames.size() == 4);
  CHECK(stage.frames[0]->sequence == 41);
  CHECK(stage.frames[3]->sequence == 44);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(stage.frames[i]->camera == "tablet-3");
    CHECK(as_text(stage.frames[i]->jpeg.view()) == jpeg);
    if (i > 0) CHECK(stage.frames[i]->captured > stage.frames[i - 1]->captured);
  }
}

TEST_CASE("Session: without a child each picture is said to be received, with T_start as the page gave it") {
  Stage stage;
  const auto session = stage.connected();
  const double now = ms_of(stage.clock.wall());
  session->text(R"({"type":"times","offset_ms":0,"error_ms":1})");
  stage.send(7, test::make_jpeg(1), now - 20);
  const auto received = stage.of_type("received");
  REQUIRE(received.size() == 1);
  CHECK(received[0]["frame"] == 7);
  CHECK(std::abs(received[0]["T_start"].get<double>() - (now - 20)) < 0.01);
  CHECK(received[0]["T_receive"].get<double>() >= now - 0.01);
  session->text(R"({"type":"times","frame":7,"T_end":)" + std::to_string(now + 5) + "}");
  CHECK(stage.latencies.total.count() == 1);
  CHECK(stage.latencies.upload.count() == 1);
}

TEST_CASE("Session: of more than 30 pictures a second not each one is told of") {
  Stage stage;
  const auto session = stage.connected();
  for (std::uint32_t number = 1; number <= 200; ++number) stage.send(number, test::make_jpeg(1));
  CHECK(stage.frames.size() == 200);
  CHECK(stage.of_type("received").size() >= 30);
  CHECK(stage.of_type("received").size() <= 90);  // had they taken more than two seconds
}

TEST_CASE("Session: damaged pictures are counted, and told of at most once a second") {
  Stage stage;
  const auto session = stage.connected();
  stage.send(1, test::make_jpeg(1));
  for (std::uint32_t number = 2; number < 12; ++number) stage.send(number, "GIF89a");
  stage.send(12, test::make_jpeg(1));
  CHECK(stage.frames.size() == 2);
  CHECK(session->counts().damaged == 10);
  REQUIRE_FALSE(stage.of_type("damaged").empty());
  CHECK(stage.of_type("damaged").size() < 10);
  CHECK(stage.of_type("damaged")[0]["frame"] == 2);
  CHECK(stage.of_type("damaged")[0]["error"] == "no JPEG and no PNG");
  CHECK(stage.of_type("error").empty());  // pages begin anew after one
}

TEST_CASE("Session: PNGs become JPEGs, in their order") {
  Stage stage;
  const auto session = stage.connected();
  for (std::uint32_t number = 1; number <= 6; ++number) {
    stage.send(number, test::make_png(32, 24));
    REQUIRE(stage.run_until([&] { return stage.frames.size() == number; }));
    CHECK(stage.frames.back()->sequence == number);
    CHECK(stage.frames.back()->picture.width_px == 32);
  }
}

TEST_CASE("Session: a PNG that a JPEG has overtaken is left out") {
  Stage stage;
  const auto session = stage.connected();
  stage.send(1, test::make_png(64, 64));
  stage.send(2, test::make_jpeg(2));
  CHECK(stage.run_until([&] { return session->counts().superseded == 1; }));
  REQUIRE(stage.frames.size() == 1);
  CHECK(stage.frames[0]->sequence == 2);
}

constexpr const char* kSayNumbers =
    "for header, picture in frames(): print('{\"sequence\":%s,\"camera\":\"%s\"}' % (header['x-sequence'], "
    "header['x-camera']), flush=True)\n";

TEST_CASE("Session: a child's lines come back with the times of the frame that they name") {
  test::FilterChildren programs;
  Stage stage(programs.python(kSayNumbers));
  const auto session = stage.connected();
  const double now = ms_of(stage.clock.wall());
  for (std::uint32_t number = 10; number < 15; ++number) {
    stage.told.clear();
    stage.send(number, test::make_jpeg(1), now + number);
    REQUIRE(stage.run_until([&] { return !stage.of_type("result").empty(); }));
    const Json result = stage.of_type("result")[0];
    CHECK(result["frame"] == number);
    CHECK(result["result"] == Json({{"sequence", number}, {"camera", "s-000001"}}));
    CHECK(std::abs(result["T_start"].get<double>() - (now + number)) < 0.01);
    CHECK(result["T_inference"].get<double>() >= result["T_receive"].get<double>());
    CHECK(stage.of_type("received").empty());
  }
  CHECK(session->counts().results == 5);
  CHECK(stage.latencies.processing.count() == 5);
}

TEST_CASE("Session: results go where the page has said hello, and to one that never did by the WebSocket") {
  test::FilterChildren programs;
  Stage stage(programs.python(kSayNumbers));
  const auto session = stage.connected(/*hello=*/false);
  stage.send(1, test::make_jpeg(1));
  REQUIRE(stage.run_until([&] { return !stage.told.empty(); }));
  CHECK(stage.told.size() == 1);
  CHECK(stage.told[0]["type"] == "result");
  stage.media[0]->events.text(R"({"type":"hello"})");
  stage.media[0]->texts.clear();
  stage.send(2, test::make_jpeg(1));
  REQUIRE(stage.run_until([&] { return !stage.media[0]->texts.empty(); }));
  CHECK(Json::parse(stage.media[0]->texts[0])["frame"] == 2);
  CHECK(stage.told.size() == 1);
}

TEST_CASE("Session: a child that dies is told of, and the next one gets the frames that come then") {
  test::FilterChildren programs;
  Stage stage(
      programs.python("for header, picture in frames():\n"
                      "    if header['x-sequence'] == '2': sys.exit(3)\n"
                      "    print('{\"sequence\":%s}' % header['x-sequence'], flush=True)\n"));
  const auto session = stage.connected();
  stage.send(1, test::make_jpeg(1));
  REQUIRE(stage.run_until([&] { return stage.of_type("result").size() == 1; }));
  stage.send(2, test::make_jpeg(1));
  REQUIRE(stage.run_until([&] { return stage.of_type("child").size() == 1; }));
  CHECK(stage.of_type("child")[0] == Json::parse(R"({"type":"child","state":"ended","error":"exit code 3"})"));
  stage.send(3, test::make_jpeg(1));
  REQUIRE(stage.run_until([&] { return stage.of_type("result").size() == 2; }));
  CHECK(stage.of_type("child")[1]["state"] == "restarted");
  CHECK(stage.of_type("result")[1]["frame"] == 3);
}

TEST_CASE("Session: a child that hangs is told of, and another session's goes on") {
  test::FilterChildren programs;
  const std::string stopped = programs.path("stopped");
  Stage stage(
      programs.python("import signal\n"
                      "for header, picture in frames():\n"
                      "    print('{\"sequence\":%s}' % header['x-sequence'], flush=True)\n"
                      "    if header['x-sequence'] == '1000': os.kill(os.getpid(), signal.SIGSTOP)\n"));
  const auto one = stage.connected();
  stage.send(1000, test::make_jpeg(1));
  std::vector<Json> told_one;
  REQUIRE(stage.run_until([&] {
    stage.send(1001, test::make_jpeg(1));
    return !stage.of_type("child").empty();
  }));
  CHECK(stage.of_type("child")[0]["state"] == "hung");
  CHECK(stage.of_type("child")[0]["error"] == "it has not read its input for 500 ms");
  CHECK(stage.pool->figures().hung == 1);
  CHECK(stage.run_until([&] { return stage.of_type("child").size() == 2; }));
  CHECK(stage.of_type("child")[1]["state"] == "restarted");
}

TEST_CASE("Session: lines that the page does not take are counted, and nothing waits for it") {
  Stage stage("while :; do echo '{}'; sleep 0.01; done");
  const auto session = stage.connected();
  stage.full = true;
  CHECK(stage.run_until([&] { return session->counts().results_lost > 3; }));
  stage.full = false;
  CHECK(stage.run_until([&] { return session->counts().results > 3; }));
  CHECK(session->counts().unbound > 6);
}

TEST_CASE("Session: when it goes its child goes, and a peer that is lost is told of") {
  Stage stage("exec cat >/dev/null");
  auto session = stage.connected();
  CHECK(std::string(session->child_state()) == "ready");
  stage.media[0]->events.peer.gone("no word from the peer for 12 s");
  CHECK(stage.of_type("error")[0]["error"] == "the connection for pictures has ended: no word from the peer for 12 s");
  CHECK(stage.run_until([&] { return stage.media[0]->gone; }));
  session->text(kOffer);
  stage.media[1]->events.open("data");
  stage.send(1, test::make_jpeg(1));
  session.reset();
  CHECK(stage.media[1]->gone);
  CHECK(stage.said.back().starts_with("session s-000001 from 192.0.2.1 has ended after 1 frames"));
}

}  // namespace
