/**
 * A sign-in provider that is not ours: oidc-provider, which is certified by the
 * OpenID Foundation. What it thinks of our requests is independent of what we
 * think of them.
 */
import { createServer, type Server } from 'node:http';
import Provider, { type Context } from 'oidc-provider';

export const CLIENT = 'retake-e2e';

/** How many seconds tokens live. */
export interface Lifetimes {
  access: number;
  /** From the sign-in on; rotation does not extend it. */
  refresh: number;
}

/** A request to the token endpoint and its answer. */
export interface Grant {
  grant_type: string;
  status: number;
  /** When it came and when it was answered, in milliseconds since 1970. */
  at: number;
  until: number;
  /** The refresh token that was used, and the one that was given. */
  used?: string | undefined;
  given?: string | undefined;
  /** What was wrong, in the provider's words for its own log. */
  why?: string | undefined;
}

export interface Running {
  issuer: string;
  /** What the token endpoint was asked, newest last. */
  grants: Grant[];
  /** The tokens that it gave, newest last. */
  given: { access_token: string; refresh_token: string }[];
  /** What the revocation endpoint was asked, newest last. */
  revocations: { token: string | undefined; status: number }[];
  /** Answers of the token endpoint take this long, and revocations until they are acted on, in milliseconds. */
  slow: { ms: number; revocationMs: number };
  /**
   * The next answer to the site stays here: the browser shows a page of the
   * provider instead, and the address that it was to go to comes back.
   */
  holdNextAnswer(): () => Promise<URL>;
  close(): Promise<void>;
}

/** Starts a provider on `port` for the site at `site`. */
export async function startProvider(site: string, port: number, live: Lifetimes): Promise<Running> {
  const server: Server = createServer();
  await new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
  const issuer = `http://localhost:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
        response_types: ['code'],
        redirect_uris: [`${site}/callback`],
        post_logout_redirect_uris: [`${site}/sign-in`],
      },
    ],
    pkce: { required: () => true, methods: ['S256'] },
    clientBasedCORS: () => true,
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    scopes: ['openid', 'offline_access', 'profile', 'email'],
    ttl: {
      AccessToken: live.access,
      IdToken: live.access,
      RefreshToken: (context: Context) => context.oidc?.entities?.RotatedRefreshToken?.remainingTTL ?? live.refresh,
      Grant: 86_400,
      Session: 86_400,
      Interaction: 600,
    },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    cookies: { keys: ['for tests only'] },
    findAccount: async (_context: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, email: `${id}@example.com` }) }),
  });
  const grants: Running['grants'] = [];
  const given: Running['given'] = [];
  const revocations: Running['revocations'] = [];
  const reasons = new WeakMap<Context, string>();
  provider.on('grant.error', (context, error) => reasons.set(context, error.error_detail ?? error.message));
  const slow = { ms: 0, revocationMs: 0 };
  let hold: ((url: URL) => void) | undefined;
  provider.use(async (context, next) => {
    const at = Date.now();
    if (slow.revocationMs && context.path === '/token/revocation') await new Promise((done) => setTimeout(done, slow.revocationMs));
    await next();
    const location = context.response.get('location');
    if (hold && location.startsWith(`${site}/callback`)) {
      hold(new URL(location));
      hold = undefined;
      context.remove('location');
      context.status = 200;
      context.body = 'held';
    }
    if (context.path === '/token' && context.method === 'POST') {
      if (slow.ms) await new Promise((done) => setTimeout(done, slow.ms));
      const asked = context.oidc?.params;
      grants.push({
        grant_type: asked?.grant_type ?? '',
        status: context.status,
        at,
        until: Date.now(),
        used: asked?.refresh_token,
        given: (context.body as { refresh_token?: string } | undefined)?.refresh_token,
        why: reasons.get(context),
      });
      if (context.status === 200) given.push(context.body as Running['given'][number]);
    }
    if (context.path === '/token/revocation' && context.method === 'POST') {
      revocations.push({ token: context.oidc?.params?.token, status: context.status });
    }
  });
  server.on('request', provider.callback());
  return {
    issuer,
    grants,
    given,
    revocations,
    slow,
    holdNextAnswer: () => {
      const held = new Promise<URL>((done) => (hold = done));
      return () => held;
    },
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

/** The tokens that the provider was told to make worthless, and agreed. */
export function revoked(provider: Running): (string | undefined)[] {
  return provider.revocations.filter((it) => it.status === 200).map((it) => it.token);
}
