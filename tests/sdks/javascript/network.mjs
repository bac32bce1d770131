// The outside world between an SDK and the server: it loses answers, and notes what came.

/** A `fetch` that loses the first `loses` answers on their way back; `onRefusal` runs at each 429. */
export function network({ loses = 0, onRefusal = () => {} } = {}) {
  const answers = [];
  const fetch_ = async (...asked) => {
    const response = await fetch(...asked);
    const { status, headers } = response;
    answers.push({ status, retryAfter: headers.get('retry-after'), requestId: headers.get('x-request-id') });
    if (status === 429) onRefusal();
    if (answers.length <= loses) {
      await response.arrayBuffer();
      throw new TypeError('The network lost the answer.');
    }
    return response;
  };
  return { answers, fetch: fetch_ };
}

/** What a case says of a retry that was told to wait: what came, and how long the SDK took. */
export async function timed(answers, ask) {
  const began = performance.now();
  const tokens = await ask();
  return { tokens, answers, seconds: (performance.now() - began) / 1000 };
}
