-- wrk's script: the same request again and again; at the end one line of JSON for plain.py. Times are microseconds.
wrk.method = "POST"
wrk.body = os.getenv("BENCH_BODY")
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = os.getenv("BENCH_AUTHORIZATION")

local wait_ms = tonumber(os.getenv("BENCH_WAIT_MS"))
if wait_ms > 0 then
   function delay()
      return math.random(0, 2 * wait_ms)
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\nfigures {"requests": %d, "us": %d, "errors": %d, "p50_us": %.1f, "p99_us": %.1f}\n',
      summary.requests, summary.duration,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50), latency:percentile(99)
   ))
end
