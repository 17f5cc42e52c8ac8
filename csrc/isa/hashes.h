/* Every hash body, on the V32_ and V64_ macros of the file that includes this. */
#include "lanes.h"

#include "../hash/blake2b.h"
#include "../hash/blake3.h"
#include "../hash/keccak.h"
#include "../hash/sha256.h"
#include "../hash/sha512.h"
#include "../hash/sm3.h"
