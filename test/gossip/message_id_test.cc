#include "router.h"
#include "vectors/spec_keys.h"

namespace kadmesh {
using namespace testing;

namespace {

// of author 1, numbered 258
MessageView numbered(const Bytes& seqno) { return {id(1), {}, seqno, {}, "t"}; }
const Bytes k258{0, 0, 0, 0, 0, 0, 1, 2};

std::string text_of(const MessageId& id) { return std::string(as_text(id)); }

}  // namespace

// go-libp2p-pubsub, DefaultMsgIdFn
TEST_CASE("message id: go's is the author's bytes and the number's") {
  CHECK(to_hex(go_message_id(numbered(k258))) == to_hex(id(1).bytes()) + "0000000000000102");
  CHECK(go_message_id({std::nullopt, {}, {}, {}, "t"}).empty());
}

// rust-libp2p, gossipsub config.rs: an absent author is the id 00 01 00, an absent number 0
TEST_CASE("message id: rust's is the author's base58 and the number in decimal") {
  CHECK(text_of(rust_message_id(numbered(k258))) == id(1).text() + "258");
  CHECK(text_of(rust_message_id({std::nullopt, {}, {}, {}, "t"})) == "15R0");
  const Bytes largest(8, 0xff);
  CHECK(text_of(rust_message_id(numbered(largest))) == id(1).text() + "18446744073709551615");
}

// js-libp2p, gossipsub msgIdFnStrictSign: from.publicKey ?? key
TEST_CASE("message id: js's is the author's key protobuf and the number's bytes") {
  const std::string wanted = to_hex(key(1).public_key().proto()) + "0000000000000102";
  CHECK(to_hex(js_message_id(numbered(k258))) == wanted);
  MessageView with_other_key = numbered(k258);
  with_other_key.key = key(2).public_key().proto();
  CHECK(to_hex(js_message_id(with_other_key)) == wanted);
}

TEST_CASE("message id: of an author whose id is a hash, js takes the key beside the message") {
  const Bytes rsa = from_hex(spec_keys::kRsaPublic).value();
  const MessageView message{PeerId::of_key(rsa), {}, k258, rsa, "t"};
  CHECK(to_hex(js_message_id(message)) == to_hex(rsa) + "0000000000000102");
}

TEST_CASE("message id: sha256 is of the data alone") {
  const Bytes data = text_bytes("abc");
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(to_hex(sha256_message_id({id(1), data, k258, {}, "t"})) == abc);
  CHECK(to_hex(sha256_message_id({std::nullopt, data, {}, {}, "u"})) == abc);
}

}  // namespace kadmesh
