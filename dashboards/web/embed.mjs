// SPDX-License-Identifier: Apache-2.0
// Turns the built page into a C file: embed.mjs DIST OUT.c. Each file as it is, and compressed where that is smaller.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const types = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

function filesUnder(folder, prefix = "") {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory()
        ? filesUnder(join(folder, entry.name), `${prefix}${entry.name}/`)
        : [`${prefix}${entry.name}`],
    );
}

function bytesOf(name, bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 24) {
    lines.push(`    ${[...bytes.subarray(i, i + 24)].join(",")},`);
  }
  return `static const unsigned char ${name}[] = {\n${lines.join("\n")}\n};\n`;
}

function assetOf(dist, file, index) {
  const plain = readFileSync(join(dist, file));
  const zipped = gzipSync(plain, { level: 9 });
  const type = types[file.split(".").pop()];
  if (type === undefined) {
    throw new Error(`${file}: no media type is known for this kind of file`);
  }
  const smaller = zipped.length < plain.length;
  const tag = createHash("sha256").update(plain).digest("hex").slice(0, 32);
  const path = file === "index.html" ? "/" : `/${file}`;
  const slice = (name) => `{(const char *)${name}, sizeof ${name}}`;
  return {
    bytes: bytesOf(`plain_${index}`, plain) + (smaller ? bytesOf(`gzip_${index}`, zipped) : ""),
    row:
      `    {{${JSON.stringify(path)}, ${path.length}}, ${JSON.stringify(type)}, "\\"${tag}\\"", ` +
      `${file.startsWith("assets/")}, ${slice(`plain_${index}`)}, ` +
      `${smaller ? slice(`gzip_${index}`) : "{0, 0}"}},`,
  };
}

const [dist, out] = process.argv.slice(2);
const assets = filesUnder(dist).map((file, index) => assetOf(dist, file, index));
writeFileSync(
  out,
  `/* Made by dashboards/web/embed.mjs from the built page. */
#include "console/assets.h"

${assets.map((asset) => asset.bytes).join("\n")}
const struct iv_asset iv_assets[] = {
${assets.map((asset) => asset.row).join("\n")}
};
const unsigned long iv_assets_count = sizeof iv_assets / sizeof iv_assets[0];
`,
);
