/** Why the sandbox can't start: one line, made for people. */
export class StartError extends Error {}

/** Return what an error says, in one line; some of Node's say it in their code alone. */
export function reasonOf(error) {
  return (error.message || error.code || error.name).replaceAll(/\s+/g, " ");
}
