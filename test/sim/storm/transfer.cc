#include "sim/storm/transfer.h"

#include <algorithm>

namespace kadmesh {

Transfer::Transfer(World& world, World::Index from, World::Index to, std::size_t size)
    : world_(world), from_(from), to_(to), size_(size) {}

void Transfer::start() {
  world_.command(to_, [](Node& node, Turn turn) { node.serve(turn, kProtocol); });
  world_.start(from_, [&](Node& node, Turn turn, Time deadline) {
    return node.open_stream(turn, world_.peer(to_), {kProtocol}, deadline);
  });
}

void Transfer::on_report(World::Index node, const Report& report) {
  if (const auto* done = std::get_if<OpDone>(&report); done && done->result && node == from_)
    if (const auto* opened = std::get_if<StreamReport>(&*done->result);
        opened && opened->protocol == kProtocol) {
      out_ = opened->key;
      write();
    }
  if (const auto* in = std::get_if<StreamIncoming>(&report); in && node == to_)
    if (in->protocol == kProtocol) in_ = in->key;
  const auto* event = std::get_if<StreamEvent>(&report);
  if (!event) return;
  const StreamKey key = std::visit([](const auto& about) { return about.key; }, *event);
  if (node == from_ && key == out_ && std::holds_alternative<StreamWritable>(*event)) write();
  if (node != to_ || key != in_) return;
  if (std::holds_alternative<StreamReadable>(*event)) read_later();
  if (std::holds_alternative<StreamFinished>(*event)) finished_ = true;
}

void Transfer::write() {
  while (sent_ < size_) {
    Bytes chunk(std::min<std::size_t>(16'000, size_ - sent_));
    for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = byte_at(sent_ + i);
    const std::size_t taken = world_.command(
        from_, [&](Node& node, Turn turn) { return node.write(turn, *out_, chunk); });
    sent_ += taken;
    if (taken < chunk.size()) return;
  }
  if (std::exchange(closed_, true)) return;
  world_.command(from_, [&](Node& node, Turn turn) { node.finish(turn, *out_); });
}

void Transfer::read_later() {
  if (std::exchange(reading_, true)) return;
  world_.at(after(world_.now().mono, kPause), [this] {
    reading_ = false;
    read();
  });
}

void Transfer::read() {
  if (complete() || !world_.up(to_)) return;
  const ByteView there = world_.node(to_).readable(*in_);
  const std::size_t count = std::min(there.size(), kBite);
  for (std::size_t i = 0; i < count; ++i) corrupt_ |= there[i] != byte_at(received_ + i);
  received_ += count;
  if (count < there.size()) read_later();
  world_.command(to_, [&](Node& node, Turn turn) { node.consumed(turn, *in_, count); });
}

}  // namespace kadmesh
