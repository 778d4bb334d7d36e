/** The pages that a person sees: plain HTML without script, every value escaped. */

import { LONGEST_NAME, SCENARIOS } from "./accounts.mjs";

/** `form-action` is left out on purpose: it would also hold for the redirects that follow a form. */
export const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const SCOPES = {
  openid: "who you are here: your name",
  profile: "your profile: your name",
  offline_access: "access while you are away, until you disconnect",
};

class Markup {
  constructor(text) {
    this.text = text;
  }
}

/** Return markup in which every value that isn't markup itself is escaped. */
function html(strings, ...values) {
  return new Markup(String.raw({ raw: strings }, ...values.map(written)));
}

function written(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(written).join("");
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

function page(title, body) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Sandbox</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<p class="where">Sandbox provider</p>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.text;
}

function deny(path) {
  return html`<form method="post" action="${path}/deny"><button class="quiet">Deny</button></form>`;
}

/** Return the page at the root; the callback server, whose address the sandbox knows, leads to the application. */
export function startPage(callback) {
  return page(
    "A provider for development",
    html`<p>Dashtam links accounts of this provider. There is nothing to do here until Dashtam sends you to log in: any
name will do.</p>
<p><a href="${callback}">Go to Dashtam</a></p>`,
  );
}

/** Return the page on which a person logs in, or denies. */
export function loginPage({ path, client, problem = "" }) {
  const scenarios = Object.entries(SCENARIOS).map(([name, what]) => html`<dt>${name}</dt><dd>${what}</dd>\n`);
  const described = problem ? html` aria-invalid="true" aria-describedby="problem"` : "";
  return page(
    "Log in",
    html`<p>${client} wants to connect to an account of yours. This provider is for development: any name will do, and
the same name is the same account next time.</p>
${problem ? html`<p id="problem" class="problem" role="alert">${problem}</p>` : ""}
<form method="post" action="${path}/login">
<label for="name">Name</label>
<input id="name" name="name" maxlength="${LONGEST_NAME}" required autofocus autocomplete="username"
 autocapitalize="none" spellcheck="false"${described}>
<button>Log in</button>
</form>
${deny(path)}
<details>
<summary>Names under which this provider behaves as some others do</summary>
<dl>
${scenarios}</dl>
</details>`,
  );
}

/** Return the page on which a person allows what a client asks for, or denies it. */
export function consentPage({ path, client, account, scopes }) {
  const asked = scopes.map((scope) => html`<li>${SCOPES[scope] ?? scope}</li>\n`);
  return page(
    `Allow ${client}?`,
    html`<p>You are logged in as <strong>${account}</strong>. ${client} asks for:</p>
<ul>
${asked}</ul>
<form method="post" action="${path}/allow"><button autofocus>Allow</button></form>
<form method="post" action="${path}/switch"><button class="quiet">Use another name</button></form>
${deny(path)}`,
  );
}

/** Return the page that says what went wrong. */
export function errorPage(reason) {
  return page(
    "This can't go on",
    html`<p class="problem" role="alert">${reason}</p>
<p>Go back to the application that you came from, and connect again.</p>`,
  );
}
