/** The little of oidc-provider that the tests use; its own types are a package tree of their own. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  interface Context {
    path: string;
    method: string;
    status: number;
    body: unknown;
    response: { get(name: string): string };
    remove(name: string): void;
    oidc?: { params?: { grant_type?: string; token?: string } };
  }

  export default class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void;
    callback(): RequestListener;
    RefreshToken: { find: (token: string, options?: object) => Promise<unknown> };
  }
}
