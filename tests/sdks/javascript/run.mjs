// Runs every case of one SDK at once, and prints what each found as JSON: {case: facts} with {error: …} for one that
// was thrown. Standard input holds {customers: {name: {base_url, api_key}}}; what is right, pytest says.
import { text } from 'node:stream/consumers';

const { customers } = JSON.parse(await text(process.stdin));
const { cases } = await import(`./${process.argv[2]}.mjs`);

async function facts(run) {
  try {
    return await run(customers);
  } catch (error) {
    return { error: described(error) };
  }
}

function described(error) {
  const { status, code, param, type, requestID } = error;
  const told = error.error?.error ?? {};
  const retryAfter = error.headers?.get?.('retry-after') ?? null;
  return { kind: error.constructor.name, message: error.message, status, code, param, type, requestID, told, retryAfter };
}

const found = await Promise.all(Object.entries(cases).map(async ([name, run]) => [name, await facts(run)]));
process.stdout.write(JSON.stringify(Object.fromEntries(found)));
