// Covers: src/kad/wire.cc
#include "base/check.h"
#include "kad/wire.h"

using namespace kadmesh;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const KadWireLimits limits;
  (void)decode_addrs(bytes);
  const auto message = decode_kad(bytes, limits);
  if (!message) return 0;
  KAD_CHECK(message->closer.size() <= limits.most_closer);
  KAD_CHECK(message->providers.size() <= limits.most_providers);
  const std::size_t of_record = message->record
                                    ? message->record->key.size() + message->record->value.size() +
                                          message->record->time_received.size()
                                    : 0;
  // What we would answer with it keeps its bound, and is read as what we meant.
  const Bytes answer = encode_answer(*message);
  KAD_CHECK(answer.size() <= kMostAnswer + message->key.size() + of_record + 64);
  const auto again = decode_kad(answer, limits);
  KAD_CHECK(again.has_value());
  KAD_CHECK(again->type == message->type && again->key == message->key);
  KAD_CHECK(again->record == message->record);
  KAD_CHECK(again->closer.size() <= message->closer.size());
  KAD_CHECK(encode_answer(*again) == answer);
  KAD_CHECK(name(message->type) != "unknown");
  if (message->record) return 0;
  // A question carries neither contacts nor times.
  const auto asked = decode_kad(encode_request(*message), limits);
  KAD_CHECK(asked && asked->type == message->type && asked->key == message->key);
  return 0;
}
