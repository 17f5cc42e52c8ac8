// The other side of peers.Hashtree: node hashtree.js WHERE NODES. Standard input is 64 bytes a node, then one byte
// for each run asked for; the answer to each is a line: nanoseconds, and the last digest.
"use strict";

const fs = require("node:fs");

const [where, nodes] = [process.argv[2], Number(process.argv[3])];
const { hashInto } = require(require.resolve("@chainsafe/hashtree", { paths: [where] }));

function fill(buffer) {
  for (let at = 0; at < buffer.length; ) {
    const got = fs.readSync(0, buffer, at, buffer.length - at, null);
    if (got === 0) process.exit(0);
    at += got;
  }
}

const input = new Uint8Array(64 * nodes);
const output = new Uint8Array(32 * nodes);
const request = new Uint8Array(1);
fill(input);
for (;;) {
  fill(request);
  const began = process.hrtime.bigint();
  hashInto(input, output);
  const took = process.hrtime.bigint() - began;
  fs.writeSync(1, `${took} ${Buffer.from(output.subarray(-32)).toString("hex")}\n`);
}
