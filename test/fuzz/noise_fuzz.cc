// A handshake of two honest ends whose messages are changed on the way, ends that hear nothing but
// noise, and authentic messages with a payload of the fuzzer's: nobody is let in who should not be.
// Covers: src/transport/noise.cc src/transport/noise_payload.cc src/transport/noise_xx.cc
#include <algorithm>
#include <optional>

#include "base/check.h"
#include "transport/noise.h"

using namespace kadmesh;

namespace {

struct Parties {
  Rng rng{1};
  KeyPair alice = KeyPair::make(rng), bob = KeyPair::make(rng);
  NoiseStatic alice_static = make_noise_static(rng, alice, {});
  NoiseStatic bob_static = make_noise_static(rng, bob, {});
};

const Parties& parties() {
  static const Parties made;
  return made;
}

struct Ends {
  Rng rng{2};
  NoiseHandshake dialer{Role::initiator, parties().alice_static, rng, parties().bob.peer_id()};
  NoiseHandshake listener{Role::responder, parties().bob_static, rng, std::nullopt};
};

// In pieces of `step`; false when the handshake refused them.
bool hear(NoiseHandshake& end, ByteView wire, std::size_t step) {
  while (!wire.empty()) {
    const ByteView piece = wire.first(std::min(step, wire.size()));
    const auto taken = end.on_bytes(piece);
    if (!taken) return false;
    KAD_CHECK(*taken == piece.size() || end.done());
    wire = wire.subspan(piece.size());
  }
  return true;
}

// Whether a message reached its end changed; `mask` is laid over message `number`.
bool mask_message(Bytes& message, ByteView mask) {
  bool changed = false;
  for (std::size_t i = 0; i < std::min(message.size(), mask.size()); ++i) {
    message[i] ^= mask[i];
    changed |= mask[i] != 0;
  }
  return changed;
}

// Both ends finish exactly when nothing was changed.
void run_changed(unsigned number, ByteView mask, std::size_t step) {
  Ends ends;
  bool changed = false, alive = true;
  for (unsigned i = 0; i < 3 && alive; ++i) {
    Bytes message = (i == 1 ? ends.listener : ends.dialer).take_output();
    if (i == number) changed = mask_message(message, mask);
    alive = hear(i == 1 ? ends.dialer : ends.listener, message, step);
  }
  KAD_CHECK((ends.dialer.done() && ends.listener.done()) == !changed);
  KAD_CHECK(!changed || !ends.listener.done());
}

// An end in each of its states hears bytes that nobody made.
void run_noise(unsigned state, ByteView wire, std::size_t step) {
  Ends ends;
  NoiseHandshake& end = state == 0 ? ends.dialer : ends.listener;
  if (state == 2) KAD_CHECK(ends.listener.on_bytes(ends.dialer.take_output()));
  hear(end, wire, step);
  KAD_CHECK(!end.done());
}

// Under the static key of the published signature (see noise_test.cc), so that the corpus can hold
// a payload that passes.
void run_payload(ByteView payload) {
  X25519Key static_key{};
  for (std::size_t i = 0; i < static_key.size(); ++i)
    static_key[i] = static_cast<std::uint8_t>(i + 1);
  const auto identity = check_noise_payload(payload, static_key, std::nullopt);
  if (!identity) return;
  KAD_CHECK(identity->peer == identity->key.peer_id());
  KAD_CHECK(identity->muxers.size() <= kMostEarlyMuxers);
  KAD_CHECK(!check_noise_payload(payload, static_key, parties().bob.peer_id()));
  ++static_key[0];
  KAD_CHECK(!check_noise_payload(payload, static_key, std::nullopt));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView rest(data + 2, size - 2);
  const std::size_t step = 1U + data[1];
  const unsigned which = data[0] % 7U;
  if (which < 3)
    run_changed(which, rest, step);
  else if (which < 6)
    run_noise(which - 3, rest, step);
  else
    run_payload(rest);
  return 0;
}
