-- Renews leases that still stand. One that has run out stays out, whoever asks: its place may be taken.
--
-- KEYS sorted sets of leases; ARGV[1] lease in ms; then for each key a JSON list of lease ids
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local lease_ms = tonumber(ARGV[1])
for number, key in ipairs(KEYS) do
    for _, id in ipairs(cjson.decode(ARGV[number + 1])) do
        local ends = redis.call('ZSCORE', key, id)
        if ends and tonumber(ends) > now_ms then redis.call('ZADD', key, 'XX', now_ms + lease_ms, id) end
    end
    redis.call('PEXPIRE', key, lease_ms * 2)
end
return 1
