// usage: pipe [BYTES]
// The floor of a stream: ChaCha20-Poly1305 over loopback TCP, 65,519 bytes a message, from one
// process to another. Blocking calls, buffers made once, one copy by the kernel on each side.
#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <vector>

#include "sockets.h"

namespace kadmesh::bench {
namespace {

constexpr std::size_t kPlain = 65'519;
constexpr std::size_t kTag = 16;
constexpr std::size_t kPrefix = 2;
constexpr std::size_t kMessage = kPrefix + kPlain + kTag;

class Cipher {
 public:
  explicit Cipher(bool seals) : context_(EVP_CIPHER_CTX_new()), seals_(seals) {
    EVP_CIPHER* algorithm = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
    EVP_CipherInit_ex2(context_, algorithm, key_.data(), nullptr, seals_, nullptr);
  }

  void seal(const unsigned char* plain, unsigned char* out) {
    start();
    update(plain, kPlain, out);
    finish();
    EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, kTag, out + kPlain);
  }

  void open(unsigned char* sealed) {
    start();
    EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, kTag, sealed + kPlain);
    update(sealed, kPlain, sealed);
    finish();
  }

 private:
  void start() {
    std::array<unsigned char, 12> nonce{};
    std::memcpy(nonce.data() + 4, &count_, sizeof count_);
    ++count_;
    EVP_CipherInit_ex2(context_, nullptr, nullptr, nonce.data(), seals_, nullptr);
  }
  void update(const unsigned char* in, std::size_t size, unsigned char* out) {
    int written = 0;
    if (EVP_CipherUpdate(context_, out, &written, in, static_cast<int>(size)) != 1)
      give_up("cipher");
  }
  void finish() {
    int written = 0;
    unsigned char none = 0;
    if (EVP_CipherFinal_ex(context_, &none, &written) != 1) give_up("the tag is wrong");
  }

  EVP_CIPHER_CTX* context_;
  std::array<unsigned char, 32> key_{1, 2, 3};
  std::uint64_t count_ = 0;
  int seals_;
};

void serve(const OtherSide::Say& say) {
  const Listener listener = listen_anywhere();
  say(std::to_string(listener.port));
  const int socket = accept_one(listener.socket);
  Cipher cipher(false);
  std::vector<unsigned char> message(kMessage);
  std::uint64_t count = 0;
  while (read_whole(socket, message.data(), kMessage)) {
    cipher.open(message.data() + kPrefix);
    count += kPlain;
  }
  say(std::to_string(count));
  pause();  // alive, so that its time can be read
}

int run(std::size_t bytes) {
  OtherSide other(serve, Seats::apart);
  const int socket = connect_to(std::stoi(other.line()));
  Cipher cipher(true);
  const std::vector<unsigned char> plain(kPlain, 0x5a);
  std::vector<unsigned char> message(kMessage);
  const std::size_t messages = (bytes + kPlain - 1) / kPlain;
  const Stopwatch watch(other);
  for (std::size_t i = 0; i < messages; ++i) {
    message[0] = message[1] = 0xff;
    cipher.seal(plain.data(), message.data() + kPrefix);
    write_whole(socket, message.data(), kMessage);
  }
  close(socket);
  if (other.line() != std::to_string(messages * kPlain)) give_up("bytes were lost");
  print_transfer(watch, messages * kPlain);
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(kadmesh::bench::argument(argc, argv, 1, 1'000'000'000));
}
