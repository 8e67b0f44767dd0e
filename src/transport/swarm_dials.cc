// The searches of a swarm: who waits for which peer, and which address is tried when.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "transport/swarm_state.h"

namespace kadmesh {

namespace {
// Whom all the addresses name, if they agree: then it is a dial of that peer like any other.
std::optional<PeerId> named_by_all(std::span<const Multiaddr> addrs) {
  std::optional<PeerId> common;
  for (const Multiaddr& addr : addrs) {
    const auto named = addr.peer();
    if (!named || (common && *common != *named)) return std::nullopt;
    common = named;
  }
  return common;
}
}  // namespace

void Swarm::State::start_dial(DialId id, std::optional<PeerId> peer,
                              std::span<const Multiaddr> addrs, Time deadline) {
  if (!peer) peer = named_by_all(addrs);
  if (peer && *peer == self) return tell(id, fail(Errc::invalid, "a dial of ourselves"));
  if (const auto at = peer ? peers.find(*peer) : peers.end(); at != peers.end()) {
    return tell(id, at->second.front());
  }
  if (deadline <= now) {
    return tell(id, fail(Errc::timeout, "the dial's deadline had come before it began"));
  }
  const auto job = job_for(peer);
  if (!job) return tell(id, std::unexpected(job.error()));
  dials.emplace(id, *job);
  timers.set(key(Timer::dial, std::to_underlying(id)), deadline);
  Job& joined = jobs.at(*job);
  joined.waiting.push_back(id);
  joined.search.add(addrs);
  pump(*job);
}

Result<JobId> Swarm::State::job_for(const std::optional<PeerId>& peer) {
  if (dials.size() >= kMostDialsOfNode) {
    return std::unexpected(limit_reached("dials of this node", dials.size(), kMostDialsOfNode));
  }
  if (const auto at = peer ? job_of.find(*peer) : job_of.end(); at != job_of.end()) {
    return at->second;
  }
  if (jobs.size() >= config.limits.dial_jobs) {
    return std::unexpected(
        limit_reached("peers being dialed", jobs.size(), config.limits.dial_jobs));
  }
  const JobId id{++last_job};
  jobs.emplace(id, Job{DialJob(peer), {}});
  if (peer) job_of.emplace(*peer, id);
  return id;
}

void Swarm::State::pump(JobId id) {
  Job& job = jobs.at(id);
  while (job.search.due() <= now) {
    if (links.size() >= config.limits.connections && job.search.running().empty()) {
      const Error full =
          limit_reached("connections of this node", links.size(), config.limits.connections);
      return finish_job(id, std::unexpected(job.search.error(full.code, full.detail)), Rest::drop);
    }
    if (dialing >= config.limits.dialing || links.size() >= config.limits.connections) {
      if (!std::exchange(job.starved, true)) starved.push_back(id);
      return;
    }
    start_attempt(id, job);
  }
  if (job.search.exhausted())
    return finish_job(id, std::unexpected(job.search.failure()), Rest::drop);
  timers.set(key(Timer::job, std::to_underlying(id)), job.search.due());
}

void Swarm::State::start_attempt(JobId id, Job& job) {
  const ConnId conn = new_id();
  const auto attempt = job.search.begin(now, conn);
  const Multiaddr remote = Multiaddr::tcp(attempt.to);
  links.try_emplace(conn, Link{.stage = Link::Stage::dialing,
                               .local = remote,
                               .remote = remote,
                               .ours = true,
                               .job = id,
                               .expected = attempt.expected,
                               .since = now,
                               .connection = nullptr});
  ++dialing;
  timers.set(key(Timer::link, std::to_underlying(conn)), after(now, config.open_timeout));
  actions.push_back(DialPipe{conn, attempt.to});
}

void Swarm::State::attempt_failed(ConnId id, const Error& cause) {
  const auto job = links.at(id).job;
  erase(id);
  if (job) {
    jobs.at(*job).search.failed(id, cause);
    pump(*job);
  }
  feed_starved();
}

void Swarm::State::finish_job(JobId id, const Result<ConnId>& result, Rest rest) {
  const auto node = jobs.extract(id);
  const Job& job = node.mapped();
  if (job.search.peer()) job_of.erase(*job.search.peer());
  if (job.starved) std::erase(starved, id);
  timers.cancel(key(Timer::job, std::to_underlying(id)));
  for (const DialId waiter : job.waiting) {
    dials.erase(waiter);
    timers.cancel(key(Timer::dial, std::to_underlying(waiter)));
    tell(waiter, result, job.search.failures());
  }
  for (const ConnId running : job.search.running()) {
    Link* link = find(running);
    if (!link) continue;
    link->job.reset();
    if (rest == Rest::drop && (!result || running != *result)) drop(running);
  }
  feed_starved();
}

void Swarm::State::withdraw(DialId id) {
  const auto at = dials.find(id);
  if (at == dials.end()) return;
  const JobId of = at->second;
  dials.erase(at);
  timers.cancel(key(Timer::dial, std::to_underlying(id)));
  Job& job = jobs.at(of);
  std::erase(job.waiting, id);
  if (job.waiting.empty()) finish_job(of, fail(Errc::cancelled), Rest::drop);
}

void Swarm::State::dial_timed_out(DialId id) {
  const DialJob& search = jobs.at(dials.at(id)).search;
  tell(id, std::unexpected(search.error(Errc::timeout, "the dial's deadline came first")),
       search.failures());
  withdraw(id);
}

void Swarm::State::tell(DialId id, Result<ConnId> result, std::vector<DialFailure> failures) {
  events.push_back(DialFinished{id, std::move(result), std::move(failures)});
}

void Swarm::State::feed_starved() {
  while (!starved.empty() && dialing < config.limits.dialing &&
         links.size() < config.limits.connections) {
    const JobId id = starved.front();
    starved.pop_front();
    jobs.at(id).starved = false;
    pump(id);
  }
}

}  // namespace kadmesh
