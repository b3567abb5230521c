#include "frame/endpoint.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <vector>

#include "support/io.h"

namespace {

using namespace fp;
using Kind = Endpoint::Kind;

TEST_CASE("parse_endpoint: every form of a SPEC is understood") {
  struct Case {
    const char* spec;
    Kind kind;
    const char* address;
    const char* port;
    int fd;
  };
  const Case cases[] = {
      {"-", Kind::Standard, "", "", -1},
      {"clip.mjpeg", Kind::Path, "clip.mjpeg", "", -1},
      {"/run/x/fifo", Kind::Path, "/run/x/fifo", "", -1},
      {"./fd:3", Kind::Path, "./fd:3", "", -1},
      {"C:/x", Kind::Path, "C:/x", "", -1},
      {"fd:0", Kind::Fd, "0", "", 0},
      {"fd:12", Kind::Fd, "12", "", 12},
      {"unix:/run/a.sock", Kind::Unix, "/run/a.sock", "", -1},
      {"unix:@abstract", Kind::Unix, "@abstract", "", -1},
      {"unix-listen:a.sock", Kind::UnixListen, "a.sock", "", -1},
      {"tcp:cam.local:80", Kind::Tcp, "cam.local", "80", -1},
      {"tcp:10.0.0.1:8000", Kind::Tcp, "10.0.0.1", "8000", -1},
      {"tcp:[fe80::1]:8000", Kind::Tcp, "fe80::1", "8000", -1},
      {"tcp-listen:8000", Kind::TcpListen, "", "8000", -1},
      {"tcp-listen::8000", Kind::TcpListen, "", "8000", -1},
      {"tcp-listen:0.0.0.0:8000", Kind::TcpListen, "0.0.0.0", "8000", -1},
      {"tcp-listen:[::]:0", Kind::TcpListen, "::", "0", -1},
      {"exec:cat x | y", Kind::Exec, "cat x | y", "", -1},
  };
  for (const Case& one : cases) {
    CAPTURE(one.spec);
    for (const Direction direction : {Direction::In, Direction::Out}) {
      const auto endpoint = parse_endpoint(one.spec, direction);
      REQUIRE(endpoint.has_value());
      CHECK(static_cast<int>(endpoint->kind) == static_cast<int>(one.kind));
      CHECK(endpoint->text == one.spec);
      CHECK(endpoint->port == one.port);
      if (one.kind == Kind::Fd) {
        CHECK(endpoint->fd == one.fd);
      } else {
        CHECK(endpoint->address == one.address);
      }
    }
  }
}

TEST_CASE("parse_endpoint: none is nowhere for output and a file's name for input") {
  CHECK(parse_endpoint("none", Direction::Out)->kind == Kind::None);
  CHECK(parse_endpoint("none", Direction::In)->kind == Kind::Path);
}

TEST_CASE("parse_endpoint: only what comes over TCP may be another machine's") {
  CHECK(parse_endpoint("tcp:h:1", Direction::In)->network());
  CHECK(parse_endpoint("tcp-listen:1", Direction::In)->network());
  CHECK_FALSE(parse_endpoint("unix:x", Direction::In)->network());
  CHECK_FALSE(parse_endpoint("exec:x", Direction::In)->network());
}

TEST_CASE("parse_endpoint: an error names the thing that is wrong") {
  struct Case {
    const char* spec;
    const char* says;
  };
  const Case cases[] = {
      {"", "'' names nothing"},
      {"fd:", "'fd:'"},
      {"fd:-1", "'fd:-1'"},
      {"fd:3x", "'fd:3x'"},
      {"fd:99999999999", "'fd:99999999999'"},
      {"unix:", "'unix:' names nothing"},
      {"unix-listen:", "'unix-listen:' names nothing"},
      {"exec:", "'exec:' names nothing"},
      {"tcp:", "'' is no port"},
      {"tcp:host", "'host' is no port"},
      {"tcp:8000", "'tcp:8000': tcp: wants HOST:PORT"},
      {"tcp::8000", "'tcp::8000': tcp: wants HOST:PORT"},
      {"tcp:host:", "'host:'"},
      {"tcp:host:http", "'http' is no port"},
      {"tcp:host:65536", "'65536' is no port"},
      {"tcp:host:-1", "'-1' is no port"},
      {"tcp:::1:8000", "brackets"},
      {"tcp:[::1]", "'[::1]' is no [ADDRESS]:PORT"},
      {"tcp:[::1:8000", "'[::1:8000' is no [ADDRESS]:PORT"},
      {"tcp-listen:", "is no port"},
      {"tcp-listen:host:", "'host:'"},
      {"http://", "no host"},
      {"https://cam:x/", "no port"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.spec);
    const auto endpoint = parse_endpoint(one.spec, Direction::In);
    CHECK_FALSE(endpoint.has_value());
    if (endpoint) continue;
    CHECK(endpoint.error().kind == Error::Kind::Unsupported);
    CAPTURE(endpoint.error().text);
    CHECK(endpoint.error().text.find(one.says) != std::string::npos);
  }
}

TEST_CASE("parse_endpoint: a URL is read from, and its password is not shown") {
  const auto url = parse_endpoint("https://me:geheim@cam/stream?pwd=x#y", Direction::In);
  REQUIRE(url.has_value());
  CHECK(url->kind == Endpoint::Kind::Http);
  CHECK(url->address == "https://me:geheim@cam/stream?pwd=x#y");
  CHECK(url->text == "https://cam/stream?pwd=***");
  CHECK(url->network());
  CHECK_FALSE(url->listens());
}

TEST_CASE("parse_endpoint: nothing is written to a URL") {
  const auto url = parse_endpoint("http://me:geheim@cam/stream", Direction::Out);
  REQUIRE_FALSE(url.has_value());
  CHECK(url.error().text == "'http://cam/stream': frames are not sent to URLs (mjpeg-serve serves them at one)");
}

TEST_CASE("parse_host_port: host and port part at the last colon, and IPv6 stands in brackets") {
  CHECK(parse_host_port("8000")->host.empty());
  CHECK(parse_host_port("8000")->port == "8000");
  CHECK(parse_host_port(":8000")->host.empty());
  CHECK(parse_host_port("localhost:1")->host == "localhost");
  CHECK(parse_host_port("[::1]:65535")->host == "::1");
  CHECK(parse_host_port("[::1]:65535")->port == "65535");
  CHECK_FALSE(parse_host_port("::1").has_value());
}

TEST_CASE("listen_unix: a socket that a dead process left behind is replaced") {
  const test::TempDir folder;
  const std::string path = folder / "s";
  REQUIRE(listen_unix(path).has_value());  // closed at once, and its file stays
  const auto again = listen_unix(path);
  REQUIRE(again.has_value());
  CHECK(connect_unix(path).has_value());
}

TEST_CASE("listen_unix: a socket that somebody listens on is left alone") {
  const test::TempDir folder;
  const std::string path = folder / "s";
  const auto first = listen_unix(path);
  REQUIRE(first.has_value());
  const auto second = listen_unix(path);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().sys == EADDRINUSE);
  CHECK(connect_unix(path).has_value());
}

TEST_CASE("listen_unix: a file that is no socket is never deleted") {
  const test::TempDir folder;
  const std::string path = folder / "notes.txt";
  test::write_file(path, "precious");
  const auto listener = listen_unix(path);
  CHECK_FALSE(listener.has_value());
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK(S_ISREG(info.st_mode));
  CHECK(test::read_file(path) == "precious");
}

TEST_CASE("listen_unix: a path that is too long or in no folder is an error that names it") {
  const test::TempDir folder;
  const auto too_long = listen_unix(folder / std::string(200, 'x'));
  REQUIRE_FALSE(too_long.has_value());
  CHECK(too_long.error().sys == ENAMETOOLONG);
  const auto nowhere = listen_unix(folder / "no/such/folder");
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().sys == ENOENT);
  CHECK(nowhere.error().text.find("no/such/folder") != std::string::npos);
}

TEST_CASE("listen_unix: a name with @ is an abstract one and leaves no file") {
  const std::string name = "@framepipe-test-" + std::to_string(::getpid());
  const auto listener = listen_unix(name);
  REQUIRE(listener.has_value());
  CHECK(connect_unix(name).has_value());
  CHECK(::access(name.c_str(), F_OK) != 0);
}

TEST_CASE("connect_unix: nobody there is an error, not a wait") {
  const test::TempDir folder;
  const auto socket = connect_unix(folder / "nobody");
  REQUIRE_FALSE(socket.has_value());
  CHECK(socket.error().sys == ENOENT);
}

TEST_CASE("listen_tcp: without a host it is loopback alone") {
  const auto listener = listen_tcp({"", "0"});
  REQUIRE(listener.has_value());
  sockaddr_in address{};
  socklen_t length = sizeof address;
  REQUIRE(::getsockname(listener->get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  CHECK(address.sin_family == AF_INET);
  CHECK(ntohl(address.sin_addr.s_addr) == INADDR_LOOPBACK);
}

TEST_CASE("listen_tcp: a port that is taken is an error that names it") {
  const auto first = listen_tcp({"", "0"});
  REQUIRE(first.has_value());
  sockaddr_in address{};
  socklen_t length = sizeof address;
  REQUIRE(::getsockname(first->get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  const auto second = listen_tcp({"", port});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().sys == EADDRINUSE);
  CHECK(second.error().text.find("127.0.0.1:" + port) != std::string::npos);
}

TEST_CASE("sockets: are born close-on-exec and do not block") {
  const auto listener = listen_tcp({"", "0"});
  REQUIRE(listener.has_value());
  CHECK((::fcntl(listener->get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(listener->get(), F_GETFL) & O_NONBLOCK) != 0);
}

}  // namespace
