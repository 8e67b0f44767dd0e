// Hashes, signatures, addresses and ids.
#include <openssl/evp.h>
#include <sodium.h>

#include "part.h"

namespace kadmesh::bench {
namespace {

void sha256(benchmark::State& state) {
  const Bytes data = content(state);
  for (auto _ : state) benchmark::DoNotOptimize(kadmesh::sha256(data));
  count_bytes(state);
}
void floor_sha256(benchmark::State& state) {
  const Bytes data = content(state);
  EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  Sha256 out;
  for (auto _ : state) {
    EVP_DigestInit_ex2(context, algorithm, nullptr);
    EVP_DigestUpdate(context, data.data(), data.size());
    EVP_DigestFinal_ex(context, out.data(), nullptr);
    benchmark::DoNotOptimize(out);
  }
  EVP_MD_CTX_free(context);
  EVP_MD_free(algorithm);
  count_bytes(state);
}
BENCHMARK(sha256)->Arg(64)->Arg(1024)->Arg(65536);
BENCHMARK(floor_sha256)->Arg(64)->Arg(1024)->Arg(65536);

struct Signed {
  Signed() { crypto_sign_seed_keypair(share.data(), secret.data(), seed.data()); }
  Ed25519Seed seed{1};
  Ed25519Public share{};
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
  Ed25519Signature signature{};
  Bytes message = content(256);
};

void sign(benchmark::State& state) {
  const KeyPair signer = key(1);
  const Bytes message = content(256);
  for (auto _ : state) benchmark::DoNotOptimize(signer.sign(message));
}
void floor_sign(benchmark::State& state) {
  Signed s;
  for (auto _ : state) {
    crypto_sign_detached(s.signature.data(), nullptr, s.message.data(), s.message.size(),
                         s.secret.data());
    benchmark::DoNotOptimize(s.signature);
  }
}
BENCHMARK(sign);
BENCHMARK(floor_sign);

void verify(benchmark::State& state) {
  const KeyPair signer = key(1);
  const Bytes message = content(256), signature = signer.sign(message);
  for (auto _ : state) need(signer.public_key().verify(message, signature));
}
void floor_verify(benchmark::State& state) {
  Signed s;
  crypto_sign_detached(s.signature.data(), nullptr, s.message.data(), s.message.size(),
                       s.secret.data());
  for (auto _ : state)
    need(crypto_sign_verify_detached(s.signature.data(), s.message.data(), s.message.size(),
                                     s.share.data()) == 0);
}
BENCHMARK(verify);
BENCHMARK(floor_verify);

void multiaddr_parse(benchmark::State& state) {
  const std::string text = addr(1).with_peer(peer(1)).text();
  for (auto _ : state) benchmark::DoNotOptimize(Multiaddr::from_text(text));
}
void multiaddr_read(benchmark::State& state) {
  const Multiaddr given = addr(1).with_peer(peer(1));
  for (auto _ : state) benchmark::DoNotOptimize(Multiaddr::from_bytes(given.bytes()));
}
void multiaddr_print(benchmark::State& state) {
  const Multiaddr given = addr(1).with_peer(peer(1));
  for (auto _ : state) benchmark::DoNotOptimize(given.text());
}
BENCHMARK(multiaddr_parse);
BENCHMARK(multiaddr_read);
BENCHMARK(multiaddr_print);

void peer_id_parse(benchmark::State& state) {
  const std::string text = peer(1).text();
  for (auto _ : state) benchmark::DoNotOptimize(PeerId::from_text(text));
}
void peer_id_print(benchmark::State& state) {
  const PeerId id = peer(1);
  for (auto _ : state) benchmark::DoNotOptimize(id.text());
}
BENCHMARK(peer_id_parse);
BENCHMARK(peer_id_print);

}  // namespace
}  // namespace kadmesh::bench
