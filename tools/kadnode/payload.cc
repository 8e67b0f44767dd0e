#include "kadnode/payload.h"

#include <fstream>

namespace kadmesh::kadnode {

Result<Bytes> contents(const Payload& payload) {
  if (payload.file.empty()) return payload.bytes;
  std::ifstream in(payload.file, std::ios::binary);
  Bytes bytes(kMostPayloadFile + 1);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in.is_open() || in.bad()) return fail(Errc::io, "cannot read " + payload.file);
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  if (bytes.size() > kMostPayloadFile)
    return fail(Errc::limit, payload.file + " has more than 2 MiB");
  return bytes;
}

Result<void> write_file(const std::string& file, const Bytes& bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? Result<void>() : fail(Errc::io, "cannot write " + file);
}

}  // namespace kadmesh::kadnode
