#include "kad/dispatch.h"

#include <utility>

#include "kad/params.h"

namespace kadmesh {

std::size_t Dispatch::add(std::span<const Contact> to) {
  const std::size_t number = messages_.size();
  messages_.push_back({});
  ++open_;
  for (const Contact& contact : to) {
    Peer& peer = peers_.try_emplace(contact.peer, Peer{contact, {}}).first->second;
    if (peer.failures >= kMostFailures) continue;
    peer.messages.push_back(number);
    ++messages_[number].open;
    if (!peer.sending) free_.insert(contact.peer);
  }
  if (messages_[number].open == 0) {
    messages_[number].open = 1;
    close_one(number, false);
  }
  return number;
}

std::optional<Dispatch::Errand> Dispatch::next(Time now) {
  if (free_.empty() || sending_ == kMostSending) return std::nullopt;
  Peer& peer = peers_.at(*free_.begin());
  free_.erase(free_.begin());
  peer.sending = true;
  peer.since = now;
  ++sending_;
  return Errand{peer.contact, peer.messages.front()};
}

std::optional<std::size_t> Dispatch::sending(const PeerId& peer) const {
  const auto at = peers_.find(peer);
  if (at == peers_.end() || !at->second.sending) return std::nullopt;
  return at->second.messages.front();
}

bool Dispatch::on_answer(Time now, const PeerId& id, bool taken, bool answered) {
  const auto at = peers_.find(id);
  if (at == peers_.end() || !at->second.sending) return false;
  Peer& peer = at->second;
  peer.sending = false;
  --sending_;
  close_one(peer.messages.front(), taken);
  peer.messages.pop_front();
  peer.failures = answered && now < after(peer.since, kSlow) ? 0 : peer.failures + 1;
  if (peer.failures >= kMostFailures)
    for (const std::size_t message : std::exchange(peer.messages, {})) close_one(message, false);
  if (!peer.messages.empty()) free_.insert(id);
  return true;
}

void Dispatch::close_one(std::size_t number, bool taken) {
  Message& message = messages_[number];
  message.taken |= taken;
  if (--message.open > 0) return;
  --open_;
  settled_.push_back({number, message.taken});
}

std::optional<Dispatch::Settled> Dispatch::poll() {
  if (settled_.empty()) return std::nullopt;
  const Settled settled = settled_.front();
  settled_.pop_front();
  return settled;
}

void Dispatch::expire() {
  free_.clear();
  sending_ = 0;
  for (auto& [id, peer] : peers_) {
    peer.sending = false;
    for (const std::size_t message : std::exchange(peer.messages, {})) close_one(message, false);
  }
}

}  // namespace kadmesh
