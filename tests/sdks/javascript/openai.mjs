// OpenAI's SDK for JavaScript, unchanged. Each case returns facts, or throws what the SDK throws.
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { network, timed } from './network.mjs';

const model = 'sim';
const Toll = z.object({ gate: z.string(), pence: z.int() });
const parameters = {
  type: 'object',
  properties: { gate: { type: 'string' } },
  required: ['gate'],
  additionalProperties: false,
};
const chatTools = [{ type: 'function', function: { name: 'toll', parameters, strict: true } }];
const tools = [{ type: 'function', name: 'toll', parameters, strict: true }];

const sdk = ({ base_url: baseURL, api_key: apiKey }, options) =>
  new OpenAI({ baseURL, apiKey, maxRetries: 0, ...options });
const text = (directive) => `What is the toll? [[sim ttft=1 gap=0 ${directive}]]`;
const asked = (directive = 'tokens=5') => [{ role: 'user', content: text(directive) }];
const chat = (client, directive, fields) =>
  client.chat.completions.create({ model, messages: asked(directive), ...fields });
const chatStream = (client, directive, fields) =>
  client.chat.completions.stream({ model, messages: asked(directive), ...fields });
const respond = (client, directive = 'tokens=5', fields) =>
  client.responses.create({ model, input: text(directive), ...fields });
const said = (completion) => [completion.choices[0].message.content, completion.usage.completion_tokens];
const told = (response) => [response.output_text, response.usage.output_tokens];

async function chatTool(called, client) {
  const { message, finish_reason: reason } = called.choices[0];
  const [{ id, function: call }] = message.tool_calls;
  const result = { role: 'tool', tool_call_id: id, content: 'two pence' };
  const messages = [...asked('tools=1'), message, result, ...asked()];
  const second = await client.chat.completions.create({ model, messages, tools: chatTools });
  const tokens = second.usage.completion_tokens;
  return { reason, name: call.name, gate: typeof JSON.parse(call.arguments).gate, then: tokens };
}

async function everything(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

async function inVain(customer, options, ask) {
  const { answers, fetch } = network();
  const error = await ask(sdk(customer, { fetch, maxRetries: 2, ...options })).catch((thrown) => thrown);
  return { code: error.code, statuses: answers.map(({ status }) => status) };
}

async function afterPlace(customer) {
  const running = await chat(sdk(customer), 'tokens=500 gap=20', { stream: true });
  const { answers, fetch } = network({ onRefusal: () => running.controller.abort() });
  const client = sdk(customer, { fetch, maxRetries: 5 });
  return timed(answers, async () => (await chat(client)).usage.completion_tokens);
}

export const cases = {
  plain: async ({ booked }) => (await chat(sdk(booked))).usage,
  plain_and_streamed: async ({ acme }) => {
    const client = sdk(acme);
    const stream = chatStream(client, 'tokens=5', { stream_options: { include_usage: true } });
    return [said(await chat(client)), said(await stream.finalChatCompletion())];
  },
  tool: async ({ acme }) => chatTool(await chat(sdk(acme), 'tools=1', { tools: chatTools }), sdk(acme)),
  tool_streamed: async ({ acme }) => {
    const called = await chatStream(sdk(acme), 'tools=1', { tools: chatTools }).finalChatCompletion();
    return chatTool(called, sdk(acme));
  },
  structured: async ({ acme }) => {
    const response_format = zodResponseFormat(Toll, 'toll');
    const answer = await sdk(acme).chat.completions.parse({ model, messages: asked(), response_format });
    return Toll.parse(answer.choices[0].message.parsed);
  },
  response_plain_and_streamed: async ({ acme }) => {
    const client = sdk(acme);
    const stream = client.responses.stream({ model, input: text('tokens=5') });
    return [told(await respond(client)), told(await stream.finalResponse())];
  },
  response_tool: async ({ acme }) => {
    const client = sdk(acme);
    const [call] = (await respond(client, 'tools=1', { tools })).output;
    const result = { type: 'function_call_output', call_id: call.call_id, output: 'two pence' };
    const input = [...asked('tools=1'), call, result, ...asked()];
    const second = await client.responses.create({ model, input, tools });
    return { type: call.type, name: call.name, then: second.usage.output_tokens };
  },
  response_structured: async ({ acme }) => {
    const format = { format: zodTextFormat(Toll, 'toll') };
    const answer = await sdk(acme).responses.parse({ model, input: text('tokens=5'), text: format });
    return Toll.parse(answer.output_parsed);
  },
  embeddings: async ({ acme }) => {
    const { data, usage } = await sdk(acme).embeddings.create({ model, input: ['one', 'two'], dimensions: 8 });
    return { lengths: data.map(({ embedding }) => embedding.length), read: usage.prompt_tokens };
  },
  completion_plain_and_streamed: async ({ acme }) => {
    const ask = (fields) => sdk(acme).completions.create({ model, prompt: text('tokens=5'), ...fields });
    const chunks = await everything(await ask({ stream: true }));
    return [(await ask()).choices[0].text, chunks.map(({ choices }) => choices[0].text).join('')];
  },
  models: async ({ acme }) => {
    const listed = await everything(sdk(acme).models.list());
    return [...listed, await sdk(acme).models.retrieve(model)].map(({ id }) => id);
  },
  absent_model: async ({ acme }) => sdk(acme).models.retrieve('gpt-none'),
  wrong_key: async ({ acme }) => chat(sdk(acme, { apiKey: 'tpk_live_wrong' })),
  unknown_model: async ({ acme }) => chat(sdk(acme), 'tokens=5', { model: 'gpt-none' }),
  invalid_field: async ({ acme }) => chat(sdk(acme), 'tokens=5', { colour: 'blue' }),
  empty_wallet: async ({ poor }) => inVain(poor, {}, chat),
  blocked: async ({ blocked }) => inVain(blocked, {}, chat),
  conflict: async ({ acme }) =>
    inVain(acme, { defaultHeaders: { 'Idempotency-Key': 'order-0815' } }, async (client) => {
      await chat(client);
      return chat(client, 'tokens=6');
    }),
  rate_limit: async ({ limited }) => {
    await chat(sdk(limited));
    return chat(sdk(limited));
  },
  retry_after: async ({ narrow }) => afterPlace(narrow),
  failing_engine: async ({ acme }) => chat(sdk(acme), 'status=500'),
  failing_engine_streamed: async ({ acme }) => chat(sdk(acme), 'status=500', { stream: true }),
  broken_chat_raw: async ({ acme }) => everything(await chat(sdk(acme), 'tokens=9 die_after=2', { stream: true })),
  broken_response_raw: async ({ acme }) =>
    everything(await respond(sdk(acme), 'tokens=9 die_after=2', { stream: true })),
  broken_chat: async ({ acme }) => chatStream(sdk(acme), 'tokens=9 die_after=2').finalChatCompletion(),
  broken_response: async ({ acme }) =>
    sdk(acme).responses.stream({ model, input: text('tokens=9 rst_after=2') }).finalResponse(),
  impatient: async ({ impatient }) =>
    sdk(impatient, { timeout: 300 }).chat.completions.create({ model, messages: asked('ttft=20000 tokens=1') }),
  repeated: async ({ repeating }) => {
    const { answers, fetch } = network({ loses: 1 });
    const client = sdk(repeating, { fetch, maxRetries: 2, defaultHeaders: { 'Idempotency-Key': 'order-4711' } });
    return { tokens: (await chat(client)).usage.completion_tokens, answers };
  },
};
