// sendfile_floor: the least a server of newest frames can do, as the mark to measure a real one by. One thread on
// epoll; a fresh memfd for each frame, since pages of an old one stay with the sockets; one sendfile per viewer and
// frame. It trusts its input, parses no request, limits nothing and closes nobody.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/fd.h"

namespace {
using namespace fp::bench;

constexpr std::string_view kHead =
    "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\nCache-Control: no-store\r\n\r\n";

struct Frame {
  Fd memory;  // part head, JPEG and CRLF
  off_t bytes = 0;
};

struct Viewer {
  Fd socket;
  std::shared_ptr<const Frame> frame;  // being sent, or sent last
  off_t sent = 0;
};

class Server {
 public:
  explicit Server(std::uint16_t port) : epoll_(checked(::epoll_create1(0), "epoll")), listener_(listen_on(port)) {
    watch(listener_.get(), EPOLLIN);
    watch(STDIN_FILENO, EPOLLIN);
  }

  // Until the end of the input.
  void run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int ready = checked(::epoll_wait(epoll_.get(), events.data(), int{events.size()}, -1), "epoll_wait");
      for (std::size_t i = 0; i < static_cast<std::size_t>(ready); ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener_.get())
          accept_all();
        else if (fd != STDIN_FILENO)
          advance(fd, events[i].events);
        else if (!read_input())
          return;
      }
    }
  }

 private:
  static Fd listen_on(std::uint16_t port) {
    Fd listener(checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket"));
    sockaddr_in address{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    checked(::bind(listener.get(), generic, size), "bind");
    checked(::listen(listener.get(), SOMAXCONN), "listen");
    ::getsockname(listener.get(), generic, &size);
    std::fprintf(stderr, "http://127.0.0.1:%u/\n", unsigned{ntohs(address.sin_port)});
    return listener;
  }

  void watch(int fd, std::uint32_t events) {
    epoll_event event{events, {.fd = fd}};
    checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void accept_all() {
    for (int fd; (fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int one = 1;
      const int low_water_bytes = 16 << 10;  // else the send buffer grows to 34 frames for a slow viewer
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low_water_bytes, sizeof low_water_bytes);
      checked(::send(fd, kHead.data(), kHead.size(), 0), "send");
      viewers_[fd].socket = Fd(fd);
      watch(fd, EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
  }

  bool read_input() {
    const ssize_t got = checked(::read(STDIN_FILENO, some_.data(), some_.size()), "stdin");
    input_.append(some_.data(), static_cast<std::size_t>(got));
    constexpr std::string_view kLength = "Content-Length: ";
    for (std::size_t end; (end = input_.find("\r\n\r\n")) != std::string::npos;) {
      const std::size_t length = std::strtoul(input_.c_str() + input_.find(kLength) + kLength.size(), nullptr, 10);
      const std::size_t part_bytes = end + 4 + length + 2;
      if (input_.size() < part_bytes) break;
      publish(std::string_view(input_).substr(0, part_bytes));
      input_.erase(0, part_bytes);
    }
    return got > 0;
  }

  void publish(std::string_view part) {
    auto frame = std::make_shared<Frame>();
    frame->memory = Fd(checked(::memfd_create("frame", 0), "memfd"));
    frame->bytes = static_cast<off_t>(checked(::write(frame->memory.get(), part.data(), part.size()), "memfd"));
    newest_ = std::move(frame);
    for (auto next = viewers_.begin(); next != viewers_.end();) advance((next++)->first, EPOLLOUT);
  }

  // Sends the rest of the viewer's frame, then the newest, as far as the socket takes it.
  void advance(int fd, std::uint32_t events) {
    const auto found = viewers_.find(fd);
    if (found == viewers_.end()) return;
    Viewer& viewer = found->second;
    bool gone = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    while (!gone && newest_) {
      // A frame of which nothing went out yet gives way to a newer one.
      if (!viewer.frame || viewer.sent == 0 || (viewer.sent == viewer.frame->bytes && viewer.frame != newest_)) {
        viewer.frame = newest_;
        viewer.sent = 0;
      }
      if (viewer.sent == viewer.frame->bytes) return;
      const auto left = static_cast<std::size_t>(viewer.frame->bytes - viewer.sent);
      const ssize_t sent = ::sendfile(fd, viewer.frame->memory.get(), &viewer.sent, left);
      if (sent < 0 && errno == EAGAIN) return;
      gone = sent <= 0;
    }
    if (gone) viewers_.erase(found);
  }

  Fd epoll_;
  Fd listener_;
  std::array<char, 64 << 10> some_{};
  std::string input_;
  std::shared_ptr<const Frame> newest_;
  std::map<int, Viewer> viewers_;
};

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  try {
    // The only argument is a port; none means any.
    Server(static_cast<std::uint16_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0)).run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sendfile_floor: %s\n", error.what());
    return 1;
  }
}
