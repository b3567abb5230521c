#include "rtc/engine.h"

#include <array>
#include <chrono>
#include <utility>

#include "rtc/engine_impl.h"
#include "rtc/relay.h"

namespace fp::rtc {
namespace {

constexpr std::chrono::seconds kLongestWait{5};

// What is used, and the Debian package that has it.
constexpr std::array<std::pair<const char*, const char*>, 9> kElements{{
    {"appsrc", "gstreamer1.0-plugins-base"},
    {"rtpbin", "gstreamer1.0-plugins-good"},
    {"rtpvp8pay", "gstreamer1.0-plugins-good"},
    {"vp8enc", "gstreamer1.0-plugins-good"},
    {"webrtcbin", "gstreamer1.0-plugins-bad"},
    {"dtlssrtpenc", "gstreamer1.0-plugins-bad"},
    {"srtpenc", "gstreamer1.0-plugins-bad"},
    {"sctpenc", "gstreamer1.0-plugins-bad"},
    {"nicesink", "gstreamer1.0-nice"},
}};

void start_gstreamer() {
  GError* raw = nullptr;
  if (gst_init_check(nullptr, nullptr, &raw) == 0) {
    const std::unique_ptr<GError, FreeError> error(raw);
    throw Failure{Exit::Unavailable, std::string("GStreamer: ") + (error ? error->message : "it does not start")};
  }
  for (const auto& [element, package] : kElements) {
    const GstRef<GstElementFactory> factory(gst_element_factory_find(element));
    if (factory) continue;
    throw Failure{Exit::Unavailable,
                  std::string("GStreamer has no ") + element + " (apt-get install " + package + " brings it)"};
  }
}

// webrtcbin of GStreamer 1.22 stops its own thread after its elements, and may have added and started some meanwhile.
void stop(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_NULL);
  const auto stop_one = [](const GValue* item, gpointer) {
    gst_element_set_state(GST_ELEMENT(g_value_get_object(item)), GST_STATE_NULL);
  };
  GstIterator* const all = gst_bin_iterate_recurse(GST_BIN(pipeline));
  while (gst_iterator_foreach(all, stop_one, nullptr) == GST_ITERATOR_RESYNC) gst_iterator_resync(all);
  gst_iterator_free(all);
}

}  // namespace

Engine::Impl::Impl(Loop& the_loop, Report the_report) : loop(the_loop), report(std::move(the_report)) {
  start_gstreamer();
  clock_.reset(gst_system_clock_obtain());
  began_ns_ = gst_clock_get_time(clock_.get());
  digger_ = std::thread([this] { dig(); });
}

Engine::Impl::~Impl() { finish(); }

void Engine::Impl::finish() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (digger_.joinable()) digger_.join();
}

void Engine::Impl::adopt(GstElement* pipeline) const {
  gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock_.get());
  gst_element_set_start_time(pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline, began_ns_);
  const std::scoped_lock lock(mutex_);
  ++alive_;
}

std::uint64_t Engine::Impl::running_ns() const { return gst_clock_get_time(clock_.get()) - began_ns_; }

void Engine::Impl::bury(ElementRef pipeline) {
  {
    const std::scoped_lock lock(mutex_);
    dead_.push_back(std::move(pipeline));
  }
  changed_.notify_all();
}

std::size_t Engine::Impl::pipelines() const {
  const std::scoped_lock lock(mutex_);
  return alive_;
}

void Engine::Impl::dig() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !dead_.empty(); });
    if (dead_.empty()) return;
    ElementRef pipeline = std::move(dead_.front());
    dead_.pop_front();
    const bool hurry = leaving_;
    lock.unlock();
    stop(pipeline.get());
    if (!hurry) give_back_relayed(pipeline.get());
    pipeline.reset();
    lock.lock();
    --alive_;
    changed_.notify_all();
  }
}

// What webrtcbin still does for a session that is over comes to its end first.
void Engine::Impl::wait() {
  std::unique_lock lock(mutex_);
  leaving_ = true;
  changed_.wait_for(lock, kLongestWait, [this] { return alive_ == 0; });
}

Engine::Engine(Loop& loop, Report report) : impl_(std::make_shared<Impl>(loop, std::move(report))) {}
Engine::~Engine() {
  impl_->wait();
  impl_->finish();
}
Loop& Engine::loop() const { return impl_->loop; }
std::size_t Engine::pipelines() const { return impl_->pipelines(); }

}  // namespace fp::rtc
