-- Leases an idempotency key, or says what became of it. Arguments: the fingerprint of the request, the token of whoever asks,
-- for how many milliseconds it may work, and for how many the key is held, whatever becomes of the work.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local held = redis.call('HMGET', KEYS[1], 'f', 'r', 'u')
if not held[1] then
  redis.call('HSET', KEYS[1], 'f', ARGV[1], 't', ARGV[2], 'u', string.format('%.0f', now + tonumber(ARGV[3])))
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return { 'fresh' }
end
if held[1] ~= ARGV[1] then
  return { 'other' }
end
if held[2] then
  return { 'done', held[2] }
end
-- Whoever leased it died, or has no connection: what it did, nobody knows.
if not held[3] or tonumber(held[3]) <= now then
  return { 'unknown' }
end
return { 'running' }
