// SPDX-License-Identifier: Apache-2.0
// What the built page weighs on the wire: size.mjs DIST. Fails above the budget.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const budget = 150_000;

const [dist] = process.argv.slice(2);
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
const weigh = (file) => {
  const plain = readFileSync(file);
  return Math.min(plain.length, gzipSync(plain, { level: 9 }).length);
};
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
let total = 0;
for (const file of files) {
  const bytes = weigh(file);
  total += bytes;
  console.log(`${kilobytes(bytes).padStart(10)}  ${file.slice(dist.length + 1)}`);
}
console.log(`${kilobytes(total).padStart(10)}  in all, compressed, of ${kilobytes(budget)}`);
if (total > budget) {
  throw new Error(`the page weighs ${total} bytes compressed, at most ${budget}`);
}
