// What OpenZeppelin's library makes of lists of leaves: node openzeppelin.js WHERE. Standard input is JSON,
// [{"kind": "simple" or "standard", "leaves": [hex, ...], "sort": bool}, ...]; the answer, of each its root, and of
// each leaf its index and its proof. Standard leaves are of the ABI type bytes.
"use strict";

const fs = require("node:fs");

const where = require.resolve("@openzeppelin/merkle-tree", { paths: [process.argv[2]] });
const { SimpleMerkleTree, StandardMerkleTree } = require(where);

const answers = JSON.parse(fs.readFileSync(0, "utf8")).map(({ kind, leaves, sort }) => {
  const options = { sortLeaves: sort };
  const tree =
    kind === "simple"
      ? SimpleMerkleTree.of(leaves, options)
      : StandardMerkleTree.of(
          leaves.map((leaf) => [leaf]),
          ["bytes"],
          options,
        );
  const { values } = tree.dump();
  return {
    root: tree.root,
    indices: values.map(({ treeIndex }) => 2 * leaves.length - 2 - treeIndex),
    proofs: values.map((_, i) => tree.getProof(i)),
  };
});
fs.writeSync(1, JSON.stringify(answers));
