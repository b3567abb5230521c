#include "jpeg/plane_encoder.h"

#include <array>
#include <new>

#include "jpeg/turbo.h"

namespace fp::jpeg {

void PlaneEncoder::Destroy::operator()(void* handle) const { tjDestroy(handle); }

PlaneEncoder::PlaneEncoder() : handle_(tjInitCompress()) {
  if (!handle_) throw std::bad_alloc();
}

Result<Blob> PlaneEncoder::encode(const Planes& planes, int quality_percent) {
  const Size size = planes.size();
  const int sampling = static_cast<int>(planes.sampling());
  // The worst case is reserved, touched only as far as a JPEG reaches.
  buffer_.reserve(tjBufSize(size.width_px, size.height_px, sampling));
  std::array<const unsigned char*, 3> from{};
  std::array<int, 3> strides{};
  for (int index = 0; index < planes.count(); ++index) {
    from[static_cast<std::size_t>(index)] = planes.plane(index);
    strides[static_cast<std::size_t>(index)] = planes.stride(index);
  }
  unsigned char* out = buffer_.data();
  unsigned long bytes = static_cast<unsigned long>(buffer_.capacity());
  if (tjCompressFromYUVPlanes(handle_.get(), from.data(), size.width_px, strides.data(), size.height_px, sampling, &out,
                              &bytes, quality_percent, TJFLAG_NOREALLOC) != 0) {
    Error error = turbo::error_of(handle_.get(), "encode");
    error.kind = Error::Kind::Unsupported;
    return fail(std::move(error));
  }
  return Blob::copy_of(ByteView(out, bytes));
}

}  // namespace fp::jpeg
