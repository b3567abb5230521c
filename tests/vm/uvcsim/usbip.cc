#include "uvcsim/usbip.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fp::rig {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kSubmit = 1;
constexpr std::uint32_t kUnlink = 2;
constexpr std::uint32_t kSubmitReply = 3;
constexpr std::uint32_t kUnlinkReply = 4;
constexpr std::size_t kHeaderBytes = 48;
constexpr std::size_t kPacketBytes = 16;

// What uvcvideo asks for stays far below; what is more is no transfer of its.
constexpr std::uint32_t kMostTransferBytes = 1u << 20;
constexpr std::uint32_t kMostPackets = 1024;
constexpr std::uint32_t kMostControlBytes = 4096;
constexpr std::size_t kMostTransfers = 256;
constexpr auto kMicroframe = 125us;
constexpr auto kLate = 50ms;  // behind by more than this: the lost time is not made up for

void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

Result<Cable> Cable::plug(int port, Camera& camera) {
  constexpr const char* kAttach = "/sys/devices/platform/vhci_hcd.0/attach";
  constexpr int kDevice = 1 << 16 | 2;  // bus 1, device 2: what the far side calls it
  constexpr int kHighSpeed = 3;
  constexpr int kSocketBytes = 1 << 20;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return fail(io_error("socketpair"));
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  for (const int end : ends) (void)::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kSocketBytes, sizeof kSocketBytes);

  const Fd attach(::open(kAttach, O_WRONLY | O_CLOEXEC));
  if (!attach) return fail(io_error(kAttach));
  const std::string line = std::to_string(port) + " " + std::to_string(theirs.get()) + " " + std::to_string(kDevice) +
                           " " + std::to_string(kHighSpeed) + "\n";
  if (::write(attach.get(), line.data(), line.size()) < 0) return fail(io_error("port " + std::to_string(port)));
  camera.reset();
  return Cable(std::move(ours), camera);
}

Result<Done> Cable::receive_all(void* to, std::size_t size) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t count = ::recv(socket_.get(), at, size, MSG_WAITALL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(io_error("receive"));
    if (count == 0) return fail(io_error("receive", ECONNRESET));
    at += count;
    size -= static_cast<std::size_t>(count);
  }
  return Done{};
}

Result<Done> Cable::receive(SteadyTime now) {
  std::array<std::uint32_t, kHeaderBytes / 4> header{};
  if (auto got = receive_all(header.data(), kHeaderBytes); !got) return got;
  for (std::uint32_t& word : header) word = ntohl(word);
  if (header[0] == kSubmit) return submit(header, now);
  if (header[0] == kUnlink) return unlink(header);
  return malformed("USB/IP command " + std::to_string(header[0]));
}

// Words of a submit: command, sequence, device, direction, endpoint, flags, bytes, start frame, packets, interval,
// setup.
Result<Done> Cable::submit(const Header& header, SteadyTime now) {
  constexpr std::uint32_t kNoPackets = 0xFFFFFFFF;
  const bool out = header[3] == 0;
  const std::uint32_t endpoint = header[4];
  const std::uint32_t bytes = header[6];
  const std::uint32_t packets = header[8] == kNoPackets ? 0 : header[8];
  if (bytes > kMostTransferBytes || packets > kMostPackets || (out && bytes > kMostControlBytes)) {
    return malformed("a transfer of " + std::to_string(bytes) + " bytes in " + std::to_string(packets) + " packets");
  }
  std::vector<std::uint8_t> data(out ? bytes : 0);
  if (auto got = receive_all(data.data(), data.size()); !got) return got;
  std::vector<std::array<std::uint32_t, kPacketBytes / 4>> raw(packets);
  if (auto got = receive_all(raw.data(), raw.size() * kPacketBytes); !got) return got;
  if (endpoint == 0) return answer_control(header, data, now);
  if (endpoint != kStreamingEndpoint || out || transfers_.size() >= kMostTransfers) {
    return reply(kSubmitReply, header[1], -EPIPE, 0, 0, {});
  }
  Transfer transfer{header[1], bytes, {}};
  std::uint64_t sum = 0;
  for (const auto& each : raw) {
    transfer.packets.push_back({ntohl(each[0]), ntohl(each[1])});
    sum += transfer.packets.back().bytes;
  }
  if (sum > bytes) return malformed("packets of more bytes than their transfer has");
  transfers_.push_back(std::move(transfer));
  return Done{};
}

Result<Done> Cable::unlink(const Header& header) {
  const auto found = std::ranges::find(transfers_, header[5], &Transfer::sequence);
  const bool there = found != transfers_.end();
  if (there) transfers_.erase(found);
  return reply(kUnlinkReply, header[1], there ? -ECONNRESET : 0, 0, 0, {});
}

Result<Done> Cable::answer_control(const Header& header, ByteView data, SteadyTime now) {
  // The eight bytes of the setup came as two words in the order of the network: back into bytes.
  std::vector<std::uint8_t> raw;
  append_u32(raw, header[10]);
  append_u32(raw, header[11]);
  const auto u16 = [&](std::size_t at) { return static_cast<std::uint16_t>(raw[at] | raw[at + 1] << 8); };
  const Setup setup{raw[0], raw[1], u16(2), u16(4), u16(6)};
  Answer answer = camera_->control(setup, data, now);
  if (answer.data.size() > header[6]) answer.data.resize(header[6]);
  const bool in = (setup.type & 0x80) != 0;
  const std::size_t actual = in ? answer.data.size() : answer.status == 0 ? data.size() : 0;
  return reply(kSubmitReply, header[1], answer.status, actual, 0, answer.data);
}

Result<Done> Cable::reply(std::uint32_t command, std::uint32_t sequence, int status, std::size_t actual_bytes,
                          std::size_t packets, ByteView data) {
  std::vector<std::uint8_t> message;
  message.reserve(kHeaderBytes + data.size());
  append_u32(message, command);
  append_u32(message, sequence);
  for (int i = 0; i < 3; ++i) append_u32(message, 0);  // device, direction and endpoint: the kernel knows them
  append_u32(message, static_cast<std::uint32_t>(status));
  append_u32(message, static_cast<std::uint32_t>(actual_bytes));
  append_u32(message, 0);
  append_u32(message, static_cast<std::uint32_t>(packets));
  message.resize(kHeaderBytes);
  message.insert(message.end(), data.begin(), data.end());
  for (std::size_t sent = 0; sent < message.size();) {
    const ssize_t count = ::send(socket_.get(), message.data() + sent, message.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(io_error("send"));
    sent += static_cast<std::size_t>(count);
  }
  return Done{};
}

Result<Done> Cable::complete(const Transfer& transfer, SteadyTime now) {
  const bool stalls = camera_->take_stall();
  const int status = stalls ? -EPIPE : 0;
  out_.clear();
  if (transfer.packets.empty()) {
    // A transfer that is not full ends the payload.
    if (!stalls) camera_->payload(transfer.bytes, now, out_);
    return reply(kSubmitReply, transfer.sequence, status, out_.size(), 0, out_);
  }
  std::vector<std::uint32_t> sizes;
  sizes.reserve(transfer.packets.size());
  for (const Packet& packet : transfer.packets) {
    sizes.push_back(stalls ? 0 : static_cast<std::uint32_t>(camera_->payload(packet.bytes, now, out_)));
  }
  // The bytes of all packets without gaps, then what became of each.
  const std::size_t actual = out_.size();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    append_u32(out_, transfer.packets[i].offset);
    append_u32(out_, transfer.packets[i].bytes);
    append_u32(out_, sizes[i]);
    append_u32(out_, 0);
  }
  return reply(kSubmitReply, transfer.sequence, status, actual, sizes.size(), out_);
}

Result<SteadyTime> Cable::serve(SteadyTime now) {
  while (!transfers_.empty()) {
    const std::size_t packets = transfers_.front().packets.size();
    if (packets > 0) {
      // Isochronous transfers take their time, whether there is a frame or not.
      if (next_transfer_ < now - kLate) next_transfer_ = now;
      if (now < next_transfer_) return next_transfer_;
      next_transfer_ += kMicroframe * packets;
    } else if (!camera_->frame_due(now)) {
      return camera_->next_due(now);
    }
    const Transfer transfer = std::move(transfers_.front());
    transfers_.pop_front();
    if (auto done = complete(transfer, now); !done) return fail(std::move(done).error());
  }
  return now + 1s;
}

}  // namespace fp::rig
