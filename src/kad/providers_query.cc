#include "kad/providers_query.h"

#include <algorithm>

#include "kad/rows.h"

namespace kadmesh {

ProvidersQuery::ProvidersQuery(const KadView& view, Bytes key, std::size_t most, Time started,
                               Time deadline)
    : view_(view),
      key_(std::move(key)),
      most_(most == 0 ? kMostProviders : std::min(most, kMostProviders)),
      deadline_(deadline),
      search_(view, KadId::of(key_), {KadType::get_providers, key_, {}, {}, {}}, started,
              deadline) {
  if (auto fits = check_provider_key(key_); !fits) {
    refused_ = fits.error();
    phase_ = Phase::done;
    return;
  }
  first(UseStore{StoreTag::value, Load{Kind::provider, key_}});
}

QueryStep ProvidersQuery::advance(Turn turn) {
  if (phase_ == Phase::loading) return Rest{deadline_};
  if (phase_ == Phase::searching) {
    if (auto step = search_.next(turn)) return *std::move(step);
    phase_ = Phase::done;
    fill_up();
    return next(turn);
  }
  return Finished{report(turn), {}};
}

void ProvidersQuery::on_stored(Turn turn, StoreTag, const StoreResult& result) {
  if (phase_ != Phase::loading) return;
  phase_ = Phase::searching;
  if (!result) return;
  std::vector<Contact> known;
  for (const Row& row : *result)
    if (auto provider = stored(row)) known.push_back(*std::move(provider));
  turn.rng.shuffle(std::span(known));
  for (Contact& provider : known) found(std::move(provider));
}

std::optional<Contact> ProvidersQuery::stored(const Row& row) const {
  const auto peer = PeerId::from_bytes(row.member);
  if (!peer) return std::nullopt;
  Contact contact{*peer, {}};
  const bool ours = *peer == view_.self;
  for (const Multiaddr& addr : ours ? view_.own_addrs : decode_addrs(row.value))
    contact.addrs.emplace_back(addr, ours ? Source::configured : Source::hint);
  return contact;
}

Result<void> ProvidersQuery::on_reply(Turn turn, const PeerId& peer, const KadMessage& message) {
  search_.on_answer(peer, message);
  std::vector<Contact> named;
  named.reserve(message.providers.size());
  for (const KadPeer& provider : message.providers) named.push_back(hearsay(provider));
  turn.rng.shuffle(std::span(named));
  const std::size_t before = providers_.size();
  const std::size_t share = std::max<std::size_t>(most_ / kProviderAnswers, 1);
  for (Contact& provider : named) {
    if (providers_.size() - before < share)
      found(std::move(provider));
    else if (spare_.size() < kMostProviders)
      spare_.push_back(std::move(provider));
  }
  return {};
}

void ProvidersQuery::fill_up() {
  for (Contact& provider : std::exchange(spare_, {})) found(std::move(provider));
}

void ProvidersQuery::found(Contact provider) {
  if (providers_.size() >= most_ || !seen_.insert(provider.peer).second) return;
  providers_.push_back(provider);
  first(FoundProvider{std::move(provider)});
  if (providers_.size() == most_) search_.stop();
}

void ProvidersQuery::on_deadline(Turn) {
  search_.expire();
  expired_ = true;
  phase_ = Phase::done;
  fill_up();
}

Result<KadReport> ProvidersQuery::report(Turn turn) const {
  if (refused_) return std::unexpected(*refused_);
  const Walk walk = search_.walk(turn.now.mono);
  if (providers_.empty()) return std::unexpected(nothing_found(view_, walk, expired_));
  return ProvidersReport{key_, providers_, walk};
}

}  // namespace kadmesh
