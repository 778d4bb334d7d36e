/** Whoever logs in: any name will do, and the same name is always the same account. */

import { createHash } from "node:crypto";

export const LONGEST_NAME = 64;

/** The names under which the sandbox behaves as some providers do, and what the application meets then. */
export const SCENARIOS = {
  unavailable: "it fails as soon as it is asked for tokens",
  slow: "it takes 4 seconds to give tokens",
  "no-refresh": "it gives no refresh token",
  "short-lived": "its access lasts 75 seconds, so it is refreshed all the time",
  revoked: "it refuses the first refresh for good",
  throttled: "it asks to wait 30 seconds at each refresh",
  "form-post": "it answers with a form that the browser posts, as Sign in with Apple does",
  "comma-scopes": "it separates scopes with commas, sends the lifetime as text, and leaves out the token type",
};

/** Return the account's id for a name as somebody typed it, or null where it names nobody. */
export function subject(name) {
  const plain = name.normalize("NFKC").trim().replace(/\s+/gu, " ").toLowerCase();
  if (!plain || [...plain].length > LONGEST_NAME) return null;
  // A subject is ASCII (OpenID Connect Core 1.0, 2): what isn't gets an id that is as stable.
  if (/^[a-z0-9._@-]+$/.test(plain)) return plain;
  return `person-${createHash("sha256").update(plain).digest("hex").slice(0, 16)}`;
}

/** Return an account in the shape that oidc-provider asks for. */
export function account(id) {
  return { accountId: id, claims: () => ({ sub: id, preferred_username: id }) };
}
