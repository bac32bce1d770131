-- Ends requests of one organization: leases go, and the tokens that were reserved become those that were used.
--
-- KEYS for each scope its rate hash and its sorted set of leases
-- ARGV[1] JSON [[lease id, second of admission, [requests, tokens, input, output differences], [scope numbers from 1]]]
-- A reservation whose bucket has run out needs no correction any more.
local KINDS = {'r', 't', 'i', 'o'}
for _, ended in ipairs(cjson.decode(ARGV[1])) do
    local id, second, differences, numbers = ended[1], ended[2], ended[3], ended[4]
    for _, number in ipairs(numbers) do
        local rates = KEYS[number * 2 - 1]
        redis.call('ZREM', KEYS[number * 2], id)
        for position, kind in ipairs(KINDS) do
            local field, difference = kind .. second, differences[position]
            if difference ~= 0 and redis.call('HEXISTS', rates, field) == 1 then
                redis.call('HINCRBY', rates, field, difference)
            end
        end
    end
end
return 1
