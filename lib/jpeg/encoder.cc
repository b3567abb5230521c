#include "jpeg/encoder.h"

#include <turbojpeg.h>

#include <array>
#include <new>

namespace fp::jpeg {

void Encoder::Destroy::operator()(void* handle) const { tjDestroy(handle); }

Encoder::Encoder() : handle_(tjInitCompress()) {
  if (!handle_) throw std::bad_alloc();
}

Result<Blob> Encoder::encode(const Picture& picture, int quality_percent) {
  const Size size = picture.size();
  // The worst case is reserved (twice the raw picture), touched only as far as the JPEG reaches.
  Buffer buffer(tjBufSize(size.width_px, size.height_px, TJSAMP_420));
  unsigned char* out = buffer.data();
  unsigned long bytes = static_cast<unsigned long>(buffer.capacity());
  std::array<const unsigned char*, 3> planes = {picture.plane(0), picture.plane(1), picture.plane(2)};
  std::array<int, 3> strides = {picture.stride(0), picture.stride(1), picture.stride(2)};
  if (tjCompressFromYUVPlanes(handle_.get(), planes.data(), size.width_px, strides.data(), size.height_px, TJSAMP_420,
                              &out, &bytes, quality_percent, TJFLAG_NOREALLOC) != 0) {
    return fail({Error::Kind::Unsupported, 0, std::string("encode: ") + tjGetErrorStr2(handle_.get())});
  }
  return Blob::copy_of(ByteView(out, bytes));
}

Result<Blob> Encoder::encode_rgb(ByteView rgb, Size size, int quality_percent) {
  Buffer buffer(tjBufSize(size.width_px, size.height_px, TJSAMP_420));
  unsigned char* out = buffer.data();
  unsigned long bytes = static_cast<unsigned long>(buffer.capacity());
  if (tjCompress2(handle_.get(), rgb.data(), size.width_px, 0, size.height_px, TJPF_RGB, &out, &bytes, TJSAMP_420,
                  quality_percent, TJFLAG_NOREALLOC) != 0) {
    return fail({Error::Kind::Unsupported, 0, std::string("encode: ") + tjGetErrorStr2(handle_.get())});
  }
  return Blob::copy_of(ByteView(out, bytes));
}

}  // namespace fp::jpeg
