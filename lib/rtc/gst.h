// GStreamer's references in RAII clothes. For lib/rtc alone.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace fp::rtc {

struct Unref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
struct UnrefMini {
  void operator()(gpointer object) const { gst_mini_object_unref(static_cast<GstMiniObject*>(object)); }
};
struct UnrefObject {
  void operator()(gpointer object) const { g_object_unref(object); }
};
struct FreeError {
  void operator()(GError* error) const { g_error_free(error); }
};
struct FreeText {
  void operator()(gchar* text) const { g_free(text); }
};
template <typename T>
using GstRef = std::unique_ptr<T, Unref>;  ///< elements, pads, clocks
using ElementRef = GstRef<GstElement>;
using BufferRef = std::unique_ptr<GstBuffer, UnrefMini>;
using CapsRef = std::unique_ptr<GstCaps, UnrefMini>;
using SampleRef = std::unique_ptr<GstSample, UnrefMini>;
using ObjectRef = std::unique_ptr<GObject, UnrefObject>;

/// A pipeline as gst-launch-1.0 writes it, of our own words only. Errors: Unsupported.
[[nodiscard]] Result<ElementRef> parse_pipeline(const std::string& text);
/// Errors: Unsupported (no such element).
[[nodiscard]] Result<ElementRef> make_element(const char* kind);
/// The element of that name within `bin`; there must be one.
[[nodiscard]] ElementRef child(GstElement* bin, const char* name);

/// Connects a signal of `object` to a function of any kind, which is destroyed with the connection. `Signature` is that
/// of the C callback without its last argument.
template <typename Result, typename... Args>
void connect(gpointer object, const char* signal, std::function<Result(Args...)> function) {
  using Function = std::function<Result(Args...)>;
  struct Call {
    static Result now(Args... args, gpointer data) { return (*static_cast<Function*>(data))(args...); }
    static void destroy(gpointer data, GClosure* /*closure*/) { delete static_cast<Function*>(data); }
  };
  g_signal_connect_data(object, signal, G_CALLBACK(&Call::now), new Function(std::move(function)), &Call::destroy,
                        static_cast<GConnectFlags>(0));
}

}  // namespace fp::rtc
