/** One JSON object a line, in the shape of the service's own log. */
export function log(level, event, details = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...details, level, timestamp: new Date().toISOString() })}\n`);
}
