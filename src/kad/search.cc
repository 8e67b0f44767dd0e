#include "kad/search.h"

#include <algorithm>

#include "kad/bootstrap.h"

namespace kadmesh {

namespace {

class Known final : public Acquaintance {
 public:
  Known(const KadView& view, Time now) : view_(view), now_(now) {}
  bool connected(const PeerId& peer) const override { return view_.peers.has(peer); }
  Duration patience(const PeerId& peer) const override { return view_.timeout_of(peer); }
  std::uint32_t worth(const PeerId& peer) const override {
    return view_.qualities.of(peer, now_).worth();
  }

 private:
  const KadView& view_;
  Time now_;
};

}  // namespace

Contact hearsay(const KadPeer& peer) {
  Contact contact{peer.id, {}};
  for (const Multiaddr& addr : peer.addrs) contact.addrs.emplace_back(addr, Source::hint);
  return contact;
}

Search::Search(const KadView& view, KadId target, KadMessage question, Time started, Time deadline)
    : view_(view),
      target_(target),
      question_(std::move(question)),
      started_(started),
      deadline_(deadline),
      lookup_(view.self, target, {view.config.k, view.config.alpha, view.config.beta},
              view.config.paths, deadline, view.config.policies) {}

// Not before the first step: peers may have come while the store was asked.
void Search::begin() {
  begun_ = true;
  for (const Contact& contact : view_.table.to_ask(target_, view_.config.k)) lookup_.add(contact);
}

void Search::start_from(const Contact& contact) {
  begun_ = true;
  lookup_.add(contact);
}

AskPeer Search::ask_peer(Time now, const Contact& to) {
  lookup_.stalls(to.peer, after(now, view_.stall_of(to.peer)));
  return {to, question_, true};
}

// Were all that is near banned, nobody near would be asked, be it by our own mistake.
bool Search::out_of_question(Time now, const Contact& whom) {
  if (view_.peers.rests(whom, now)) return true;
  if (banned_ >= view_.config.k / 3 || !view_.qualities.of(whom.peer, now).banned()) return false;
  ++banned_;
  return true;
}

std::optional<QueryStep> Search::next(Turn turn, bool enough) {
  if (!to_withdraw_.empty()) {
    const Withdraw step{to_withdraw_.front()};
    to_withdraw_.pop_front();
    return step;
  }
  if (over_) return std::nullopt;
  if (!begun_) begin();
  const Known known(view_, turn.now.mono);
  auto step = lookup_.next(turn.now.mono, known);
  while (const auto* ask = std::get_if<Lookup::Ask>(&step)) {
    if (!out_of_question(turn.now.mono, ask->to)) return ask_peer(turn.now.mono, ask->to);
    lookup_.on_failure(PeerId(ask->to.peer));
    step = lookup_.next(turn.now.mono, known);
  }
  if (const auto* wait = std::get_if<Lookup::Wait>(&step)) {
    if (!enough || !wait->only_silent) return Rest{wait->until};
    stop();
    return next(turn, enough);
  }
  return finish(turn, std::get<Lookup::Finished>(step).end, enough);
}

std::optional<QueryStep> Search::finish(Turn turn, Lookup::End end, bool enough) {
  if (end == Lookup::End::starved && view_.bootstrap.hopeful()) {
    const Time until = enough ? std::min(deadline_, after(started_, kStall)) : deadline_;
    if (turn.now.mono < until) return Rest{until};
  }
  complete_ = end == Lookup::End::converged;
  stop();
  if (complete_) return Converged{};
  return next(turn, enough);
}

void Search::stop() {
  over_ = true;
  const auto outstanding = lookup_.withdraw();
  to_withdraw_.insert(to_withdraw_.end(), outstanding.begin(), outstanding.end());
}

void Search::expire() {
  over_ = true;
  lookup_.withdraw();
  to_withdraw_.clear();
}

// The DHT's scope is about whom we do not know; and whoever is sought may be anywhere.
bool Search::concerns(const Contact& heard) const {
  return may_ask(view_.config.scope, heard.addrs) || view_.peers.has(heard.peer) ||
         std::ranges::equal(heard.peer.bytes(), question_.key);
}

void Search::on_answer(const PeerId& peer, const KadMessage& message) {
  std::vector<Contact> closer;
  closer.reserve(message.closer.size());
  for (const KadPeer& entry : message.closer) {
    Contact heard = hearsay(entry);
    if (concerns(heard)) closer.push_back(std::move(heard));
  }
  lookup_.on_reply(peer, closer);
}

// Once somebody has answered there are better ones to ask than whoever happens to connect.
void Search::on_candidate(const Contact& contact) {
  if (begun_ && !over_ && lookup_.counts().answered == 0) lookup_.add(contact);
}

Walk Search::walk(Time now) const {
  const auto counts = lookup_.counts();
  return {counts.asked, counts.answered, counts.failed, counts.hops, complete_, now - started_};
}

}  // namespace kadmesh
