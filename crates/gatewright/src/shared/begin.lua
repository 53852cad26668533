-- Leases an idempotency key, or says what became of it. Arguments: the fingerprint of the request, the token of whoever asks,
-- and for how many milliseconds it may work.
local held = redis.call('HMGET', KEYS[1], 'f', 'r')
if not held[1] then
  redis.call('HSET', KEYS[1], 'f', ARGV[1], 't', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return { 'fresh' }
end
if held[1] ~= ARGV[1] then
  return { 'other' }
end
if held[2] then
  return { 'done', held[2] }
end
return { 'running' }
