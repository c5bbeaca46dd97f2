// Says which functions a WebAssembly module consists of: a sum for each crate,
// then the largest groups of functions that differ only in their types.
// Reads the code section and the name section; "--eval" hands the path last.
import { readFileSync } from "node:fs";

const bytes = readFileSync(process.argv.at(-1));
let at = 8;
const number = () => {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
  }
};
const text = () => {
  const length = number();
  at += length;
  return bytes.toString("utf8", at - length, at);
};
const limits = () => {
  const flags = number();
  number();
  if (flags & 1) number();
};

let imported = 0;
const sizes = [];
const names = new Map();
const sections = new Map();
while (at < bytes.length) {
  const id = bytes[at++];
  const size = number();
  const end = at + size;
  if (id === 2) {
    for (let left = number(); left > 0; left--) {
      text();
      text();
      const kind = bytes[at++];
      if (kind === 0) imported++;
      if (kind === 0) number();
      else if (kind === 1) at++, limits();
      else if (kind === 2) limits();
      else at += 2;
    }
  } else if (id === 10) {
    for (let left = number(); left > 0; left--) {
      const length = number();
      sizes.push(length);
      at += length;
    }
  } else if (id === 0 && text() === "name") {
    while (at < end) {
      const part = bytes[at++];
      const stop = number() + at;
      if (part === 1)
        for (let left = number(); left > 0; left--) {
          const index = number();
          names.set(index, text());
        }
      at = stop;
    }
  }
  sections.set(id, (sections.get(id) ?? 0) + size);
  at = end;
}

const add = (sums, key, size) => {
  const sum = sums.get(key) ?? { size: 0, count: 0 };
  sum.size += size;
  sum.count++;
  sums.set(key, sum);
};
const crates = new Map();
const groups = new Map();
sizes.forEach((size, n) => {
  const name = (names.get(n + imported) ?? "(no name)")
    .replace(/::h[0-9a-f]{16}$/, "")
    .replace(/\[[0-9a-f]{16}\]/g, "");
  const bare = name.replace(/^[<&*()[\] ]*(mut |dyn )?/, "");
  const crate = bare.startsWith("T as ")
    ? /as ([a-z_0-9]+)/.exec(bare)?.[1]
    : /^[A-Za-z_0-9]+/.exec(bare)?.[0];
  add(crates, crate ?? "(other)", size);
  add(groups, name, size);
});
const print = (title, sums, most) => {
  console.log(`\n${"bytes".padStart(9)}  ${"number".padStart(6)}  ${title}`);
  [...sums]
    .sort((a, b) => b[1].size - a[1].size)
    .slice(0, most)
    .forEach(([name, sum]) =>
      console.log(`${String(sum.size).padStart(9)}  ${String(sum.count).padStart(6)}  ${name.slice(0, 140)}`),
    );
};
console.log(`code ${sections.get(10)}, data ${sections.get(11)} bytes; ${sizes.length} functions`);
print("crate", crates, 25);
print("function, all types together", groups, 60);
