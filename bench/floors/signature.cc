// usage: signature [COUNT]
// The floor of a signed GossipSub message: one Ed25519 signature by its author and one verification
// by who takes it, of as many bytes as are signed (the domain and the message without its
// signature), by libsodium, in one memory. CPU of both together, and of the verification alone, by
// the size of the message's data.
#include <sodium.h>

#include <array>
#include <string>
#include <vector>

#include "../measure.h"

namespace kadmesh::bench {
namespace {

// "libp2p-pubsub:", from, seqno, a short topic, and what protobuf puts before each.
constexpr std::size_t kAround = 14 + 40 + 10 + 9 + 3;
constexpr std::array<std::size_t, 3> kSizes{100, 1024, 56'000};

using Secret = std::array<unsigned char, crypto_sign_SECRETKEYBYTES>;
using Public = std::array<unsigned char, crypto_sign_PUBLICKEYBYTES>;
using Signature = std::array<unsigned char, crypto_sign_BYTES>;

struct Costs {
  double sign_us, verify_us;
};

// Each message another one.
Costs costs(const Secret& secret, const Public& author, std::size_t size, std::size_t count) {
  std::vector<unsigned char> message(kAround + size);
  std::vector<Signature> signatures(count);
  const auto number = [&](std::size_t n) { message[0] = n & 0xff, message[1] = n >> 8 & 0xff; };
  const double start = cpu_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    number(i);
    crypto_sign_detached(signatures[i].data(), nullptr, message.data(), message.size(),
                         secret.data());
  }
  const double half = cpu_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    number(i);
    if (crypto_sign_verify_detached(signatures[i].data(), message.data(), message.size(),
                                    author.data()) != 0)
      give_up("it does not verify");
  }
  const double each = 1e6 / static_cast<double>(count);
  return {(half - start) * each, (cpu_seconds() - half) * each};
}

int run(std::size_t count) {
  if (sodium_init() < 0) give_up("libsodium");
  Secret secret;
  Public author;
  crypto_sign_keypair(author.data(), secret.data());
  costs(secret, author, kSizes[1], count / 10 + 1);
  std::array<Costs, kSizes.size()> of{};
  for (std::size_t i = 0; i < kSizes.size(); ++i)
    of[i] = costs(secret, author, kSizes[i], kSizes[i] > 10'000 ? count / 10 + 1 : count);
  print({{"cpu_us_100", of[0].sign_us + of[0].verify_us},
         {"cpu_us_1024", of[1].sign_us + of[1].verify_us},
         {"cpu_us_56000", of[2].sign_us + of[2].verify_us},
         {"verify_us_100", of[0].verify_us},
         {"verify_us_1024", of[1].verify_us},
         {"verify_us_56000", of[2].verify_us}});
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(kadmesh::bench::argument(argc, argv, 1, 10'000));
}
