#include "tool/web_program.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/log.h"

namespace fp::tool {
namespace {

using namespace std::chrono_literals;

// A thousand viewers are a thousand descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// One without its scheme would match no page, and nobody would know why.
void check_origin(const std::string& origin) {
  const bool whole = (origin.starts_with("http://") || origin.starts_with("https://")) &&
                     origin.find('/', origin.find("://") + 3) == std::string::npos;
  if (origin == "*" || whole) return;
  throw Failure{Exit::Usage, "--allow-origin " + origin + ": not of the form http://HOST or https://HOST:PORT, or *"};
}

std::optional<http::TlsContext> tls_context(const http::TlsContext::Files& files) {
  if (files.certificate.empty() && files.key.empty()) return std::nullopt;
  if (files.key.empty()) throw Failure{Exit::Usage, "--tls-cert needs --tls-key FILE, the certificate's key"};
  if (files.certificate.empty()) throw Failure{Exit::Usage, "--tls-key needs --tls-cert FILE, the key's certificate"};
  auto context = http::TlsContext::load(files);
  if (!context) throw failure_of(context.error());
  for (const std::string& warning : context->warnings()) spdlog::warn("{}", warning);
  return std::move(*context);
}

}  // namespace

CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values, const char* type,
                      const std::string& help) {
  return app.add_option(name, values, help)
      ->type_name(type)
      ->expected(1)
      ->allow_extra_args(false)  // what follows is another one's
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_web_options(CLI::App& app, WebOptions& options) {
  add_listen_options(app, options, /*show_default=*/true);
  add_stall_option(app, options);
  add_page_options(app, options);
}

void add_listen_options(CLI::App& app, WebOptions& options, bool show_default) {
  add_list(app, "-l,--listen", options.listen, "ADDR",
           "Where to listen: ADDR:PORT, :PORT (all addresses) or unix:PATH; any number of times" +
               (show_default ? " [" + options.default_listen + "]" : std::string()));
  app.add_option("--tls-cert", options.tls.certificate,
                 "Speak HTTPS on TCP, with the certificate in this file (PEM, and those between it and an authority "
                 "behind it); SIGHUP reads it again")
      ->type_name("FILE");
  app.add_option("--tls-key", options.tls.key, "The certificate's private key (PEM)")->type_name("FILE");
  add_access_options(app, options.access);
}

void add_stall_option(CLI::App& app, WebOptions& options) {
  cli::add_duration(app, "--stall-timeout", options.stall_timeout,
                    "Close a connection that takes not a byte for so long", 1s, 1h);
}

void add_page_options(CLI::App& app, WebOptions& options) {
  add_list(app, "--allow-host", options.allow_host, "NAME",
           "Answer to this name, too, in the Host header; any number of times");
  add_list(app, "--allow-origin", options.allow_origin, "ORIGIN",
           "Let pages of this origin read pictures and figures (CORS) and change what can be changed; *: let any page "
           "read; any number of times");
  cli::add_number(app, "--max-connections", options.max_connections, "Turn away further connections", 1, 1'000'000);
  cli::add_number(app, "--max-connections-per-address", options.max_connections_per_address,
                  "Turn away further connections of one address", 1, 1'000'000);
}

WebProgram::WebProgram(const WebOptions& options, const cli::Common& common)
    : options_(options),
      tls_(tls_context(options.tls)),
      gate_(loop_, clock_, options.access, site_options(), cli::reporter()),
      signal_watch_(loop_, [this](int) { stop(); }),
      hangup_watch_(loop_, [this](int) { reload(); }),
      beat_timer_(loop_, [this] { beat(); }),
      heartbeat_(common.watchdog_frames) {
  raise_descriptor_limit();
  for (const std::string& origin : options_.allow_origin) check_origin(origin);
  // Where there is nothing to read again, a terminal that is closed ends its programs.
  if (tls_ || gate_.on()) hangup_.emplace();
  listeners_ = open_listeners(options_.listen, cli::activated_sockets(), tls_.has_value(), options_.default_listen);
  for (const Listener& listener : listeners_) {
    if (!listener.unix_path.empty()) socket_files_.paths.push_back(listener.unix_path);
  }
}

http::SiteOptions WebProgram::site_options() const {
  http::SiteOptions site;
  site.allowed_hosts = http::own_host_names();
  for (const std::string& host : options_.allow_host) site.allowed_hosts.push_back(lower(host));
  site.allowed_origins = options_.allow_origin;
  return site;
}

void WebProgram::serve(Service service) {
  service_ = std::move(service);
  http::Server::Options server;
  server.max_connections = options_.max_connections;
  server.max_connections_per_address = options_.max_connections_per_address;
  server.connection.stall_time = options_.stall_timeout;
  server.connection.body_limit = [this](const http::Request& request) {
    const bool large = service_.body_limit && gate_.may_send_much(request);
    return large ? service_.body_limit(request) : http::RequestParser::kMaxBodyBytes;
  };
  gate_.open(service_.handle);
  server_.emplace(
      loop_, clock_, server,
      [this](http::Connection& connection, http::Request& request) { gate_.handle(connection, request); },
      cli::reporter());
  for (Listener& listener : listeners_) {
    spdlog::info("{}", listener.text);
    if (listener.beyond_loopback && !gate_.on()) {
      spdlog::warn("{} can be reached from other machines, and there is no password: {} (--auth FILE asks for one)",
                   listener.address, service_.exposed);
    } else if (listener.beyond_loopback && !listener.tls) {
      spdlog::warn(
          "{} can be reached from other machines, and there is no TLS: whoever is on the way reads passwords and sees "
          "pictures (--tls-cert and --tls-key, or a proxy that has them)",
          listener.address);
    }
    server_->listen(std::move(listener.socket), listener.tls ? &*tls_ : nullptr);
  }
  signal_watch_.watch(signal_.fd(), IoWatch::kRead);
  if (hangup_) hangup_watch_.watch(hangup_->fd(), IoWatch::kRead);
  beat_timer_.every(250ms);
}

WebProgram::SocketFiles::~SocketFiles() {
  for (const std::string& path : paths) ::unlink(path.c_str());
}

void WebProgram::run() {
  cli::notify_ready();
  loop_.run();
  cli::show_progress("");
  // The server goes before what its connections hold on to.
  loop_.settle();
  server_.reset();
  loop_.settle();
}

void WebProgram::stop() {
  if (std::exchange(stopping_, true)) return;
  signal_watch_.watch(-1, 0);
  cli::notify_stopping();
  if (service_.stopping) service_.stopping();
  // Viewers get the rest of the frame that is on its way to them.
  server_->shut_down(800ms, [this] { loop_.stop(); });
}

void WebProgram::reload() {
  while (hangup_->take()) {
  }
  if (gate_.on()) gate_.reload();
  if (!tls_) return;
  if (const auto done = tls_->reload(); !done) {
    spdlog::error("{}: the certificate stays the one that was read before", done.error().text);
    return;
  }
  for (const std::string& warning : tls_->warnings()) spdlog::warn("{}", warning);
  spdlog::info("the certificate was read again: valid until {}", tls_->valid_until());
}

void WebProgram::beat() { heartbeat_.beat(clock_.steady(), service_.figures(), service_.waiting_for, service_.status); }

}  // namespace fp::tool
