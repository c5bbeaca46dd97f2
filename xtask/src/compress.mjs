// Compresses every file of a folder as a web server would, with Node's own
// zlib, and prints "path<TAB>raw<TAB>brotli<TAB>gzip" (bytes) for each.
// With "--write" the compressed copies are kept beside the files.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder, mode] = process.argv.slice(-2);
const [root, write] = mode === "--write" ? [folder, true] : [mode, false];

const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();

for (const file of files) {
  const raw = readFileSync(file);
  const brotli = brotliCompressSync(raw, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
    },
  });
  const gzip = gzipSync(raw, { level: 9 });
  if (write) {
    writeFileSync(`${file}.br`, brotli);
    writeFileSync(`${file}.gz`, gzip);
  }
  console.log([relative(root, file), raw.length, brotli.length, gzip.length].join("\t"));
}
