#include "rtc/gst.h"

#include <cassert>

namespace fp::rtc {
namespace {

Error unsupported(std::string text) { return Error{Error::Kind::Unsupported, 0, std::move(text)}; }

}  // namespace

Result<ElementRef> parse_pipeline(const std::string& text) {
  GError* raw = nullptr;
  GstElement* const pipeline = gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw);
  const std::unique_ptr<GError, FreeError> error(raw);
  if (pipeline == nullptr) return fail(unsupported(error ? error->message : "no pipeline"));
  // Its reference is floating: nobody's yet.
  return ElementRef(GST_ELEMENT(gst_object_ref_sink(pipeline)));
}

Result<ElementRef> make_element(const char* kind) {
  GstElement* const element = gst_element_factory_make(kind, nullptr);
  if (element == nullptr) return fail(unsupported(std::string("GStreamer has no ") + kind));
  return ElementRef(GST_ELEMENT(gst_object_ref_sink(element)));
}

ElementRef child(GstElement* bin, const char* name) {
  ElementRef element(gst_bin_get_by_name(GST_BIN(bin), name));
  assert(element);
  return element;
}

}  // namespace fp::rtc
