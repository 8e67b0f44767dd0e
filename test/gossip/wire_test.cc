#include "gossip/wire.h"

#include "router.h"

namespace kadmesh {
using namespace testing;
using namespace gossip;

namespace {

// Protobuf by hand, for what no honest encoder writes.
Bytes field(std::uint8_t tag, ByteView value) {
  Bytes out{static_cast<std::uint8_t>(tag << 3 | 2)};
  put_frame(out, value);
  return out;
}
Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}
Bytes repeated(const Bytes& part, std::size_t times) {
  Bytes out;
  for (std::size_t i = 0; i < times; ++i) append(out, part);
  return out;
}

Bytes body(const Bytes& framed) {
  ByteView in(framed);
  FrameReader reader(Gossip::most_rpc());
  return reader.next(in).value().value();
}

KeyPair vector_author() {
  const Bytes seed =
      from_hex("7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d").value();
  Ed25519Seed fixed{};
  std::ranges::copy(seed, fixed.begin());
  return KeyPair::from_seed(fixed);
}

GossipMessage vector_message() {
  return {vector_author().peer_id(), text_bytes("hello"), number(1), "test"};
}

Result<void> check_strict(ByteView encoded) {
  return check_signature(decode_message(encoded).value(), SignaturePolicy::strict_sign);
}
// With the signature that fits those bytes, whatever others would sign.
Bytes signed_as_is(const Bytes& part, std::size_t author = 1) {
  Bytes to_sign = text_bytes("libp2p-pubsub:");
  append(to_sign, part);
  return joined({part, field(5, key(author).sign(to_sign))});
}
Result<void> check_anonymous(ByteView encoded) {
  return check_signature(decode_message(encoded).value(), SignaturePolicy::strict_no_sign);
}

}  // namespace

// The key is that of libp2p specs, peer-ids/peer-ids.md; the signature was made by @libp2p/crypto.
TEST_CASE("wire: a signed message has the published bytes") {
  const KeyPair author = vector_author();
  const Bytes encoded = encode_message(vector_message(), &author);
  CHECK(to_hex(encoded) == "0a26" + to_hex(author.peer_id().bytes()) +
                               "120568656c6c6f"
                               "1a080000000000000001"
                               "220474657374"
                               "2a40"
                               "f05e62a21b5f1f89b4ab356feb34c493746a2af8ef2fa03b9fd4956fb40d3c27"
                               "9b1eae5153c6b28dce3b2f9bed546dc1cfd5a71513af0aa38ee38d31675ac30f");
  CHECK(check_strict(encoded));
}

TEST_CASE("wire: an RPC with every field has the bytes of the specification") {
  Rpc rpc;
  rpc.subscriptions = {{true, "a"}, {false, "b"}};
  rpc.graft = {"g"};
  rpc.prune = {{"p", 60}, {"q", std::nullopt}};
  rpc.ihave = {{"h", {{1, 2}}}};
  rpc.iwant = {{3}};
  const auto frames = encode_rpc(rpc);
  REQUIRE(frames.size() == 1);
  CHECK(to_hex(frames[0]) ==
        "2f"
        "0a050801120161"  // subscribe to a
        "0a050800120162"  // leave b
        "1a1f"
        "0a070a016812020102"  // ihave h: 0102
        "12030a0103"          // iwant 03
        "1a030a0167"          // graft g
        "22050a0170183c"      // prune p for 60 s
        "22030a0171");        // prune q, as v1.0 says it
}

TEST_CASE("wire: an RPC read is the RPC written") {
  Rpc rpc;
  const Bytes message = signed_message(1, "data");
  rpc.subscriptions = {{true, "a"}};
  rpc.ihave = {{"h", {{1}, {2}}}};
  rpc.iwant = {{3}, {4}};
  rpc.graft = {"g"};
  rpc.prune = {{"p", 7}};
  rpc.publish = {message};
  const auto frames = encode_rpc(rpc);
  REQUIRE(frames.size() == 2);
  const Bytes first = body(frames[0]), second = body(frames[1]);
  const Rpc control = decode_rpc(first).value(), publish = decode_rpc(second).value();
  CHECK(control.subscriptions[0].topic == "a");
  CHECK(control.ihave[0].ids == rpc.ihave[0].ids);
  CHECK(control.iwant == rpc.iwant);
  CHECK(control.graft == rpc.graft);
  CHECK(control.prune[0].backoff == 7);
  REQUIRE(publish.publish.size() == 1);
  CHECK(equal(publish.publish[0], message));
}

TEST_CASE("wire: an RPC of one message is told from every other") {
  const Bytes message = signed_message(1, "data");
  const Bytes alone = body(message_frame(message));
  REQUIRE(only_message(alone));
  CHECK(equal(*only_message(alone), message));
  Bytes two = alone;
  append(two, alone);
  CHECK_FALSE(only_message(two));
  CHECK_FALSE(only_message(ByteView(alone).first(alone.size() - 1)));
  CHECK_FALSE(only_message({}));
  Rpc wants;
  wants.iwant = {{3}};
  CHECK_FALSE(only_message(body(encode_rpc(wants)[0])));
  const Bytes most = message_frame(Bytes(kMostRpc - 4));
  CHECK(only_message(ByteView(most).last(kMostRpc)));
  const Bytes more = message_frame(Bytes(kMostRpc - 3));
  CHECK_FALSE(only_message(ByteView(more).last(kMostRpc + 1)));
}

TEST_CASE("wire: control and subscriptions are split below rust's 16 KiB, and nothing is lost") {
  Rpc rpc;
  for (int i = 0; i < 300; ++i) rpc.subscriptions.push_back({true, std::string(200, 't')});
  rpc.ihave.push_back({"h", std::vector<MessageId>(2'000, MessageId(46))});
  rpc.iwant = std::vector<MessageId>(1'000, MessageId(250));
  Told told;
  for (const Bytes& framed : encode_rpc(rpc)) {
    CHECK(framed.size() <= 16 * 1024);
    const Bytes one = body(framed);
    take(told, decode_rpc(one).value());
  }
  std::size_t ids = 0;
  for (const IHave& have : told.ihave) ids += have.ids.size();
  CHECK(told.subscriptions.size() == 300);
  CHECK(ids == 2'000);
  CHECK(told.iwant.size() == 1'000);
}

TEST_CASE("wire: ten RPCs, which is what peers take in a heartbeat, tell of 3000 messages of go") {
  Rpc rpc;
  rpc.ihave.push_back({"h", std::vector<MessageId>(3'000, MessageId(46))});
  CHECK(encode_rpc(rpc).size() <= 10);
}

TEST_CASE("wire: what has no usable topic or id is left out, and the rest is taken") {
  const Bytes nameless = field(1, from_hex("0801").value());
  const Bytes long_name = field(1, joined({{0x08, 0x01}, field(2, Bytes(kMostTopicName + 1))}));
  const Bytes good = field(1, joined({{0x08, 0x01}, field(2, text_bytes("ok"))}));
  const Bytes wants =
      field(3, field(2, joined({field(1, Bytes(kMostIdSize + 1)), field(1, {{7}})})));
  const Bytes rpc = joined({nameless, long_name, good, wants});
  const Rpc read = decode_rpc(rpc).value();
  REQUIRE(read.subscriptions.size() == 1);
  CHECK(read.subscriptions[0].topic == "ok");
  REQUIRE(read.iwant.size() == 1);
  CHECK(read.iwant[0] == MessageId{7});
}

TEST_CASE("wire: extensions that nobody has thought of yet are passed over") {
  const Bytes later = field(3, joined({field(6, field(15, text_bytes("new"))), field(9, {})}));
  const Rpc read = decode_rpc(joined({later, field(14, text_bytes("newer"))})).value();
  REQUIRE(read.extensions.has_value());
  CHECK_FALSE(read.extensions->partial_messages);
}

TEST_CASE("wire: IDONTWANT, extensions, exchanged peers and parts are read as they were written") {
  Rpc rpc;
  rpc.extensions = Extensions{.partial_messages = true};
  rpc.subscriptions = {{true, "t", {.requests = true, .supports = true}}};
  rpc.prune = {{"p", 60, {{id(1), {1, 2, 3}}, {id(2), {}}}}};
  rpc.idontwant = {{1}, {2}};
  rpc.partial = PartialMessage{"t", {7}, {8}, {9}};
  const auto frames = encode_rpc(rpc);
  REQUIRE(frames.size() == 3);
  const Rpc first = decode_rpc(body(frames[0])).value();
  CHECK(first.extensions->partial_messages);
  CHECK(first.subscriptions[0].partial == PartialUse{true, true});
  REQUIRE(first.prune[0].peers.size() == 2);
  CHECK(first.prune[0].peers[0].peer == id(1));
  CHECK(first.prune[0].peers[0].record == Bytes{1, 2, 3});
  CHECK(first.prune[0].peers[1].record.empty());
  CHECK(decode_rpc(body(frames[1])).value().idontwant == rpc.idontwant);
  const auto partial = decode_rpc(body(frames[2])).value().partial;
  REQUIRE(partial.has_value());
  CHECK(partial->group == Bytes{7});
  CHECK(partial->message == Bytes{8});
  CHECK(partial->metadata == Bytes{9});
}

TEST_CASE("wire: the fields of v1.2, v1.3 and partial messages have go's numbers") {
  Rpc rpc;
  rpc.extensions = Extensions{.partial_messages = true};
  rpc.subscriptions = {{true, "t", {.requests = true, .supports = true}}};
  CHECK(to_hex(encode_rpc(rpc)[0]) ==
        "11"
        "0a09080112017418012001"  // subscribe to t, requests and supports parts
        "1a0432025001");          // extensions: partial messages
  CHECK(to_hex(idontwant_frame({7, 8})) ==
        "08"
        "1a06"
        "2a04"
        "0a020708");
  Rpc parts;
  parts.partial = PartialMessage{"t", {7}, {8}, {9}};
  CHECK(to_hex(encode_rpc(parts)[0]) ==
        "0e"
        "520c"
        "0a0174"
        "120107"
        "1a0108"
        "220109");
}

TEST_CASE("wire: an RPC has ten ids of IDONTWANT at most") {
  Rpc rpc;
  for (std::uint8_t n = 0; n < 25; ++n) rpc.idontwant.push_back({n});
  const auto frames = encode_rpc(rpc);
  REQUIRE(frames.size() == 3);
  CHECK(decode_rpc(body(frames[0])).value().idontwant.size() == 10);
  CHECK(decode_rpc(body(frames[2])).value().idontwant.size() == 5);
}

TEST_CASE("wire: IDONTWANT of one message has the bytes that it would have among others") {
  for (const std::size_t size : {1U, 46U, 127U, 128U, 200U}) {
    Rpc rpc;
    rpc.idontwant = {MessageId(size, 7)};
    CHECK(idontwant_frame(rpc.idontwant[0]) == encode_rpc(rpc)[0]);
  }
}

TEST_CASE("wire: a message's views point into its bytes") {
  const Bytes encoded = signed_message(1, "some data");
  const SignedMessage message = decode_message(encoded).value();
  CHECK(as_text(message.data) == "some data");
  CHECK(message.data.data() > encoded.data());
  CHECK(message.data.data() < encoded.data() + encoded.size());
  CHECK(message.from == id(1));
  CHECK(message.topic == "t");
}

TEST_CASE("wire: a message without a topic or with an author that is no peer id is malformed") {
  CHECK(decode_message(field(2, text_bytes("data"))) == fail(Errc::malformed));
  CHECK(decode_message(joined({field(1, text_bytes("me")), field(4, text_bytes("t"))})) ==
        fail(Errc::malformed));
  CHECK(decode_message(from_hex("0a").value()) == fail(Errc::malformed));
  CHECK(decode_message(repeated({0x38, 0x00}, kMostMessageFields + 1)) == fail(Errc::limit));
}

TEST_CASE("wire: every byte of a signed message is signed") {
  const Bytes good = signed_message(1, "data");
  REQUIRE(check_strict(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x01;
    CAPTURE(i);
    const auto message = decode_message(bad);
    if (message) CHECK_FALSE(check_signature(*message, SignaturePolicy::strict_sign));
  }
}

TEST_CASE("wire: fields that we do not know are signed with the rest, as go signs them") {
  const Bytes unknown = field(9, text_bytes("later"));
  Bytes unsigned_part = joined({field(1, id(1).bytes()), field(2, text_bytes("d")),
                                field(3, number(1)), field(4, text_bytes("t")), unknown});
  Bytes to_sign = text_bytes("libp2p-pubsub:");
  append(to_sign, unsigned_part);
  const Bytes signature = field(5, key(1).sign(to_sign));
  CHECK(check_strict(joined({unsigned_part, signature})));
  Bytes added = signed_message(1, "d");
  append(added, unknown);
  CHECK(check_strict(added) == fail(Errc::auth));
}

// go resets the stream on which such a message comes, and its forwarder's it would be.
TEST_CASE("wire: a known field that is no bytes field is malformed, signed or not") {
  for (std::uint8_t number = 1; number <= 6; ++number) {
    CAPTURE(number);
    Bytes odd = signed_message(1, "d");
    append(odd, Bytes{static_cast<std::uint8_t>(number << 3), 0x01});
    CHECK(decode_message(odd) == fail(Errc::malformed));
  }
}

// Others encode what they decoded, and verify the signature over that; whoever forwards a message
// that then fails is blamed for it.
TEST_CASE("wire: a message that is signed in a form which nobody else would verify is refused") {
  const Bytes from = field(1, id(1).bytes()), data = field(2, text_bytes("d"));
  const Bytes seqno = field(3, number(1)), topic = field(4, text_bytes("t"));
  const Bytes later = field(9, text_bytes("later"));
  const Bytes long_length{0x12, 0x81, 0x00, 'd'}, long_tag{0x92, 0x00, 0x01, 'd'};
  CHECK(check_strict(signed_as_is(joined({from, data, seqno, topic, later}))));
  for (const Bytes& part :
       {joined({data, from, seqno, topic}), joined({from, data, topic, seqno}),
        joined({from, field(2, text_bytes("x")), data, seqno, topic}),
        joined({later, from, data, seqno, topic}), joined({from, long_length, seqno, topic}),
        joined({from, long_tag, seqno, topic})})
    CHECK(check_strict(signed_as_is(part)) == fail(Errc::protocol));
}

// Nothing signs the key, so anybody on the way can add one.
TEST_CASE("wire: a key that is there and empty is refused, as others refuse it") {
  CHECK(check_strict(joined({signed_message(1, "d"), field(6, {})})) == fail(Errc::protocol));
}

TEST_CASE("wire: a message whose author left data out is verified as it came") {
  const Bytes unsigned_part =
      joined({field(1, id(1).bytes()), field(3, number(1)), field(4, text_bytes("t"))});
  Bytes to_sign = text_bytes("libp2p-pubsub:");
  append(to_sign, unsigned_part);
  CHECK(check_strict(joined({unsigned_part, field(5, key(1).sign(to_sign))})));
}

TEST_CASE("wire: StrictSign demands an author, a signature and eight bytes of number") {
  const GossipMessage anonymous{std::nullopt, text_bytes("d"), {}, "t"};
  CHECK(check_strict(encode_message(anonymous, nullptr)) == fail(Errc::protocol));
  const GossipMessage short_number{id(1), text_bytes("d"), {1}, "t"};
  CHECK(check_strict(encode_message(short_number, &key(1))) == fail(Errc::protocol));
}

TEST_CASE("wire: StrictNoSign takes a message without any trace of its author, and no other") {
  const Bytes anonymous = encode_message({std::nullopt, text_bytes("d"), {}, "t"}, nullptr);
  CHECK(to_hex(anonymous) == "120164220174");
  CHECK(check_anonymous(anonymous));
  for (const Bytes& trace :
       {field(1, id(1).bytes()), field(3, number(1)), field(5, {{1}}), field(6, {{1}})})
    CHECK(check_anonymous(joined({anonymous, trace})) == fail(Errc::protocol));
}

TEST_CASE("H42: the key beside a message must be its author's") {
  const GossipMessage message{id(1), text_bytes("d"), number(1), "t"};
  // Signed by 2 in the name of 1, with 2's own key beside it.
  const Bytes forged =
      joined({encode_message(message, &key(2)), field(6, key(2).public_key().proto())});
  CHECK(check_strict(forged) == fail(Errc::auth));
  const Bytes honest =
      joined({encode_message(message, &key(1)), field(6, key(1).public_key().proto())});
  CHECK(check_strict(honest));
}

TEST_CASE("H35: a frame of empty SUBSCRIBEs is refused before it is decoded") {
  const Bytes empty{0x0a, 0x00};
  CHECK(decode_rpc(repeated(empty, kMostSubOpts)));
  CHECK(decode_rpc(repeated(empty, kMostSubOpts + 1)) == fail(Errc::limit));
  CHECK(decode_rpc(repeated(empty, 500'000)) == fail(Errc::limit));
}

TEST_CASE("H36: every list of control has a bound that is checked before it is decoded") {
  for (std::uint8_t kind = 1; kind <= 5; ++kind) {
    CAPTURE(kind);
    const Bytes one = field(kind, {});
    CHECK(decode_rpc(field(3, repeated(one, kMostControls))));
    CHECK(decode_rpc(field(3, repeated(one, kMostControls + 1))) == fail(Errc::limit));
  }
  const Bytes id_of_have = field(2, {{1}}), id_of_want = field(1, {{1}});
  CHECK(decode_rpc(field(3, field(1, repeated(id_of_have, kMostIds)))));
  CHECK(decode_rpc(field(3, field(1, repeated(id_of_have, kMostIds + 1)))) == fail(Errc::limit));
  CHECK(decode_rpc(field(3, field(2, repeated(id_of_want, kMostIds + 1)))) == fail(Errc::limit));
  CHECK(decode_rpc(field(3, field(5, repeated(id_of_want, kMostIds + 1)))) == fail(Errc::limit));
}

TEST_CASE("H36: all elements together have a bound, and so have the bytes") {
  const Bytes full = field(1, repeated(field(2, {{1}}), kMostIds));
  CHECK(decode_rpc(field(3, repeated(full, 4))));
  CHECK(decode_rpc(field(3, repeated(full, 5))) == fail(Errc::limit));
  CHECK(decode_rpc(repeated(field(2, {}), kMostPublishes + 1)) == fail(Errc::limit));
  CHECK(decode_rpc(field(2, Bytes(kMostRpc))) == fail(Errc::limit));
}

}  // namespace kadmesh
