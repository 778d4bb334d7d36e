/** Requests and responses, as far as the package doesn't handle them itself. */

import { HEADERS } from "./pages.mjs";

const LONGEST_FORM = 4096;

/** A request that is answered with a status and a page instead of what it asked for. */
export class Refusal extends Error {
  constructor(status, reason) {
    super(reason);
    this.statusCode = status;
  }
}

export function send(response, status, type, body) {
  response.writeHead(status, { ...HEADERS, "Content-Type": type });
  response.end(body);
}

export function sendPage(response, status, page) {
  send(response, status, "text/html; charset=utf-8", page);
}

export function redirect(response, location) {
  response.writeHead(303, { ...HEADERS, Location: location });
  response.end();
}

/** Return a submitted form. */
export async function readForm(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LONGEST_FORM) throw new Refusal(413, "The form is too long.");
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
