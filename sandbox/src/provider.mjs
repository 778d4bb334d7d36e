/** The authorization server itself: oidc-provider, set up as strictly as RFC 9700 asks. */

import { Provider } from "oidc-provider";

import { account } from "./accounts.mjs";
import { Adapter } from "./adapter.mjs";
import { log } from "./log.mjs";
import { HEADERS, errorPage } from "./pages.mjs";
import { atAuthorization, atToken, changeAnswer, lifetime, mayRefresh } from "./scenarios.mjs";

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

/** Seconds. Access and refresh tokens live as long as Schwab's. */
const LIFETIMES = {
  AccessToken: 30 * MINUTE,
  AuthorizationCode: MINUTE,
  Grant: 8 * DAY,
  IdToken: 10 * MINUTE,
  Interaction: 10 * MINUTE,
  RefreshToken: 7 * DAY,
  Session: DAY,
};

const FAILURES = ["authorization.error", "grant.error", "revocation.error", "userinfo.error", "server_error"];

/** Return the authorization server; it keeps everything in Redis. */
export function createProvider(settings, redis) {
  const provider = new Provider(settings.issuer, configuration(settings, redis));
  provider.use(changeAnswer);
  provider.on("authorization.success", () => log("info", "authorization granted"));
  provider.on("grant.success", (context) => log("info", "tokens issued", { grant: context.oidc.params.grant_type }));
  for (const name of FAILURES) provider.on(name, (_context, error) => logFailure(name, error));
  return provider;
}

function configuration(settings, redis) {
  const longest = Math.max(...Object.values(LIFETIMES));
  return {
    adapter: (model) => new Adapter(redis, model, longest),
    clients: [client(settings)],
    jwks: { keys: [settings.signingKey] },
    cookies: { keys: [settings.cookieKey], names: cookieNames(new URL(settings.issuer)) },
    findAccount,
    claims: { openid: ["sub"], profile: ["preferred_username"] },
    scopes: ["openid", "offline_access", "profile"],
    responseTypes: ["code"],
    clientAuthMethods: ["client_secret_basic", "client_secret_post"],
    enabledJWA: { idTokenSigningAlgValues: ["RS256"] },
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    // A client that may refresh can do so with or without `offline_access`, as with providers that aren't OIDC.
    issueRefreshToken: async (_context, asking, code) =>
      asking.grantTypeAllowed("refresh_token") && mayRefresh(code.accountId),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    ttl: { ...LIFETIMES, AccessToken: (_context, token) => lifetime(token.accountId, LIFETIMES.AccessToken) },
    features: features(),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    renderError,
  };
}

async function findAccount(context, id) {
  atAuthorization(context, id);
  if (context.oidc.route === "token" && !(await atToken(context, id))) return undefined;
  return account(id);
}

function client(settings) {
  return {
    client_id: settings.clientId,
    client_name: "Dashtam",
    client_secret: settings.clientSecret,
    redirect_uris: [settings.redirectUri],
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token"],
  };
}

/** Cookies ignore ports: the sandboxes of two environments on localhost must not take each other's. */
function cookieNames({ port }) {
  const name = (kind) => `sandbox_${port || 443}_${kind}`;
  return { session: name("session"), interaction: name("interaction"), resume: name("resume") };
}

function features() {
  return {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    introspection: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    dPoP: { enabled: false },
    resourceIndicators: { enabled: false },
  };
}

function renderError(context, out, _error) {
  context.set(HEADERS);
  context.type = "html";
  context.body = errorPage(out.error_description ?? out.error);
}

/** What a failure says of itself never holds a code or a token. */
function logFailure(event, error) {
  const level = event === "server_error" ? "error" : "warning";
  const detail = error.error_detail ?? error.error_description ?? String(error.message);
  log(level, event, { error: error.error ?? error.name, detail });
}
