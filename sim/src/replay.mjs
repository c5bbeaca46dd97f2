/**
 * Makes runs again in the simulation compiled to WebAssembly (`sim/wasm`), for
 * `sim/src/wasm.rs`. The module is named by the only argument. Each line of the input
 * is the place of a planted bug and a seed, each of the output what the run comes to.
 */
import { readFileSync } from 'node:fs';

const module = new WebAssembly.Module(readFileSync(process.argv[1]));
const imports = WebAssembly.Module.imports(module);
// What it cannot call cannot make two runs differ.
if (imports.length > 0) throw new Error(`the module imports ${imports.map((it) => `${it.module}.${it.name}`).join(', ')}`);

const start = () => new WebAssembly.Instance(module).exports.imprint_of;
let imprintOf = start();
const answers = readFileSync(0, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [bug, seed] = line.split(' ');
    try {
      return BigInt.asUintN(64, imprintOf(Number(bug), BigInt(seed))).toString(16).padStart(16, '0');
    } catch (error) {
      // What has trapped is not used again.
      imprintOf = start();
      return `trap: ${error.message}`;
    }
  });
process.stdout.write(`${answers.join('\n')}\n`);
