#include "kadsim/step.h"

#include <algorithm>
#include <array>

namespace kadmesh::kadsim {
namespace {

struct Reading {
  Fields& fields;
  Step& step;
  const Population& population;
};
using Read = void (*)(const Reading&);

void selector(const Reading& in, std::string_view key, Selector& into) {
  read_selector(in.fields, key, in.population, Draws::allowed, into);
}

void who(const Reading& in) {
  in.fields.need("who", "who = \"all\"");
  selector(in, "who", in.step.who);
}
void who_and_to(const Reading& in) {
  who(in);
  in.fields.need("to", "to = \"0\"");
  selector(in, "to", in.step.to);
}
void label(const Reading& in) { in.fields.read("as", in.step.label); }
void limit(const Reading& in) { in.fields.read("timeout", in.step.limit); }

// `repeat` and `every`, or `rate` a second and `for` how long.
void repeated(const Reading& in) {
  Fields& fields = in.fields;
  Step& step = in.step;
  fields.read("repeat", step.repeat, 1, kMostRepeats);
  fields.read("every", step.every);
  std::size_t rate = 0;
  Duration time{};
  fields.read("rate", rate, 1, 1'000'000);
  fields.read("for", time);
  if (!fields.good()) return;
  if (step.repeat > 1 && step.every == Duration::zero())
    return fields.wrong("repeat", "without every = \"100ms\"");
  if ((rate > 0) != (time > Duration::zero()))
    return fields.wrong(rate > 0 ? "rate" : "for",
                        "rate and for go together: rate = 20, for = \"10s\"");
  if (rate == 0) return;
  if (step.repeat > 1) return fields.wrong("rate", "besides repeat: one of them says how often");
  step.every = Duration(std::chrono::nanoseconds(1s).count() / static_cast<std::int64_t>(rate));
  step.repeat = static_cast<std::size_t>(std::max<std::int64_t>(1, time / step.every));
  if (step.repeat > kMostRepeats)
    fields.wrong("rate", "so often is too often: " + std::to_string(step.repeat));
}

void operation(const Reading& in) {
  who(in);
  label(in);
  limit(in);
  repeated(in);
}

void key(const Reading& in) {
  in.fields.need("key", "key = \"/v/name\"");
  in.fields.read("key", in.step.key);
  in.fields.read("keys", in.step.keys, 1, 1'000'000'000);
}

void read_start(const Reading& in) { who(in); }
void read_connect(const Reading& in) {
  operation(in);
  who_and_to(in);
  in.fields.read("bare", in.step.bare);
}
void read_to(const Reading& in) {
  operation(in);
  who_and_to(in);
}
void read_ready(const Reading& in) {
  operation(in);
  in.fields.read("live", in.step.live, 1, 10'000);
}
void read_keyed(const Reading& in) {
  operation(in);
  key(in);
}
void value(const Reading& in, std::string_view text) {
  in.fields.read(text, in.step.value);
  in.fields.read_bytes("size", in.step.size);
  if (in.fields.has("size") && in.fields.has(text))
    in.fields.wrong("size", "besides " + std::string(text) + ": one of them says what is sent");
}
void read_put(const Reading& in) {
  read_keyed(in);
  value(in, "value");
}
void topic(const Reading& in) {
  in.fields.need("topic", "topic = \"news\"");
  in.fields.read("topic", in.step.topic);
}
void read_subscription(const Reading& in) {
  who(in);
  topic(in);
}
void read_publish(const Reading& in) {
  who(in);
  label(in);
  repeated(in);
  topic(in);
  value(in, "text");
}
void read_backfill(const Reading& in) {
  read_to(in);
  topic(in);
}
void read_who(const Reading& in) { who(in); }
void read_restart(const Reading& in) {
  who(in);
  in.fields.read("keep_store", in.step.keep_store);
}
void read_cut(const Reading& in) { who_and_to(in); }
void read_heal(const Reading& in) {
  selector(in, "who", in.step.who);
  selector(in, "to", in.step.to);
  if (in.fields.has("who") != in.fields.has("to"))
    in.fields.wrong("who", "who and to go together; without them everything is healed");
}
// groups = [["alice"], ["bob", "charlie"]]; a text is a group of its own.
void read_partition(const Reading& in) {
  in.fields.need("groups", "groups = [\"first 50%\", \"last 50%\"]");
  const Value* groups = in.fields.value("groups");
  if (!groups) return;
  const List* list = groups->as<List>();
  if (!list || list->size() < 2) return in.fields.wrong("groups", "a list of two groups or more");
  for (const Value& group : *list) {
    std::vector<std::string> terms;
    Table one{{"groups", group}};
    Fields part("", one, "", group.line);
    part.read("groups", terms);
    auto parsed = Selector::parse(terms, in.population);
    if (!parsed) return in.fields.wrong("groups", parsed.error().detail);
    in.step.groups.push_back(*std::move(parsed));
  }
}

struct VerbInfo {
  std::string_view name;
  Verb verb;
  Read read;
};
constexpr std::array kVerbs{
    VerbInfo{"start", Verb::start, read_start},
    VerbInfo{"connect", Verb::connect, read_connect},
    VerbInfo{"disconnect", Verb::disconnect, read_cut},
    VerbInfo{"ping", Verb::ping, read_to},
    VerbInfo{"ready", Verb::ready, read_ready},
    VerbInfo{"put", Verb::put, read_put},
    VerbInfo{"get", Verb::get, read_keyed},
    VerbInfo{"provide", Verb::provide, read_keyed},
    VerbInfo{"find_providers", Verb::find_providers, read_keyed},
    VerbInfo{"find", Verb::find, read_to},
    VerbInfo{"closest", Verb::closest, read_keyed},
    VerbInfo{"subscribe", Verb::subscribe, read_subscription},
    VerbInfo{"unsubscribe", Verb::unsubscribe, read_subscription},
    VerbInfo{"publish", Verb::publish, read_publish},
    VerbInfo{"backfill", Verb::backfill, read_backfill},
    VerbInfo{"partition", Verb::partition, read_partition},
    VerbInfo{"cut", Verb::cut, read_cut},
    VerbInfo{"heal", Verb::heal, read_heal},
    VerbInfo{"kill", Verb::kill, read_who},
    VerbInfo{"restart", Verb::restart, read_restart},
    VerbInfo{"freeze", Verb::freeze, read_who},
    VerbInfo{"thaw", Verb::thaw, read_who},
};

// FNV-1a: any change of the text gives other luck, and the same text the same on every platform.
std::uint64_t hash(std::string_view text) {
  std::uint64_t out = 0xcbf29ce484222325;
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return out;
}

void replace(std::string& text, std::string_view what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

}  // namespace

std::string_view name(Verb verb) { return std::ranges::find(kVerbs, verb, &VerbInfo::verb)->name; }

std::span<const std::pair<std::string_view, Verb>> verbs() {
  static constexpr auto kNames = [] {
    std::array<std::pair<std::string_view, Verb>, kVerbs.size()> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = {kVerbs[i].name, kVerbs[i].verb};
    return out;
  }();
  return kNames;
}

Result<Step> read_step(std::string_view file, const Value& value, const Population& population) {
  const Table* table = value.as<Table>();
  if (!table)
    return fail(Errc::invalid, std::string(file) + ":" + std::to_string(value.line) +
                                   ": step: steps are written [[step]]");
  Step step;
  Fields fields(file, *table, "step", value.line);
  fields.need("at", "at = \"10s\"");
  fields.read("at", step.at);
  fields.need("do", "do = \"put\"");
  fields.choose("do", step.verb, verbs());
  if (!fields.good()) return std::unexpected(fields.done().error());
  const auto info = std::ranges::find(kVerbs, step.verb, &VerbInfo::verb);
  info->read({fields, step, population});
  RETURN_IF_ERROR(fields.done(info->name));
  step.text = to_toml(value);
  Table draws = *table;
  remove_key(draws, "repeat");  // the first of more repetitions are the same
  step.luck = hash(to_toml({std::move(draws), 0}));
  step.line = value.line;
  return step;
}

std::string filled(std::string_view pattern, std::size_t repetition, std::uint64_t drawn,
                   NodeIndex node) {
  std::string out(pattern);
  if (out.find('{') == std::string::npos) return out;
  replace(out, "{n}", std::to_string(repetition));
  replace(out, "{r}", std::to_string(drawn));
  replace(out, "{node}", std::to_string(node));
  return out;
}

}  // namespace kadmesh::kadsim
