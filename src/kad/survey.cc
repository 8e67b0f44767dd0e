#include "kad/survey.h"

#include "kad/params.h"
#include "kad/random_key.h"

namespace kadmesh {

Survey::Survey(const KadView& view, Bytes key, Turn turn, Time deadline)
    : view_(view), deadline_(deadline), region_(view.config.k) {
  walk_to(turn, std::move(key));
}

void Survey::walk_to(Turn turn, Bytes key) {
  target_ = std::move(key);
  search_.emplace(view_, KadId::of(target_), KadMessage{KadType::find_node, target_, {}, {}, {}},
                  turn.now.mono, std::min(deadline_, after(turn.now.mono, kBackgroundDeadline)));
}

std::optional<QueryStep> Survey::next(Turn turn) {
  while (!over_) {
    if (auto step = search_->next(turn)) return step;
    const auto closest = search_->lookup().answered(view_.config.k);
    if (believable(turn, closest.size()))
      region_.on_walk(KadId::of(target_), closest);
    else if (found_)
      region_.skip();
    else
      break;
    found_ = true;
    over_ = !look_on(turn);
  }
  over_ = true;
  return std::nullopt;
}

bool Survey::believable(Turn turn, std::size_t answered) const {
  const Walk walk = search_->walk(turn.now.mono);
  if (answered == 0 || !walk.complete) return false;
  return answered >= view_.config.k || walk.failed == 0 || view_.table.servers() < view_.config.k;
}

bool Survey::look_on(Turn turn) {
  while (const auto gap = turn.now.mono < deadline_ ? region_.gap() : std::nullopt) {
    if (auto key = random_key(turn.rng, gap->of, gap->bits)) {
      walk_to(turn, *std::move(key));
      return true;
    }
    region_.skip();
  }
  return false;
}

}  // namespace kadmesh
