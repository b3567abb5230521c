#include "rtc/relay.h"

#include <dlfcn.h>
#include <gio/gio.h>

namespace fp::rtc {
namespace {

constexpr const char* kAgent = "fp-relayed-agent";
constexpr guint kLongestWaitMs = 1000;

using CloseAsync = void (*)(GObject* agent, GAsyncReadyCallback done, gpointer data);

// Of the libnice that GStreamer's plugins have brought, whose headers nothing else here would need.
CloseAsync find_close() {
  void* const library = ::dlopen("libnice.so.10", RTLD_NOW | RTLD_NOLOAD);
  return library != nullptr ? reinterpret_cast<CloseAsync>(::dlsym(library, "nice_agent_close_async")) : nullptr;
}

gboolean set(gpointer flag) {
  *static_cast<bool*>(flag) = true;
  return G_SOURCE_REMOVE;
}

struct UnrefContext {
  void operator()(GMainContext* context) const { g_main_context_unref(context); }
};

}  // namespace

void remember_relayed(GstElement* pipeline, const ObjectRef& agent) {
  g_object_set_data_full(G_OBJECT(pipeline), kAgent, g_object_ref(agent.get()), g_object_unref);
}

void give_back_relayed(GstElement* pipeline) {
  const ObjectRef agent(static_cast<GObject*>(g_object_steal_data(G_OBJECT(pipeline), kAgent)));
  if (!agent) return;
  static const CloseAsync close = find_close();
  if (close == nullptr) return;
  // The answer comes to the main context of who asks, on this thread; the agent's own one runs until it is let go of.
  const std::unique_ptr<GMainContext, UnrefContext> context(g_main_context_new());
  g_main_context_push_thread_default(context.get());
  bool over = false;
  GSource* const limit = g_timeout_source_new(kLongestWaitMs);
  g_source_set_callback(limit, &set, &over, nullptr);
  g_source_attach(limit, context.get());
  close(
      agent.get(), [](GObject*, GAsyncResult*, gpointer flag) { set(flag); }, &over);
  while (!over) g_main_context_iteration(context.get(), TRUE);
  g_source_destroy(limit);
  g_source_unref(limit);
  g_main_context_pop_thread_default(context.get());
}

}  // namespace fp::rtc
