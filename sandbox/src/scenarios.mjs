/** What the sandbox does under the special names; `accounts.mjs` describes each. */

import { setTimeout as sleep } from "node:timers/promises";

import { errors } from "oidc-provider";

const SLOW = 4000;
const SHORT = 75;
const WAIT = 30;

/** Behave as the account's name says when tokens are asked for; return whether the account is there. */
export async function atToken(context, name) {
  const refreshes = context.oidc.params.grant_type === "refresh_token";
  if (name === "slow") await sleep(SLOW);
  if (name === "unavailable") throw failure(503, "temporarily_unavailable", "The provider is down for this account");
  if (name === "throttled" && refreshes) {
    context.set("Retry-After", String(WAIT));
    throw failure(429, "slow_down", "Too many requests for this account");
  }
  return !(name === "revoked" && refreshes);
}

/** Answer an authorization as the account's name says. Only this answer: what a later step asks for stays as it is. */
export function atAuthorization(context, name) {
  if (name === "form-post") Object.defineProperty(context.oidc, "responseMode", { value: "form_post" });
}

/** Return the seconds that an account's access lasts. */
export function lifetime(name, usual) {
  return name === "short-lived" ? SHORT : usual;
}

/** Return whether an account gets refresh tokens. */
export function mayRefresh(name) {
  return name !== "no-refresh";
}

/** Change an answer for tokens on its way out. */
export async function changeAnswer(context, next) {
  await next();
  if (context.oidc?.route !== "token" || context.status !== 200) return;
  if (context.oidc.entities.Account?.accountId !== "comma-scopes") return;
  const { token_type: _, ...answer } = context.body;
  context.body = { ...answer, scope: answer.scope.replaceAll(" ", ","), expires_in: String(answer.expires_in) };
}

function failure(status, code, description) {
  const error = new errors.CustomOIDCProviderError(code, description);
  error.status = error.statusCode = status;
  return error;
}
