// What a page holds, by the browser's own account, after everything was collected that can be.

/** Garbage is collected so often: what one round lets go of may hold more. */
const ROUNDS = 4;

/**
 * Bytes in use of the JavaScript heap and of the WebAssembly memories, listeners of events and
 * DOM nodes (those too that are in no document) of a page's process.
 */
export async function held(page) {
  const tools = await page.context().newCDPSession(page);
  await tools.send('Performance.enable');
  for (let round = 0; round < ROUNDS; round += 1) {
    await tools.send('HeapProfiler.collectGarbage');
    await new Promise((over) => setTimeout(over, 250));
  }
  const wasm = await wasmMemory(tools);
  const { metrics } = await tools.send('Performance.getMetrics');
  const of = (name) => metrics.find((it) => it.name === name)?.value ?? Number.NaN;
  await tools.detach();
  return { jsHeap: of('JSHeapUsedSize'), wasm, listeners: of('JSEventListeners'), nodes: of('Nodes') };
}

/** Bytes of the WebAssembly memories in the page that `tools` is a session of. */
export async function wasmMemory(tools) {
  const objectGroup = 'wasm';
  const { result } = await tools.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype', objectGroup });
  const { objects } = await tools.send('Runtime.queryObjects', { prototypeObjectId: result.objectId, objectGroup });
  const sum = await tools.send('Runtime.callFunctionOn', {
    objectId: objects.objectId,
    functionDeclaration: 'function () { return this.reduce((sum, it) => sum + it.buffer.byteLength, 0) }',
    returnByValue: true,
  });
  await tools.send('Runtime.releaseObjectGroup', { objectGroup });
  return sum.result.value;
}
