// Covers: src/replay/capture.cc src/replay/decode.cc src/replay/encode.cc src/replay/output.cc
//
// The first byte says what the rest is: records, each behind two bytes of length, which are put
// into good frames here; changes of a configuration; or changes of a whole file.
#include "base/check.h"
#include "fuzz_input.h"
#include "replay/capture.h"
#include "replay/decode.h"
#include "replay/encode.h"
#include "replay/output.h"

using namespace kadmesh;

namespace {

template <class T>
Bytes encoded(const T& value) {
  Bytes out;
  replay::encode(out, value);
  return out;
}

// What was read is written as it was read, and can be shown.
void check_again(const CaptureRecord& record) {
  const auto* input = std::get_if<CaptureInput>(&record);
  if (!input) return;
  const Bytes bytes = encoded(input->input);
  replay::Decoder in(bytes);
  const auto again = in.value<NodeInput>();
  KAD_CHECK(in.ok() && in.at_end() && encoded(again) == bytes);
  KAD_CHECK(to_text(again) == to_text(input->input));
}

void read(ByteView capture) {
  auto reader = CaptureReader::open(capture);
  if (!reader) return;
  while (const auto record = reader->next()) check_again(*record);
  KAD_CHECK(reader->ending().offset <= capture.size());
  KAD_CHECK(!reader->next());
}

// Where to cut, then bytes to change: where, and by what.
Bytes changed(Bytes bytes, FuzzInput& script) {
  if (const std::size_t cut = script.u16(); cut < bytes.size()) bytes.resize(cut);
  while (!script.empty() && !bytes.empty()) {
    const std::size_t at = script.u16() % bytes.size();
    bytes[at] ^= script.u8();
  }
  return bytes;
}

void read_config(const Bytes& bytes) {
  replay::Decoder in(bytes);
  const auto config = in.value<NodeConfig>();
  if (in.ok())
    KAD_CHECK(equal(encoded(config), ByteView(bytes).first(bytes.size() - in.rest().size())));
}

const CaptureStart& start() {
  static const CaptureStart start{KeyPair::from_seed({}), {}, Now(), NodeConfig()};
  return start;
}

void read_records(FuzzInput& script) {
  CaptureWriter writer;
  Bytes capture;
  writer.start(capture, start());
  while (!script.empty()) writer.frame(capture, script.bytes(script.u16()));
  read(capture);
}

Bytes small_file() {
  CaptureWriter writer;
  Bytes capture;
  writer.start(capture, start());
  writer.outputs(capture, {{{1, 700, {2}}}, true});
  writer.input(capture, {Now(), input::Subscribe{"topic"}});
  writer.input(capture, {Now(), input::Timer{}});
  writer.end(capture, {CaptureEnd::Why::closed});
  return capture;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput script(data, size);
  const std::uint32_t what = script.below(3);
  if (what == 0) read_records(script);
  if (what == 1) read_config(changed(encoded(start().config), script));
  if (what == 2) read(changed(small_file(), script));
  return 0;
}
