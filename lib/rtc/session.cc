#include "rtc/session.h"

#include <algorithm>

#include "base/text.h"
#include "rtc/relay.h"
#include "rtc/webrtc_api.h"

namespace fp::rtc {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostCandidates = 64;

struct FreeDescription {
  void operator()(GstWebRTCSessionDescription* description) const { gst_webrtc_session_description_free(description); }
};
using DescriptionRef = std::unique_ptr<GstWebRTCSessionDescription, FreeDescription>;

Failure unavailable(const Error& error) { return {Exit::Unavailable, "WebRTC: " + error.text}; }

int enumeration(gpointer object, const char* property) {
  gint value = 0;
  g_object_get(object, property, &value, nullptr);
  return value;
}

// A promise that calls `then` with its reply (or nullptr) on a thread of webrtcbin's. Who gets it owns it.
GstPromise* promise(std::function<void(const GstStructure*)> then) {
  using Then = std::function<void(const GstStructure*)>;
  const auto changed = [](GstPromise* kept, gpointer data) {
    const bool replied = gst_promise_wait(kept) == GST_PROMISE_RESULT_REPLIED;
    if (replied) (*static_cast<Then*>(data))(gst_promise_get_reply(kept));
    gst_promise_unref(kept);
  };
  return gst_promise_new_with_change_func(changed, new Then(std::move(then)),
                                          [](gpointer data) { delete static_cast<Then*>(data); });
}

// What went wrong, when something did; webrtcbin gives no reply where all is well.
std::optional<std::string> trouble_of(const GstStructure* reply) {
  if (reply == nullptr || gst_structure_has_field(reply, "error") == 0) return std::nullopt;
  GError* raw = nullptr;
  gst_structure_get(reply, "error", G_TYPE_ERROR, &raw, nullptr);
  const std::unique_ptr<GError, FreeError> error(raw);
  return error ? printable(error->message, 200) : "it was refused";
}

DescriptionRef parse(int type, const std::string& sdp) {
  GstSDPMessage* message = nullptr;
  if (gst_sdp_message_new_from_text(sdp.c_str(), &message) != GST_SDP_OK) return nullptr;
  return DescriptionRef(gst_webrtc_session_description_new(static_cast<GstWebRTCSDPType>(type), message));
}

}  // namespace

Session::Session(std::shared_ptr<Engine::Impl> engine, const PeerOptions& options, PeerEvents events)
    : engine_(std::move(engine)),
      options_(options),
      events_(std::move(events)),
      began_(clock_.steady()),
      look_timer_(engine_->loop, [this] { look(); }) {
  auto webrtc = make_element("webrtcbin");
  if (!webrtc) throw unavailable(webrtc.error());
  webrtc_ = std::move(*webrtc);
  pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  gst_bin_add(GST_BIN(pipeline_.get()), webrtc_.get());  // with a reference of its own
  engine_->adopt(pipeline_.get());
}

Session::~Session() { close(); }

Result<Done> Session::start() {
  g_object_set(webrtc_.get(), "bundle-policy", kMaxBundle, nullptr);
  if (auto done = set_ice(); !done) return done;
  connect(webrtc_.get(), "notify::ice-gathering-state",
          std::function<void(GObject*, GParamSpec*)>(
              [call = caller()](GObject*, GParamSpec*) { call.post([](Session& session) { session.describe(); }); }));
  connect(webrtc_.get(), "notify::connection-state",
          std::function<void(GObject*, GParamSpec*)>([call = caller()](GObject*, GParamSpec*) {
            call.post([](Session& session) { session.state_changed(); });
          }));
  // Errors come on the threads of elements; nobody else reads the bus.
  const GstRef<GstBus> bus(gst_pipeline_get_bus(GST_PIPELINE(pipeline_.get())));
  gst_bus_set_sync_handler(
      bus.get(),
      [](GstBus*, GstMessage* message, gpointer data) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
          GError* raw = nullptr;
          gst_message_parse_error(message, &raw, nullptr);
          const std::unique_ptr<GError, FreeError> error(raw);
          std::string text = error ? printable(error->message, 200) : "an error";
          static_cast<Caller*>(data)->post(
              [why = std::move(text)](Session& session) { session.end("GStreamer: " + why); });
        }
        gst_message_unref(message);
        return GST_BUS_DROP;
      },
      new Caller(caller()), [](gpointer data) { delete static_cast<Caller*>(data); });
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    return fail(Error{Error::Kind::Unsupported, 0, "the pipeline does not start"});
  }
  started_ = true;
  look_timer_.every(250ms);
  return Done{};
}

Result<Done> Session::set_ice() {
  const IceOptions& ice = options_.ice;
  if (!ice.stun.empty()) g_object_set(webrtc_.get(), "stun-server", ("stun://" + ice.stun).c_str(), nullptr);
  if (!ice.turn.empty()) g_object_set(webrtc_.get(), "turn-server", ("turn://" + ice.turn).c_str(), nullptr);
  if (ice.relay_only) g_object_set(webrtc_.get(), "ice-transport-policy", kRelayOnly, nullptr);
  GObject* raw = nullptr;
  g_object_get(webrtc_.get(), "ice-agent", &raw, nullptr);
  const ObjectRef agent(raw);
  if (ice.max_port != 0) {
    g_object_set(agent.get(), "min-rtp-port", static_cast<guint>(ice.min_port), "max-rtp-port",
                 static_cast<guint>(ice.max_port), nullptr);
  }
  GObject* raw_nice = nullptr;
  g_object_get(agent.get(), "agent", &raw_nice, nullptr);
  const ObjectRef nice(raw_nice);
  // Without the checks a peer that has vanished is never noticed; UPnP would open a port at the router for everybody.
  g_object_set(nice.get(), "upnp", FALSE, "ice-tcp", FALSE, "keepalive-conncheck", TRUE, nullptr);
  if (!ice.turn.empty()) remember_relayed(pipeline_.get(), nice);
  for (const std::string& address : ice.addresses) {
    gboolean known = FALSE;
    g_signal_emit_by_name(agent.get(), "add-local-ip-address", address.c_str(), &known);
    if (known == 0) return fail(Error{Error::Kind::Unsupported, 0, address + ": no address that can be used"});
  }
  return Done{};
}

void Session::set_remote(int type, const std::string& sdp, Next next) {
  const DescriptionRef description = parse(type, sdp);
  if (!description) {
    return caller().post([](Session& session) { session.end("its description cannot be read"); });
  }
  g_signal_emit_by_name(webrtc_.get(), "set-remote-description", description.get(),
                        promise([call = caller(), next](const GstStructure* reply) {
                          call.post([trouble = trouble_of(reply), next](Session& session) {
                            if (trouble) return session.end("its description was refused: " + *trouble);
                            if (session.state_ == PeerState::Gone) return;
                            session.remote_set_ = true;
                            for (const Candidate& early : std::exchange(session.early_, {})) {
                              session.take_candidate(early);
                            }
                            (session.*next)();
                          });
                        }));
}

void Session::answer(const std::string& sdp) { set_remote(GST_WEBRTC_SDP_TYPE_OFFER, sdp, &Session::make_answer); }
void Session::make_answer() { make_description("create-answer", "answer"); }
void Session::offer() { make_description("create-offer", "offer"); }
void Session::answered() {
  // What was agreed on beside the data channel that the session came about with.
  if (state_ == PeerState::Connected && events_.connected) events_.connected();
}

Result<Done> Session::take_answer(const Description& answer) {
  if (state_ == PeerState::Gone) return Done{};
  if (!offered_) return malformed("an answer to no offer of ours");
  const auto same = [](const Media& a, const Media& b) { return a.kind == b.kind && a.mid == b.mid; };
  if (!std::equal(answer.media.begin(), answer.media.end(), offered_->media.begin(), offered_->media.end(), same)) {
    return malformed("the answer has other m-lines than the offer");
  }
  offered_.reset();
  set_remote(GST_WEBRTC_SDP_TYPE_ANSWER, answer.sdp, &Session::answered);
  return Done{};
}

void Session::make_description(const char* signal, const char* member) {
  GstPromise* const made = promise([call = caller(), member](const GstStructure* reply) {
    if (auto trouble = trouble_of(reply); trouble || reply == nullptr) {
      call.post([why = trouble.value_or("nothing came of it"), member](Session& session) {
        session.end(std::string("no ") + member + ": " + why);
      });
      return;
    }
    GstWebRTCSessionDescription* raw = nullptr;
    gst_structure_get(reply, member, gst_webrtc_session_description_get_type(), &raw, nullptr);
    const std::shared_ptr<GstWebRTCSessionDescription> description(raw, FreeDescription());
    call.post([description, member](Session& session) { session.set_local(description.get(), member); });
  });
  g_signal_emit_by_name(webrtc_.get(), signal, nullptr, made);
}

void Session::set_local(GstWebRTCSessionDescription* description, const char* member) {
  if (state_ == PeerState::Gone) return;
  if (description == nullptr) return end(std::string("no ") + member + " came of it");
  g_signal_emit_by_name(webrtc_.get(), "set-local-description", description,
                        promise([call = caller(), member](const GstStructure* set) {
                          call.post([trouble = trouble_of(set), member](Session& session) {
                            if (trouble) return session.end(std::string("no ") + member + ": " + *trouble);
                            session.describing_ = member;
                            session.gathering_since_ = session.clock_.steady();
                            session.describe();
                          });
                        }));
}

// When all our candidates are known, or enough time was given to those who should tell us of them.
void Session::describe() {
  if (describing_ == nullptr || state_ == PeerState::Gone) return;
  const bool complete = enumeration(webrtc_.get(), "ice-gathering-state") == kGatheringComplete;
  if (!complete && clock_.steady() < gathering_since_ + options_.gather_time) return;
  const char* const type = std::exchange(describing_, nullptr);
  GstWebRTCSessionDescription* raw = nullptr;
  g_object_get(webrtc_.get(), "local-description", &raw, nullptr);
  if (raw == nullptr) return end("no description of ours came about");
  const DescriptionRef description(raw);
  const std::unique_ptr<gchar, FreeText> text(gst_sdp_message_as_text(description->sdp));
  if (std::string_view(type) == "offer") {
    auto ours = read_description(text.get());
    if (!ours) return end("our own offer: " + ours.error().text);
    offered_ = std::move(*ours);
  }
  if (events_.described) events_.described(type, text.get());
}

void Session::take_candidate(const Candidate& candidate) {
  if (state_ == PeerState::Gone || !usable_candidate(candidate.text) || candidates_ >= kMostCandidates) return;
  if (!remote_set_) {
    if (early_.size() < kMostCandidates) early_.push_back(candidate);
    return;
  }
  ++candidates_;
  // Bundled: all lines share the transport of the first.
  g_signal_emit_by_name(webrtc_.get(), "add-ice-candidate", 0U, candidate.text.c_str());
}

void Session::state_changed() {
  if (state_ == PeerState::Gone) return;
  const int now = enumeration(webrtc_.get(), "connection-state");
  if (now == kFailed)
    return end(state_ == PeerState::Connected ? "the connection was lost" : "no way to the peer was found");
  if (now == kClosed) return end("the peer has closed it");
  if (now != kConnected || state_ == PeerState::Connected) return;
  state_ = PeerState::Connected;
  if (events_.connected) events_.connected();
}

const Caller& Session::caller() {
  if (!caller_) caller_.emplace(engine_->loop, weak_from_this());
  return *caller_;
}

void Session::watch_for_silence() {
  caller().heard();
  watches_silence_ = true;
}

void Session::look() {
  const SteadyTime now = clock_.steady();
  const auto keep = shared_from_this();  // the owner may let go
  describe();
  const auto seconds = [](std::chrono::milliseconds time) { return std::to_string(time.count() / 1000) + " s"; };
  if (state_ == PeerState::Negotiating && now > began_ + options_.connect_time) {
    return end("no connection came about within " + seconds(options_.connect_time));
  }
  if (state_ == PeerState::Connected && watches_silence_ && now > caller().last_heard() + options_.silence) {
    end("no word from the peer for " + seconds(options_.silence));
  }
}

void Session::end(const std::string& why) {
  if (state_ == PeerState::Gone) return;
  close();
  if (events_.gone) events_.gone(why);
}

void Session::close() {
  state_ = PeerState::Gone;
  look_timer_.cancel();
  if (!pipeline_) return;
  // webrtcbin does one thing after the other: the answer to this one says that it does nothing more with its elements.
  const auto kept = std::make_shared<ElementRef>(std::move(pipeline_));
  const auto bury = [engine = engine_, kept](const GstStructure*) { engine->bury(std::move(*kept)); };
  if (started_)
    g_signal_emit_by_name(webrtc_.get(), "get-stats", nullptr, promise(bury));
  else
    bury(nullptr);
  webrtc_.reset();
}

}  // namespace fp::rtc
