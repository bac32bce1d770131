-- Admits the requests of one organization that arrived together: checks every limit of each, then consumes all or none.
--
-- KEYS[1] the organization's fence; then for each scope its rate hash and its sorted set of leases
-- ARGV[1] lease in ms
-- ARGV[2] JSON {scopes: [[rpm, tpm, input tpm, output tpm, concurrency]], -1 being unlimited,
--               requests: [[lease id, [1, tokens, input, output], [scope numbers from 1]]]}
-- Returns {fence, second, verdict…}; a verdict is
--   {1, rpm, left, reset_ms, tpm, left, reset_ms}    admitted; the tightest of each, -1 where there is none
--   {0, place in its scopes, kind, limit, left, wait_ms}    refused; kinds 1 to 4 as in `requests`, 5 concurrency
--
-- Rates slide: a bucket a second, and a bucket counts until 61 s after its start, so no 60 s ever hold more than the
-- limit. The server's clock decides. A lease is a member whose score is the time it runs out.
local WINDOW = 61
local KINDS = {'r', 't', 'i', 'o'}
local CONCURRENCY = 5
local time = redis.call('TIME')
local now = tonumber(time[1])
local now_ms = now * 1000 + math.floor(tonumber(time[2]) / 1000)
local lease_ms = tonumber(ARGV[1])
local input = cjson.decode(ARGV[2])

-- used: amounts of the last WINDOW seconds by kind; fresh: what this call adds; buckets: {second, amount} by kind.
local function load_rates(scope)
    local flat = redis.call('HGETALL', scope.rate_key)
    local old = {}
    for i = 1, #flat, 2 do
        local kind, second = string.sub(flat[i], 1, 1), tonumber(string.sub(flat[i], 2))
        if second + WINDOW <= now then
            old[#old + 1] = flat[i]
        else
            local amount = tonumber(flat[i + 1])
            scope.used[kind] = scope.used[kind] + amount
            table.insert(scope.buckets[kind], {second, amount})
        end
    end
    if #old > 0 then redis.call('HDEL', scope.rate_key, unpack(old)) end
end

local function load_scope(number, limits)
    local scope = {
        limits = limits, concurrency = limits[CONCURRENCY], running = 0, admitted = 0,
        rate_key = KEYS[number * 2], lease_key = KEYS[number * 2 + 1],
        used = {r = 0, t = 0, i = 0, o = 0}, fresh = {r = 0, t = 0, i = 0, o = 0},
        buckets = {r = {}, t = {}, i = {}, o = {}},
    }
    scope.rated = math.max(limits[1], limits[2], limits[3], limits[4]) >= 0
    if scope.rated then load_rates(scope) end
    if scope.concurrency >= 0 then
        redis.call('ZREMRANGEBYSCORE', scope.lease_key, '-inf', now_ms)
        scope.running = redis.call('ZCARD', scope.lease_key)
    end
    return scope
end

-- Milliseconds until so much of the window has run out that `amount` more fits under the limit.
local function wait_ms(scope, kind, limit, amount)
    local over = scope.used[kind] + scope.fresh[kind] + amount - limit
    table.sort(scope.buckets[kind], function(a, b) return a[1] < b[1] end)
    for _, bucket in ipairs(scope.buckets[kind]) do
        over = over - bucket[2]
        if over <= 0 then return (bucket[1] + WINDOW) * 1000 - now_ms end
    end
    return (now + WINDOW) * 1000 - now_ms
end

-- Milliseconds until the window is empty.
local function reset_ms(scope, kind)
    local last = scope.fresh[kind] > 0 and now or 0
    for _, bucket in ipairs(scope.buckets[kind]) do last = math.max(last, bucket[1]) end
    return last == 0 and 0 or (last + WINDOW) * 1000 - now_ms
end

local function refusal(place, scope, amounts)
    if scope.concurrency >= 0 and scope.running >= scope.concurrency then
        return {0, place, CONCURRENCY, scope.concurrency, 0, 1000}
    end
    for position, kind in ipairs(KINDS) do
        local limit, amount = scope.limits[position], amounts[position]
        local left = limit - scope.used[kind] - scope.fresh[kind]
        if limit >= 0 and amount > left then
            return {0, place, position, limit, left, wait_ms(scope, kind, limit, amount)}
        end
    end
end

local function consume(scope, id, amounts)
    scope.admitted = scope.admitted + 1
    for position, kind in ipairs(KINDS) do
        if scope.limits[position] >= 0 then scope.fresh[kind] = scope.fresh[kind] + amounts[position] end
    end
    if scope.concurrency >= 0 then
        scope.running = scope.running + 1
        redis.call('ZADD', scope.lease_key, now_ms + lease_ms, id)
    end
end

-- The tightest requests and tokens limits of an admitted request, for the x-ratelimit headers.
local function headroom(scopes, numbers)
    local verdict = {1, -1, -1, 0, -1, -1, 0}
    for _, number in ipairs(numbers) do
        local scope = scopes[number]
        for position = 1, 2 do
            local kind, limit, at = KINDS[position], scope.limits[position], position * 3 - 1
            local left = limit - scope.used[kind] - scope.fresh[kind]
            if limit >= 0 and (verdict[at] < 0 or left < verdict[at + 1]) then
                verdict[at], verdict[at + 1], verdict[at + 2] = limit, left, reset_ms(scope, kind)
            end
        end
    end
    return verdict
end

local function write(scope)
    if scope.admitted == 0 then return end
    for _, kind in ipairs(KINDS) do
        if scope.fresh[kind] > 0 then redis.call('HINCRBY', scope.rate_key, kind .. now, scope.fresh[kind]) end
    end
    if scope.rated then redis.call('EXPIRE', scope.rate_key, WINDOW * 2) end
    if scope.concurrency >= 0 then redis.call('PEXPIRE', scope.lease_key, lease_ms * 2) end
end

local scopes = {}
for number, limits in ipairs(input.scopes) do scopes[number] = load_scope(number, limits) end

local answer = {tonumber(redis.call('GET', KEYS[1]) or '0'), now}
for _, request in ipairs(input.requests) do
    local id, amounts, numbers = request[1], request[2], request[3]
    local refused
    for place, number in ipairs(numbers) do
        refused = refused or refusal(place, scopes[number], amounts)
    end
    if not refused then
        for _, number in ipairs(numbers) do consume(scopes[number], id, amounts) end
    end
    answer[#answer + 1] = refused or headroom(scopes, numbers)
end
for _, scope in ipairs(scopes) do write(scope) end
return answer
