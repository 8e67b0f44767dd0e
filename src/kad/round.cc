#include "kad/round.h"

#include "kad/delivery.h"
#include "kad/params.h"

namespace kadmesh {

Round::Round(Kind kind, std::uint64_t first, std::uint64_t last, Rules rules, Time deadline)
    : next_page_{kind, first, last, {}, {}, kRepublishPage},
      rules_(std::move(rules)),
      deadline_(deadline) {}

std::optional<QueryStep> Round::next(Turn turn) {
  if (phase_ == Phase::over) return std::nullopt;
  return phase_ == Phase::loading ? load() : send(turn);
}

QueryStep Round::load() {
  if (std::exchange(asked_store_, true)) return Rest{deadline_};
  return UseStore{StoreTag::value, next_page_};
}

void Round::on_stored(Turn turn, const StoreResult& page) {
  if (phase_ != Phase::loading) return;
  asked_store_ = false;
  cut_short_ = !page;
  phase_ = page ? Phase::sending : Phase::over;
  if (!page) return;
  page_.clear();
  dispatch_.clear();
  for (const Row& row : *page) {
    const auto to = rules_.to(turn, row);
    if (to.empty()) continue;
    page_.push_back(row);
    dispatch_.add(to);
  }
  more_ = page->size() == next_page_.most;
  if (!more_) return;
  next_page_.from = page->back().place;
  next_page_.after_key = page->back().key;
  next_page_.after_member = page->back().member;
}

std::optional<QueryStep> Round::send(Turn turn) {
  if (auto errand = dispatch_.next(turn.now.mono)) {
    KadMessage message = rules_.message(turn, page_[errand->message]);
    const bool expects_reply = message.type != KadType::add_provider;
    return AskPeer{std::move(errand->to), std::move(message), expects_reply};
  }
  if (!dispatch_.done()) return Rest{deadline_};
  up_to_ = more_ ? next_page_.from : next_page_.to;
  phase_ = more_ ? Phase::loading : Phase::over;
  return next(turn);
}

Result<void> Round::on_reply(Turn turn, const PeerId& peer, const KadMessage& message) {
  const auto sent = dispatch_.sending(peer);
  if (sent && message.type == KadType::put_value)
    RETURN_IF_ERROR(check_echo(message, {page_[*sent].key, page_[*sent].value, {}}));
  dispatch_.on_taken(turn.now.mono, peer);
  return {};
}

void Round::expire() {
  dispatch_.expire();
  cut_short_ = cut_short_ || phase_ != Phase::over;
  phase_ = Phase::over;
}

std::optional<Round::Settled> Round::poll() {
  const auto settled = dispatch_.poll();
  if (!settled) return std::nullopt;
  return Settled{page_[settled->message], settled->taken};
}

}  // namespace kadmesh
