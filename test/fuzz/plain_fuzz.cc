// Handshakes without cryptography that hear bytes nobody made, or honest messages that were
// changed; and transport messages however they are cut, against a naive reader.
// Covers: src/transport/plain.cc src/transport/handshake_message.cc src/transport/noise_frame.cc
#include <algorithm>
#include <optional>

#include "base/check.h"
#include "opened.h"
#include "transport/plain.h"

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
  PlainHandshake dialer{Role::initiator, parties().alice_static, &rng, parties().bob.peer_id()};
  PlainHandshake listener{Role::responder, parties().bob_static, &rng, std::nullopt};
};

// In pieces of `step`; what it has not taken.
ByteView hear(PlainHandshake& end, ByteView wire, std::size_t step) {
  while (!wire.empty() && !end.done()) {
    const auto taken = end.on_bytes(wire.first(std::min(step, wire.size())));
    if (!taken) return {};
    KAD_CHECK(*taken == std::min(step, wire.size()) || end.done());
    wire = wire.subspan(*taken);
  }
  return wire;
}

// Who is believed is whom it says it is, and whom the dialer wanted.
void check_believed(PlainHandshake& end, bool dialer) {
  if (!end.done()) return KAD_CHECK(!end.done());
  const PlainSession session = end.take();
  KAD_CHECK(!end.done());
  KAD_CHECK(session.remote.peer == session.remote.key.peer_id());
  KAD_CHECK(!dialer || session.remote.peer == parties().bob.peer_id());
}

void run_changed(unsigned number, ByteView mask, std::size_t step) {
  Ends ends;
  for (unsigned i = 0; i < 3; ++i) {
    Bytes message = (i == 1 ? ends.listener : ends.dialer).take_output();
    if (i == number)
      for (std::size_t k = 0; k < std::min(message.size(), mask.size()); ++k) message[k] ^= mask[k];
    hear(i == 1 ? ends.dialer : ends.listener, message, step);
  }
  check_believed(ends.dialer, true);
  check_believed(ends.listener, false);
}

void run_noise(unsigned state, ByteView wire, std::size_t step) {
  Ends ends;
  PlainHandshake& end = state == 0 ? ends.dialer : ends.listener;
  if (state == 2) KAD_CHECK(ends.listener.on_bytes(ends.dialer.take_output()));
  hear(end, wire, step);
  check_believed(end, state == 0);
}

Opened naive(ByteView wire) {
  Opened opened;
  while (wire.size() >= 2) {
    const std::size_t size = std::size_t{wire[0]} << 8 | wire[1];
    if (wire.size() < 2 + size) break;
    const ByteView body = wire.subspan(2, size);
    if (size < 16) return opened.error = Errc::malformed, opened;
    if (std::ranges::count(body.last(16), 0) != 16) return opened.error = Errc::auth, opened;
    append(opened.plain, body.first(size - 16));
    wire = wire.subspan(2 + size);
  }
  return opened;
}

// Each byte of the script is a message of so many bytes, or two bytes put in between.
void run_messages(ByteView script, std::size_t step) {
  Bytes wire;
  for (const std::uint8_t op : script) {
    if (op < 240)
      KAD_CHECK(PlainSealer().seal(Bytes(op % 64U * (op / 64U + 1U), op), wire));
    else
      append(wire, Bytes{static_cast<std::uint8_t>(op - 240U), op});
  }
  KAD_CHECK(open_in_pieces(PlainOpener(), wire, step) == naive(wire));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView rest(data + 2, std::min<std::size_t>(size - 2, 4096));
  const std::size_t step = 1U + data[1];
  const unsigned which = data[0] % 7U;
  if (which < 3)
    run_changed(which, rest, step);
  else if (which < 6)
    run_noise(which - 3, rest, step);
  else
    run_messages(rest, step);
  return 0;
}
