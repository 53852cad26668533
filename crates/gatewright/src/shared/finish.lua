-- Keeps the result of a leased idempotency key, unless it became another's. Arguments: fingerprint, token, for how many
-- milliseconds it is kept, and the result.
local held = redis.call('HMGET', KEYS[1], 'f', 't')
if held[1] and held[2] ~= ARGV[2] then
  return { 'other' }
end
redis.call('HSET', KEYS[1], 'f', ARGV[1], 'r', ARGV[4])
redis.call('HDEL', KEYS[1], 't', 'u')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 'kept' }
