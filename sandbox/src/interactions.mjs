/** The steps at which a person decides: log in, be somebody else, allow, deny. */

import { LONGEST_NAME, subject } from "./accounts.mjs";
import { consentPage, loginPage } from "./pages.mjs";
import { Refusal, readForm, redirect, sendPage } from "./web.mjs";

const STEP = /^\/interaction\/[A-Za-z0-9_-]+(?:\/(login|allow|deny|switch))?$/;

const ACTIONS = { login, allow, deny, switch: logInAnew };

/** Return whether a path is one of a person's decisions. */
export function isInteraction(path) {
  return STEP.test(path);
}

/** Answer a request for one. The package finds out by a signed cookie which authorization it belongs to. */
export async function interact(provider, request, response, path) {
  const [, action] = STEP.exec(path);
  if ((request.method === "POST") !== Boolean(action)) throw new Refusal(405, "This page doesn't take that method.");
  const interaction = await provider.interactionDetails(request, response);
  const step = { provider, request, response, interaction };
  await (action ? ACTIONS[action](step) : show(step));
}

async function show(step, problem = "") {
  const { prompt, params, uid, session } = step.interaction;
  const { clientName } = await step.provider.Client.find(params.client_id);
  const about = { path: `/interaction/${uid}`, client: clientName };
  if (prompt.name === "login") {
    sendPage(step.response, problem ? 400 : 200, loginPage({ ...about, problem }));
    return;
  }
  const scopes = prompt.details.missingOIDCScope ?? [];
  sendPage(step.response, 200, consentPage({ ...about, account: session.accountId, scopes }));
}

async function login(step) {
  require(step, "login");
  const accountId = subject((await readForm(step.request)).get("name") ?? "");
  if (!accountId) {
    await show(step, `A name has 1 to ${LONGEST_NAME} characters.`);
    return;
  }
  await finish(step, { login: { accountId } });
}

async function allow(step) {
  require(step, "consent");
  const { prompt, grantId, session, params } = step.interaction;
  const { Grant } = step.provider;
  const before = grantId && (await Grant.find(grantId));
  // A new one each time: what came from an older one can be revoked without harm to what comes from this.
  const grant = new Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope([before?.getOIDCScope() ?? "", ...(prompt.details.missingOIDCScope ?? [])].join(" ").trim());
  grant.addOIDCClaims([...(before?.getOIDCClaims() ?? []), ...(prompt.details.missingOIDCClaims ?? [])]);
  await finish(step, { consent: { grantId: await grant.save() } });
}

/** Forget who is logged in, and begin the same authorization once more. */
async function logInAnew(step) {
  require(step, "consent");
  const { session, params } = step.interaction;
  await (await step.provider.Session.findByUid(session.uid))?.destroy();
  redirect(step.response, `/auth?${new URLSearchParams(params)}`);
}

async function deny(step) {
  await finish(step, { error: "access_denied", error_description: "The person denied the request" });
}

function require(step, prompt) {
  if (step.interaction.prompt.name !== prompt) throw new Refusal(409, "That was answered already.");
}

async function finish(step, result) {
  await step.provider.interactionFinished(step.request, step.response, result, { mergeWithLastSubmission: false });
}
