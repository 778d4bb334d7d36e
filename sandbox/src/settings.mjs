/** The only reader of the environment. Secrets and keys come from files, as in the service. */

import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";

import { StartError } from "./errors.mjs";

/** Return all settings, or throw a StartError that names the one that is wrong. */
export function load(environ) {
  requirePermission(environ);
  return Object.freeze({
    port: port(environ, "PORT", "8282"),
    issuer: origin(environ, "ISSUER"),
    clientId: required(environ, "CLIENT_ID"),
    clientSecret: file(environ, "CLIENT_SECRET_FILE"),
    redirectUri: httpsUrl(environ, "REDIRECT_URI").text,
    cookieKey: file(environ, "COOKIE_KEY_FILE"),
    signingKey: signingKey(environ, "SIGNING_KEY_FILE"),
    certificate: file(environ, "TLS_CERTIFICATE_FILE"),
    key: file(environ, "TLS_KEY_FILE"),
    redis: Object.freeze(redis(environ)),
  });
}

function redis(environ) {
  return {
    host: required(environ, "REDIS_HOST"),
    port: port(environ, "REDIS_PORT", "6379"),
    db: wholeNumber(environ, "REDIS_DB", "0"),
    user: required(environ, "REDIS_USER"),
    password: file(environ, "REDIS_PASSWORD_FILE"),
    ca: file(environ, "TLS_CA_FILE"),
    startTimeout: wholeNumber(environ, "STARTUP_TIMEOUT", "60"),
  };
}

function requirePermission(environ) {
  if (environ.SANDBOX_ALLOWED !== "true") {
    throw new StartError(
      "SANDBOX_ALLOWED is not true: anyone may log in here as anybody, so it runs only where DEBUG or TESTING is on",
    );
  }
}

function required(environ, name) {
  const value = environ[name];
  if (!value) throw new StartError(`${name} is not set`);
  return value;
}

function file(environ, name) {
  const path = required(environ, name);
  let text;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new StartError(`${name}=${path} cannot be read: ${error.code}`);
  }
  if (!text) throw new StartError(`${name}=${path} is empty`);
  return text;
}

function wholeNumber(environ, name, otherwise) {
  const text = environ[name] ?? otherwise;
  if (!/^[0-9]{1,5}$/.test(text)) throw new StartError(`${name}=${text} is no whole number`);
  return Number(text);
}

function port(environ, name, otherwise) {
  const number = wholeNumber(environ, name, otherwise);
  if (number > 65535) throw new StartError(`${name}=${number} is no port`);
  return number;
}

function httpsUrl(environ, name) {
  const text = required(environ, name);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "https:" || url.search || url.hash || url.username) {
    throw new StartError(`${name}=${text} is no https URL without query, fragment and user`);
  }
  return { text, url };
}

function origin(environ, name) {
  const { text, url } = httpsUrl(environ, name);
  if (url.origin !== text) throw new StartError(`${name}=${text} is no origin such as https://localhost:8282`);
  return text;
}

function signingKey(environ, name) {
  const pem = file(environ, name);
  let key;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new StartError(`${name}=${environ[name]} holds no private key in PEM`);
  }
  if (key.asymmetricKeyType !== "rsa") throw new StartError(`${name}=${environ[name]} holds no RSA key`);
  return { ...key.export({ format: "jwk" }), use: "sig", alg: "RS256" };
}
