// Anthropic's SDK for JavaScript, unchanged. Each case returns facts, or throws what the SDK throws.
import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { network, timed } from './network.mjs';

const model = 'sim';
const Toll = z.object({ gate: z.string(), pence: z.int() });
const input_schema = { type: 'object', properties: { gate: { type: 'string' } }, required: ['gate'] };
const tools = [{ name: 'toll', input_schema }];

const sdk = ({ base_url, api_key: apiKey }, options) =>
  new Anthropic({ baseURL: base_url.replace(/\/v1$/, ''), apiKey, maxRetries: 0, ...options });
const asked = (directive = 'tokens=5') => [
  { role: 'user', content: `What is the toll? [[sim ttft=1 gap=0 ${directive}]]` },
];
const message = (client, directive, fields) =>
  client.messages.create({ model, max_tokens: 600, messages: asked(directive), ...fields });
const stream = (client, directive, fields) =>
  client.messages.stream({ model, max_tokens: 600, messages: asked(directive), ...fields });
const said = ({ content, stop_reason, usage }) => [
  content.map(({ type, text, thinking }) => [type, text ?? thinking]),
  stop_reason,
  usage.output_tokens,
];
const read = ({ usage }) =>
  usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;

async function toolUsed(called, client) {
  const [use] = called.content;
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'two pence' }] };
  const messages = [...asked('tools=1'), { role: 'assistant', content: called.content }, result, ...asked()];
  const second = await message(client, '', { messages, tools });
  const { output_tokens: then } = second.usage;
  return { reason: called.stop_reason, name: use.name, gate: typeof use.input.gate, then };
}

async function everything(events) {
  const all = [];
  for await (const event of events) all.push(event);
  return all;
}

async function inVain(customer, options, ask) {
  const { answers, fetch } = network();
  const error = await ask(sdk(customer, { fetch, maxRetries: 2, ...options })).catch((thrown) => thrown);
  return { code: error.error.error.code, statuses: answers.map(({ status }) => status) };
}

async function afterPlace(customer) {
  const running = await message(sdk(customer), 'tokens=500 gap=20', { stream: true });
  const { answers, fetch } = network({ onRefusal: () => running.controller.abort() });
  const client = sdk(customer, { fetch, maxRetries: 5 });
  return timed(answers, async () => (await message(client)).usage.output_tokens);
}

export const cases = {
  plain: async ({ booked }) => {
    const answer = await message(sdk(booked));
    return { prompt_tokens: read(answer), completion_tokens: answer.usage.output_tokens };
  },
  token: async ({ acme }) => said(await message(sdk(acme, { apiKey: null, authToken: acme.api_key })))[2],
  plain_and_streamed: async ({ acme }) => {
    const client = sdk(acme);
    const streamed = await stream(client, 'reasoning=3 tokens=5').finalMessage();
    return [said(await message(client, 'reasoning=3 tokens=5')), said(streamed)];
  },
  tool: async ({ acme }) => toolUsed(await message(sdk(acme), 'tools=1', { tools }), sdk(acme)),
  tool_streamed: async ({ acme }) => toolUsed(await stream(sdk(acme), 'tools=1', { tools }).finalMessage(), sdk(acme)),
  structured: async ({ acme }) => {
    const output_config = { format: zodOutputFormat(Toll) };
    const answer = await sdk(acme).messages.parse({ model, max_tokens: 600, messages: asked(), output_config });
    return Toll.parse(answer.parsed_output);
  },
  counted: async ({ acme }) => {
    const { input_tokens } = await sdk(acme).messages.countTokens({ model, messages: asked() });
    return [input_tokens, read(await message(sdk(acme)))];
  },
  models: async ({ acme }) => {
    const listed = await everything(sdk(acme).models.list());
    return [...listed, await sdk(acme).models.retrieve(model)].map(({ id, type }) => `${type} ${id}`);
  },
  absent_model: async ({ acme }) => sdk(acme).models.retrieve('claude-none'),
  wrong_key: async ({ acme }) => message(sdk(acme, { apiKey: 'tpk_live_wrong' })),
  unknown_model: async ({ acme }) => message(sdk(acme), 'tokens=5', { model: 'claude-none' }),
  invalid_field: async ({ acme }) => message(sdk(acme), 'tokens=5', { colour: 'blue' }),
  empty_wallet: async ({ poor }) => inVain(poor, {}, message),
  blocked: async ({ blocked }) => inVain(blocked, {}, message),
  conflict: async ({ acme }) =>
    inVain(acme, { defaultHeaders: { 'Idempotency-Key': 'order-0816' } }, async (client) => {
      await message(client);
      return message(client, 'tokens=6');
    }),
  rate_limit: async ({ limited }) => {
    await message(sdk(limited));
    return message(sdk(limited));
  },
  retry_after: async ({ narrow }) => afterPlace(narrow),
  failing_engine: async ({ acme }) => message(sdk(acme), 'status=500'),
  failing_engine_streamed: async ({ acme }) => message(sdk(acme), 'status=500', { stream: true }),
  broken_raw: async ({ acme }) => everything(await message(sdk(acme), 'tokens=9 die_after=2', { stream: true })),
  broken: async ({ acme }) => stream(sdk(acme), 'tokens=9 rst_after=2').finalMessage(),
  impatient: async ({ impatient }) =>
    message(sdk(impatient, { timeout: 300 }), '', { messages: asked('ttft=20000 tokens=1') }),
  repeated: async ({ repeating }) => {
    const { answers, fetch } = network({ loses: 1 });
    const client = sdk(repeating, { fetch, maxRetries: 2, defaultHeaders: { 'Idempotency-Key': 'order-4711' } });
    return { tokens: (await message(client)).usage.output_tokens, answers };
  },
};
