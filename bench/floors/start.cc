// usage: start DATABASE
// The floor of starting: a program that links what kadmesh links, opens a database and is there.
#include <google/protobuf/stubs/common.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <sqlite3.h>

#include <cstdio>
#include <thread>

#include "../measure.h"

int main(int argc, char** argv) {
  using kadmesh::bench::give_up;
  if (argc < 2) give_up("usage: start DATABASE");
  GOOGLE_PROTOBUF_VERIFY_VERSION;
  if (sodium_init() < 0 || OpenSSL_version_num() == 0) give_up("crypto");
  sqlite3* database = nullptr;
  if (sqlite3_open(argv[1], &database) != SQLITE_OK) give_up("open");
  // Makes SQLite look at the file; writing to the disk would be no floor.
  if (sqlite3_exec(database, "PRAGMA user_version", nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up("read");
  std::jthread([] {}).join();
  std::printf("there\n");
  std::fflush(stdout);
  std::getchar();
  sqlite3_close(database);
  return 0;
}
