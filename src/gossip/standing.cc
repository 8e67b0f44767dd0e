// What a peer's behaviour comes to: what the router tells the scores, and asks of them.
#include <array>
#include <charconv>

#include "gossip/state.h"

namespace kadmesh {

double Gossip::State::score(const PeerId& peer) const {
  return scores && !direct.contains(peer) ? scores->score(peer) : 0;
}

bool Gossip::State::below(double ScoreThresholds::* threshold, const PeerId& peer) const {
  return scores && score(peer) < config.scoring->thresholds.*threshold;
}

void Gossip::State::penalise(const PeerId& peer, Penalty penalty, unsigned count) {
  count_penalty(penalty);
  if (scores) scores->penalise(peer, count);
}

// --- meshes
void Gossip::State::enter_mesh(Turn turn, const PeerId& peer, const Topic& topic,
                               GossipTopic& about) {
  about.mesh.insert(peer);
  trace<traced::Grafted>(peer, topic);
  if (scores) scores->grafted(peer, topic, turn.now.mono);
}

bool Gossip::State::leave_mesh(const PeerId& peer, const Topic& topic, GossipTopic& about) {
  if (about.mesh.erase(peer) == 0) return false;
  trace<traced::Pruned>(peer, topic);
  if (scores) scores->pruned(peer, topic);
  return true;
}

void Gossip::State::note_prune(Turn turn, const PeerId& peer, const Topic& topic,
                               gossip::PruneCause cause) {
  journal.add(peer, {turn.now.mono, topic, cause, score(peer)});
}

// --- messages
bool Gossip::State::judges_messages() const { return config.validator || config.manual_validation; }

bool Gossip::State::tracks_copies(const Topic& topic) const {
  return scores && (judges_messages() || scores->measures_deliveries(topic));
}

// Of all that it consists of, not of its id alone: two messages with one id, of which one is
// invalid, must not have those blamed who forward the other.
SipHash Gossip::State::content_of(const gossip::SignedMessage& message) const {
  return tracks_copies(Topic(message.topic)) ? sip_hash(digest_key, message.encoded) : SipHash{};
}

void Gossip::State::delivered(const GossipFresh& message, Time now) {
  if (!scores) return;
  const Topic& topic = message.message.topic;
  if (tracks_copies(topic))
    scores->delivered(message.content, topic, message.received_from, now);
  else
    scores->first_delivery(message.received_from, topic);
}

void Gossip::State::rejected(const GossipFresh& message) {
  refuse(Refusal::rejected, message.id, message.message.topic, message.received_from);
  if (!scores || message.backfilled) return;
  count_penalty(Penalty::invalid_message);
  scores->rejected(message.content, message.message.topic, message.received_from);
}

void Gossip::State::ignored(const GossipFresh& message) {
  refuse(Refusal::ignored, message.id, message.message.topic, message.received_from);
  if (scores && !message.backfilled) scores->ignored(message.content);
}

// --- why
namespace {

std::string number(double value) {
  std::array<char, 512> text;  // the largest double has 309 digits before its point
  const auto end = std::to_chars(text.begin(), text.end(), value, std::chars_format::fixed, 2).ptr;
  return {text.begin(), end};
}

void say_part(std::string& out, const char* name, const ScorePart& part) {
  if (part.score != 0) out += std::string(", ") + name + " " + number(part.score);
}

void say_topic(std::string& out, const TopicScoreView& topic) {
  if (topic.score == 0) return;
  out += ", " + topic.topic + " " + number(topic.score) + " (";
  std::string parts;
  say_part(parts, "P1", topic.p1);
  say_part(parts, "P2", topic.p2);
  say_part(parts, "P3", topic.p3);
  say_part(parts, "P3b", topic.p3b);
  say_part(parts, "P4", topic.p4);
  out += parts.empty() ? "" : parts.substr(2);
  out += ")";
}

std::string seconds_ago(Time when, Time now) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(now - when).count()) + " s ago";
}

}  // namespace

// By component, and the prunes that led here.
std::string Gossip::State::why_score(const PeerId& peer, Time now) const {
  std::string out;
  if (scores && !direct.contains(peer)) {
    const ScoreView view = scores->view(peer);
    if (view.score != 0) out = "; score " + number(view.score);
    for (const TopicScoreView& topic : view.topics) say_topic(out, topic);
    say_part(out, "application (P5)", view.application);
    say_part(out, "shared addresses (P6)", view.colocation);
    say_part(out, "behaviour (P7)", view.behaviour);
    say_part(out, "slowness", view.slow);
  }
  for (const gossip::PruneNote& note : journal.of(peer))
    out += "; " + seconds_ago(note.when, now) + " " + note.topic + ": " + text(note.cause);
  return out;
}

}  // namespace kadmesh
