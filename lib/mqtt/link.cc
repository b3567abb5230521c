#include "mqtt/link.h"

#include <algorithm>
#include <utility>

namespace fp::mqtt {

using namespace std::chrono_literals;

Result<std::unique_ptr<Link>> Link::make(const Client::Options& options, const Report& report) {
  std::unique_ptr<Link> link(new Link);
  const std::size_t count = std::min<std::size_t>(options.url.brokers.size(), 2);
  const auto claims = std::make_shared<Claims>();
  for (std::size_t i = 0; i < count; ++i) {
    Client::Options mine = options;
    mine.claims = claims;
    mine.first_broker = i;
    mine.works = i == 0;
    mine.changed = [link = link.get(), changed = options.changed] {
      link->choose();
      changed();
    };
    auto client = Client::make(std::move(mine), report);
    if (!client) return fail(std::move(client).error());
    link->clients_.push_back(std::move(*client));
  }
  return link;
}

Link::~Link() { finish({}, 200ms); }

void Link::start() { clients_.front()->start(); }

// Who works goes on working until it is lost and the other one is not. The other one begins when the first is where it
// wants to be: the order of the URL is that of its user.
void Link::choose() {
  const std::lock_guard lock(mutex_);
  if (clients_.size() < 2) return;
  if (!std::exchange(both_, true)) clients_.back()->start();
  Client& from = *clients_[working_];
  Client& to = *clients_[1 - working_];
  if (from.away()) to.announce_again();
  if (to.away()) from.announce_again();
  if (!to.connected() || !from.rest()) return;
  working_ = 1 - working_;
  to.work();
  if (auto waiting = from.take_waiting()) to.put(std::move(*waiting));
}

void Link::put(Bundle bundle) {
  const std::lock_guard lock(mutex_);
  clients_[working_]->put(std::move(bundle));
}

void Link::announce(const Message& message) {
  for (const auto& client : clients_) client->announce(message);
}

std::uint64_t Link::in_hand() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bundles = 0;
  for (const auto& client : clients_) bundles += client->in_hand();
  return bundles;
}

bool Link::connected() const {
  return std::ranges::any_of(clients_, [](const auto& client) { return client->connected(); });
}

std::string Link::trouble() const { return connected() ? "" : clients_.front()->trouble(); }

Client::Figures Link::figures() const {
  Client::Figures sum;
  for (const auto& client : clients_) {
    const Client::Figures of = client->figures();
    sum.sent += of.sent;
    sum.dropped += of.dropped;
    sum.lost += of.lost;
    sum.refused += of.refused;
    sum.bytes += of.bytes;
    sum.connections += of.connections;
  }
  return sum;
}

// All are told before one is waited for, since each of them calls choose() until its end; the first one first, which
// may just begin the other one.
void Link::finish(const Bundle& last, std::chrono::milliseconds grace) {
  for (const auto& client : clients_) client->end(last, grace);
  for (const auto& client : clients_) client->join();
}

}  // namespace fp::mqtt
