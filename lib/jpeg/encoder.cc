#include "jpeg/encoder.h"

#include <turbojpeg.h>

#include <array>
#include <new>

namespace fp::jpeg {
void Encoder::Destroy::operator()(void* handle) const { tjDestroy(handle); }

Encoder::Encoder() : handle_(tjInitCompress()) {
  if (!handle_) throw std::bad_alloc();
}

// `compress` gets the buffer and its size, and returns what the library returned.
template <typename Compress>
Result<Blob> Encoder::compress(Size size, int sampling, Compress compress) {
  out_.reserve(tjBufSize(size.width_px, size.height_px, sampling));
  unsigned char* out = out_.data();
  unsigned long bytes = static_cast<unsigned long>(out_.capacity());
  if (compress(&out, &bytes) != 0) {
    return fail({Error::Kind::Unsupported, 0, std::string("encode: ") + tjGetErrorStr2(handle_.get())});
  }
  return Blob::copy_of(ByteView(out, bytes));
}

Result<Blob> Encoder::encode(const Picture& picture, int quality_percent) {
  return encode_planes({picture.size(),
                        Sampling::Yuv420,
                        {picture.plane(0), picture.plane(1), picture.plane(2)},
                        {picture.stride(0), picture.stride(1), picture.stride(2)}},
                       quality_percent);
}

Result<Blob> Encoder::encode(const Planes& planes, int quality_percent) {
  PlaneView view{planes.size(), planes.sampling(), {}, {}};
  for (int index = 0; index < planes.count(); ++index) {
    view.data[static_cast<std::size_t>(index)] = planes.plane(index);
    view.stride_bytes[static_cast<std::size_t>(index)] = planes.stride(index);
  }
  return encode_planes(view, quality_percent);
}

Result<Blob> Encoder::encode_planes(const PlaneView& planes, int quality_percent) {
  const int sampling = static_cast<int>(planes.sampling);
  return compress(planes.size, sampling, [&](unsigned char** out, unsigned long* bytes) {
    auto data = planes.data;
    return tjCompressFromYUVPlanes(handle_.get(), data.data(), planes.size.width_px, planes.stride_bytes.data(),
                                   planes.size.height_px, sampling, out, bytes, quality_percent, TJFLAG_NOREALLOC);
  });
}

Result<Blob> Encoder::encode_rgb(ByteView pixels, Size size, int quality_percent, Order order, int stride_bytes) {
  return compress(size, TJSAMP_420, [&](unsigned char** out, unsigned long* bytes) {
    return tjCompress2(handle_.get(), pixels.data(), size.width_px, stride_bytes, size.height_px,
                       order == Order::Rgb ? TJPF_RGB : TJPF_BGR, out, bytes, TJSAMP_420, quality_percent,
                       TJFLAG_NOREALLOC);
  });
}

}  // namespace fp::jpeg
