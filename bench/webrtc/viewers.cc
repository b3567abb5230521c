// webrtc_viewers: many viewers of a WHEP server in one program, which count what comes and decode nothing.
//
//   webrtc_viewers --url http://127.0.0.1:8889/whep --count 20 --seconds 10 [--codec h264] [--vanish]
//
// Prints a line of JSON: how many got pictures, how soon, how many a second, what was lost. --vanish ends without a
// word to the server, as a machine does that loses its power.
#include <gst/gst.h>
#include <gst/sdp/sdp.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

// Of gstreamer-webrtc-1.0, whose development package is large.
extern "C" {
struct GstWebRTCSessionDescription {
  int type;
  GstSDPMessage* sdp;
};
GType gst_webrtc_session_description_get_type(void);
GstWebRTCSessionDescription* gst_webrtc_session_description_new(int type, GstSDPMessage* sdp);
void gst_webrtc_session_description_free(GstWebRTCSessionDescription* description);
}

namespace {

using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Options {
  std::string url = "http://127.0.0.1:8889/whep";
  std::string codec = "vp8";
  int count = 1;
  double seconds = 10;
  bool vanish = false;
};

// One request, one answer, the connection closed. Empty: it did not come about.
std::string post(const std::string& url, const std::string& body, int& status) {
  const auto host_begin = url.find("://") + 3;
  const auto path_begin = url.find('/', host_begin);
  const std::string host = url.substr(host_begin, path_begin - host_begin);
  const auto colon = host.rfind(':');
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.substr(0, colon).c_str(), host.substr(colon + 1).c_str(), &hints, &found) != 0) return "";
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = ::connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  ::freeaddrinfo(found);
  std::string answer;
  if (connected) {
    const std::string request =
        "POST " + url.substr(path_begin) + " HTTP/1.1\r\nHost: " + host +
        "\r\nConnection: close\r\nContent-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    std::size_t sent = 0;
    while (sent < request.size()) {
      const ssize_t n = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    char buffer[16384];
    for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  status = answer.size() > 12 ? std::atoi(answer.c_str() + 9) : 0;
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

struct Figures {
  std::atomic<std::uint64_t> packets{0};
  std::atomic<std::uint64_t> pictures{0};  // packets with the marker bit: the last of each picture
  std::atomic<std::uint64_t> gaps{0};
  std::atomic<Steady::rep> first{0};
};

class Viewer {
 public:
  Viewer(const Options& options) : options_(options) {
    pipeline_ = gst_pipeline_new(nullptr);
    webrtc_ = gst_element_factory_make("webrtcbin", nullptr);
    gst_bin_add(GST_BIN(pipeline_), webrtc_);
    g_object_set(webrtc_, "bundle-policy", 3, nullptr);
    GObject* ice = nullptr;
    g_object_get(webrtc_, "ice-agent", &ice, nullptr);
    gboolean known = FALSE;
    g_signal_emit_by_name(ice, "add-local-ip-address", "127.0.0.1", &known);
    g_object_unref(ice);
    g_signal_connect(webrtc_, "pad-added", G_CALLBACK(pad_added), this);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  }
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;
  ~Viewer() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }

  // Blocks until the server has answered. The HTTP status, or 0.
  int watch() {
    began_ = Steady::now();
    const bool vp8 = options_.codec == "vp8";
    GstCaps* const caps = gst_caps_from_string(
        vp8 ? "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
            : "application/"
              "x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,packetization-mode=(string)1,"
              "profile-level-id=(string)42e01f");
    GObject* transceiver = nullptr;
    g_signal_emit_by_name(webrtc_, "add-transceiver", 3, caps, &transceiver);
    gst_caps_unref(caps);
    if (transceiver != nullptr) g_object_unref(transceiver);
    GstPromise* promise = gst_promise_new();
    g_signal_emit_by_name(webrtc_, "create-offer", nullptr, promise);
    gst_promise_wait(promise);
    GstWebRTCSessionDescription* offer = nullptr;
    gst_structure_get(gst_promise_get_reply(promise), "offer", gst_webrtc_session_description_get_type(), &offer,
                      nullptr);
    gst_promise_unref(promise);
    settle("set-local-description", offer);
    gst_webrtc_session_description_free(offer);
    for (int state = 0; state != 2;) {  // gathering is complete
      g_object_get(webrtc_, "ice-gathering-state", &state, nullptr);
      std::this_thread::sleep_for(5ms);
    }
    g_object_get(webrtc_, "local-description", &offer, nullptr);
    gchar* const text = gst_sdp_message_as_text(offer->sdp);
    int status = 0;
    const std::string body = post(options_.url, text, status);
    g_free(text);
    gst_webrtc_session_description_free(offer);
    if (status != 201) return status;
    GstSDPMessage* message = nullptr;
    gst_sdp_message_new_from_text(body.c_str(), &message);
    GstWebRTCSessionDescription* const answer = gst_webrtc_session_description_new(3, message);
    settle("set-remote-description", answer);
    gst_webrtc_session_description_free(answer);
    return status;
  }

  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] double first_ms() const {
    return std::chrono::duration<double, std::milli>(Steady::duration(figures_.first.load()) -
                                                     began_.time_since_epoch())
        .count();
  }

 private:
  void settle(const char* signal, GstWebRTCSessionDescription* description) {
    GstPromise* const promise = gst_promise_new();
    g_signal_emit_by_name(webrtc_, signal, description, promise);
    gst_promise_wait(promise);
    gst_promise_unref(promise);
  }

  static GstPadProbeReturn came(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer data) {
    static_cast<Viewer*>(data)->count(GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
  }

  // The second byte holds the marker bit, the next two the sequence number (RFC 3550, 5.1).
  void count(GstBuffer* buffer) {
    guint8 head[4] = {};
    if (gst_buffer_extract(buffer, 0, head, sizeof head) != sizeof head) return;
    const auto sequence = static_cast<std::uint16_t>(head[2] << 8 | head[3]);
    if (figures_.packets++ == 0) {
      figures_.first = Steady::now().time_since_epoch().count();
    } else if (sequence != static_cast<std::uint16_t>(last_ + 1)) {
      ++figures_.gaps;
    }
    last_ = sequence;
    if ((head[1] & 0x80) != 0) ++figures_.pictures;
  }

  static void pad_added(GstElement* /*webrtc*/, GstPad* pad, gpointer data) {
    auto* const self = static_cast<Viewer*>(data);
    GstElement* const sink = gst_element_factory_make("fakesink", nullptr);
    g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
    gst_bin_add(GST_BIN(self->pipeline_), sink);
    gst_element_sync_state_with_parent(sink);
    GstPad* const in = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(in, GST_PAD_PROBE_TYPE_BUFFER, came, self, nullptr);
    gst_pad_link(pad, in);
    gst_object_unref(in);
  }

  const Options& options_;
  GstElement* pipeline_ = nullptr;
  GstElement* webrtc_ = nullptr;
  Steady::time_point began_;
  std::uint16_t last_ = 0;
  Figures figures_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Viewers of a WHEP server, for measuring", "webrtc_viewers"};
  app.add_option("--url", options.url, "Where offers are posted")->capture_default_str();
  app.add_option("--codec", options.codec, "vp8 or h264")->capture_default_str();
  app.add_option("--count", options.count, "How many viewers")->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long they watch, all together")->capture_default_str();
  app.add_flag("--vanish", options.vanish, "End without a word to the server");
  CLI11_PARSE(app, argc, argv);
  gst_init(nullptr, nullptr);
  std::vector<std::unique_ptr<Viewer>> viewers;
  int refused = 0;
  for (int i = 0; i < options.count; ++i) {
    auto viewer = std::make_unique<Viewer>(options);
    if (viewer->watch() == 201) {
      viewers.push_back(std::move(viewer));
    } else {
      ++refused;
    }
  }
  const auto began = Steady::now();
  std::uint64_t before = 0;
  for (const auto& viewer : viewers) before += viewer->figures().pictures;
  std::cerr << "watching" << std::endl;
  std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
  const double took = std::chrono::duration<double>(Steady::now() - began).count();
  std::uint64_t pictures = 0;
  std::uint64_t packets = 0;
  std::uint64_t gaps = 0;
  int got = 0;
  std::vector<double> first;
  for (const auto& viewer : viewers) {
    pictures += viewer->figures().pictures;
    packets += viewer->figures().packets;
    gaps += viewer->figures().gaps;
    if (viewer->figures().packets == 0) continue;
    ++got;
    first.push_back(viewer->first_ms());
  }
  std::sort(first.begin(), first.end());
  const auto count = static_cast<double>(std::max<std::size_t>(1, viewers.size()));
  std::cout << "{\"viewers\":" << viewers.size() << ",\"refused\":" << refused << ",\"with_pictures\":" << got
            << ",\"fps_each\":" << static_cast<double>(pictures - before) / took / count << ",\"packets\":" << packets
            << ",\"gaps\":" << gaps << ",\"first_packet_ms_median\":" << (first.empty() ? 0 : first[first.size() / 2])
            << ",\"first_packet_ms_most\":" << (first.empty() ? 0 : first.back()) << "}" << std::endl;
  if (options.vanish) ::_exit(0);  // sockets close, and nothing is said over them
}
