#include "transport/noise_xx.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "transport/noise_cipher.h"

namespace kadmesh {
namespace {

// One of test/vectors/noise_xx.txt.
struct Vector {
  struct Message {
    Bytes payload, ciphertext;
  };
  std::string name;
  Bytes prologue, init_static, init_ephemeral, resp_static, resp_ephemeral, handshake_hash;
  std::vector<Message> messages;

  Bytes* field(std::string_view key) {
    if (key == "prologue") return &prologue;
    if (key == "init_static") return &init_static;
    if (key == "init_ephemeral") return &init_ephemeral;
    if (key == "resp_static") return &resp_static;
    if (key == "resp_ephemeral") return &resp_ephemeral;
    if (key == "handshake_hash") return &handshake_hash;
    if (key == "payload") return &messages.emplace_back().payload;
    return key == "ciphertext" ? &messages.back().ciphertext : nullptr;
  }
};

std::vector<Vector> published_vectors() {
  std::ifstream file(KADMESH_VECTORS "/noise_xx.txt");
  std::vector<Vector> vectors;
  for (std::string key, value; file >> key;) {
    if (key.starts_with('#')) {
      std::getline(file, value);
    } else if (file >> value; key == "vector") {
      vectors.emplace_back().name = value;
    } else {
      Bytes* field = vectors.at(vectors.size() - 1).field(key);
      REQUIRE(field);
      *field = from_hex(value).value();
    }
  }
  REQUIRE(vectors.size() == 2);
  for (const Vector& v : vectors) REQUIRE(v.messages.size() >= 5);
  return vectors;
}

X25519KeyPair pair_of(const Bytes& secret) {
  X25519Key key{};
  REQUIRE(secret.size() == key.size());
  std::ranges::copy(secret, key.begin());
  return x25519_from_secret(key);
}

struct Ends {
  NoiseXX initiator, responder;
  NoiseXX& writer() { return initiator.our_turn() ? initiator : responder; }
  NoiseXX& reader() { return initiator.our_turn() ? responder : initiator; }
};

Ends ends_of(const Vector& v) {
  return {NoiseXX(Role::initiator, pair_of(v.init_static), pair_of(v.init_ephemeral), v.prologue),
          NoiseXX(Role::responder, pair_of(v.resp_static), pair_of(v.resp_ephemeral), v.prologue)};
}

Ends fresh_ends(std::uint64_t seed = 1) {
  Rng rng(seed);
  return {NoiseXX(Role::initiator, make_x25519(rng), make_x25519(rng)),
          NoiseXX(Role::responder, make_x25519(rng), make_x25519(rng))};
}

// Carries one message across; what the reader made of it.
Result<Bytes> pass(Ends& ends, ByteView payload = {}) {
  NoiseXX& reader = ends.reader();
  Bytes message;
  REQUIRE(ends.writer().write(payload, message));
  return reader.read(message);
}

}  // namespace

TEST_CASE("noise xx: published vectors, every message of both sides") {
  for (const Vector& v : published_vectors()) {
    CAPTURE(v.name);
    Ends ends = ends_of(v);
    for (std::size_t i = 0; i < 3; ++i) {
      NoiseXX& reader = ends.reader();
      Bytes message;
      REQUIRE(ends.writer().write(v.messages[i].payload, message));
      CHECK(to_hex(message) == to_hex(v.messages[i].ciphertext));
      CHECK(reader.read(message) == v.messages[i].payload);
    }
    CHECK(ends.initiator.next() == NoiseXX::Message::done);
    CHECK(ends.initiator.secrets() == ends.responder.secrets());
    CHECK(ends.initiator.handshake_hash() == ends.responder.handshake_hash());
    if (!v.handshake_hash.empty())
      CHECK(to_hex(ends.initiator.handshake_hash()) == to_hex(v.handshake_hash));
  }
}

TEST_CASE("noise xx: published vectors, transport messages") {
  for (const Vector& v : published_vectors()) {
    CAPTURE(v.name);
    Ends ends = ends_of(v);
    for (std::size_t i = 0; i < 3; ++i) REQUIRE(pass(ends, v.messages[i].payload));
    NoiseSealer from_initiator{NoiseKey(ends.initiator.secrets().initiator)};
    NoiseSealer from_responder{NoiseKey(ends.initiator.secrets().responder)};
    for (std::size_t i = 3; i < v.messages.size(); ++i) {
      Bytes out;
      REQUIRE((i % 2 == 0 ? from_initiator : from_responder).seal(v.messages[i].payload, out));
      CHECK(to_hex(ByteView(out).subspan(2)) == to_hex(v.messages[i].ciphertext));
    }
  }
}

TEST_CASE("noise xx: each end learns the other's static key") {
  Rng rng(5);
  const X25519KeyPair ours = make_x25519(rng), theirs = make_x25519(rng);
  Ends ends{NoiseXX(Role::initiator, ours, make_x25519(rng)),
            NoiseXX(Role::responder, theirs, make_x25519(rng))};
  for (int i = 0; i < 3; ++i) REQUIRE(pass(ends));
  CHECK(ends.initiator.remote_static() == theirs.share);
  CHECK(ends.responder.remote_static() == ours.share);
}

TEST_CASE("noise xx: messages without payload have their stated sizes") {
  Ends ends = fresh_ends();
  for (const std::size_t size : {NoiseXX::kFirstSize, NoiseXX::kSecondSize, NoiseXX::kThirdSize}) {
    NoiseXX& reader = ends.reader();
    Bytes message;
    REQUIRE(ends.writer().write({}, message));
    CHECK(message.size() == size);
    REQUIRE(reader.read(message));
  }
}

TEST_CASE("noise xx: prologues that differ do not agree") {
  Rng rng(6);
  Ends ends{NoiseXX(Role::initiator, make_x25519(rng), make_x25519(rng), as_bytes("a")),
            NoiseXX(Role::responder, make_x25519(rng), make_x25519(rng), as_bytes("b"))};
  REQUIRE(pass(ends));
  CHECK(pass(ends) == fail(Errc::auth));
}

TEST_CASE("noise xx: a changed bit anywhere in a message is found by message 3") {
  for (std::size_t message = 0; message < 3; ++message) {
    for (std::size_t at = 0; at < NoiseXX::kSecondSize; ++at) {
      CAPTURE(message);
      CAPTURE(at);
      Ends ends = fresh_ends();
      bool found = false;
      for (std::size_t i = 0; i < 3 && !found; ++i) {
        NoiseXX& reader = ends.reader();
        Bytes bytes;
        REQUIRE(ends.writer().write({}, bytes));
        if (i == message) bytes[at % bytes.size()] ^= 0x40;
        found = !reader.read(bytes);
      }
      CHECK(found);
    }
  }
}

TEST_CASE("noise xx: a cut message is an error in every state") {
  for (std::size_t message = 0; message < 3; ++message) {
    for (std::size_t size = 0; size < NoiseXX::kSecondSize; ++size) {
      Ends ends = fresh_ends();
      for (std::size_t i = 0; i < message; ++i) REQUIRE(pass(ends));
      NoiseXX& reader = ends.reader();
      Bytes bytes;
      REQUIRE(ends.writer().write({}, bytes));
      if (size < bytes.size()) CHECK_FALSE(reader.read(ByteView(bytes).first(size)));
    }
  }
}

TEST_CASE("noise xx: a share of small order is refused") {
  Ends ends = fresh_ends();
  const Bytes zeros(NoiseXX::kFirstSize, 0);
  REQUIRE(ends.responder.read(zeros));
  Bytes out;
  CHECK(ends.responder.write({}, out) == fail(Errc::auth));
  const Bytes answer(NoiseXX::kSecondSize, 0);
  REQUIRE(ends.initiator.write({}, out));
  CHECK(ends.initiator.read(answer) == fail(Errc::auth));
}

TEST_CASE("noise xx: no two sessions share a key") {
  Ends one = fresh_ends(1), other = fresh_ends(2);
  for (int i = 0; i < 3; ++i) REQUIRE((pass(one) && pass(other)));
  const NoiseSecrets &a = one.initiator.secrets(), &b = other.initiator.secrets();
  const std::vector<AeadKey> keys{a.ee, a.es, a.se, a.initiator, a.responder,
                                  b.ee, b.es, b.se, b.initiator, b.responder};
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(std::ranges::count(keys, keys[i]) == 1);
}

}  // namespace kadmesh
