#include "kadsim/outcome.h"

namespace kadmesh::kadsim {
namespace {

void take(const Walk& walk, Outcome& out) {
  // An answer that needed no walk has no hops to count.
  if (walk.asked == 0) return;
  out.hops = walk.hops;
  out.asked = walk.asked;
}

void take(const GetReport& report, Outcome& out) { out.value = as_text(report.value); }
void take(const PutReport& report, Outcome& out) {
  out.pending = report.pending;
  out.count = report.acknowledged;
}
void take(const ProvideReport& report, Outcome& out) {
  out.pending = report.pending;
  out.count = report.contacted;
}
void take(const ProvidersReport& report, Outcome& out) { out.count = report.providers.size(); }
void take(const FindReport&, Outcome&) {}
void take(const ClosestReport& report, Outcome& out) { out.count = report.closest.size(); }

void take(const KadReport& report, Outcome& out) {
  std::visit(
      [&](const auto& one) {
        take(one, out);
        take(one.walk, out);
      },
      report);
}

}  // namespace

Outcome outcome_of(const OpDone& done) {
  Outcome out;
  if (!done.result) return outcome_of(done.result.error());
  if (const auto* kad = std::get_if<KadReport>(&*done.result)) take(*kad, out);
  if (const auto* backfill = std::get_if<BackfillReport>(&*done.result))
    out.count = backfill->taken;
  return out;
}

Outcome outcome_of(const Error& error) {
  Outcome out;
  out.error = name(error.code);
  return out;
}

}  // namespace kadmesh::kadsim
