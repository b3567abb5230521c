// The cable: USB/IP between the kernel's vhci-hcd and the camera (Documentation/usb/usbip_protocol.rst of Linux).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "uvcsim/camera.h"

namespace fp::rig {

/// A camera that is plugged into a port. Pulled out by the destructor. Needs root, and the module vhci-hcd.
///
/// Reads and writes block, as little as the kernel's threads take. After an error the cable is of no more use.
class Cable {
 public:
  static constexpr int kPorts = 8;  // of vhci-hcd's high-speed bus

  /// Error: Io (no vhci-hcd, no right to it, or the port is in use).
  [[nodiscard]] static Result<Cable> plug(int port, Camera& camera);

  [[nodiscard]] int fd() const { return socket_.get(); }  ///< readable: call receive()
  /// Takes one message. Errors: Io (the kernel has let go of the camera); Malformed.
  [[nodiscard]] Result<Done> receive(SteadyTime now);
  /// Completes the transfers that are due, and returns when to call again.
  [[nodiscard]] Result<SteadyTime> serve(SteadyTime now);

 private:
  using Header = std::array<std::uint32_t, 12>;  // in the order of the host's bytes
  struct Packet {
    std::uint32_t offset = 0;
    std::uint32_t bytes = 0;
  };
  struct Transfer {
    std::uint32_t sequence = 0;
    std::uint32_t bytes = 0;
    std::vector<Packet> packets;  ///< none: a bulk transfer
  };
  Cable(Fd socket, Camera& camera) : socket_(std::move(socket)), camera_(&camera) {}
  [[nodiscard]] Result<Done> submit(const Header& header, SteadyTime now);
  [[nodiscard]] Result<Done> unlink(const Header& header);
  [[nodiscard]] Result<Done> answer_control(const Header& header, ByteView data, SteadyTime now);
  [[nodiscard]] Result<Done> complete(const Transfer& transfer, SteadyTime now);
  [[nodiscard]] Result<Done> reply(std::uint32_t command, std::uint32_t sequence, int status, std::size_t actual_bytes,
                                   std::size_t packets, ByteView data);
  [[nodiscard]] Result<Done> receive_all(void* to, std::size_t size);

  Fd socket_;
  Camera* camera_;
  std::deque<Transfer> transfers_;
  SteadyTime next_transfer_;
  std::vector<std::uint8_t> out_;
};

}  // namespace fp::rig
