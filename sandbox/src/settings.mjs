/** The only reader of the environment. Secrets and keys come from files, as in the service. */

import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";

/** A setting is missing or wrong, or the sandbox must not run here; the message is one line, made for people. */
export class SettingsError extends Error {}

/** Return all settings, or throw a SettingsError that names the one that is wrong. */
export function load(environ) {
  requirePermission(environ);
  return Object.freeze({
    port: port(environ.PORT ?? "8282"),
    issuer: origin(environ, "ISSUER"),
    clientId: required(environ, "CLIENT_ID"),
    clientSecret: file(environ, "CLIENT_SECRET_FILE"),
    redirectUri: httpsUrl(environ, "REDIRECT_URI").text,
    cookieKey: file(environ, "COOKIE_KEY_FILE"),
    signingKey: signingKey(environ, "SIGNING_KEY_FILE"),
    certificate: file(environ, "TLS_CERTIFICATE_FILE"),
    key: file(environ, "TLS_KEY_FILE"),
  });
}

function requirePermission(environ) {
  if (environ.SANDBOX_ALLOWED !== "true") {
    throw new SettingsError(
      "SANDBOX_ALLOWED is not true: anyone may log in here as anybody, so it runs only where DEBUG or TESTING is on",
    );
  }
}

function required(environ, name) {
  const value = environ[name];
  if (!value) throw new SettingsError(`${name} is not set`);
  return value;
}

function file(environ, name) {
  const path = required(environ, name);
  let text;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new SettingsError(`${name}=${path} cannot be read: ${error.code}`);
  }
  if (!text) throw new SettingsError(`${name}=${path} is empty`);
  return text;
}

function port(text) {
  const number = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || number > 65535) throw new SettingsError(`PORT=${text} is no port`);
  return number;
}

function httpsUrl(environ, name) {
  const text = required(environ, name);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "https:" || url.search || url.hash || url.username) {
    throw new SettingsError(`${name}=${text} is no https URL without query, fragment and user`);
  }
  return { text, url };
}

function origin(environ, name) {
  const { text, url } = httpsUrl(environ, name);
  if (url.origin !== text) throw new SettingsError(`${name}=${text} is no origin such as https://localhost:8282`);
  return text;
}

function signingKey(environ, name) {
  const pem = file(environ, name);
  let key;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new SettingsError(`${name}=${environ[name]} holds no private key in PEM`);
  }
  if (key.asymmetricKeyType !== "rsa") throw new SettingsError(`${name}=${environ[name]} holds no RSA key`);
  return { ...key.export({ format: "jwk" }), use: "sig", alg: "RS256" };
}
