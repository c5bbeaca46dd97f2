/** The headers that a shipped site has. */
import { readFileSync } from 'node:fs';

/** The one list that every configuration is made from, for a site at `path` whose pages talk to `connect`. */
export function shippedHeaders(path: string, connect: string): [name: string, value: string][] {
  return readFileSync(new URL('../../../hosting/headers.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => {
      const [name = '', ...value] = line.split(': ');
      // Below a path the hostname, and what is below it, is somebody else's to bind.
      const theirs = path === '/' ? '' : '; includeSubDomains';
      return [name.toLowerCase(), value.join(': ').replace('{connect}', ` ${connect}`).replace(theirs, '')];
    });
}
