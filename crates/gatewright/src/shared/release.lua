-- Frees a leased idempotency key, if it is still leased to this token.
if redis.call('HGET', KEYS[1], 't') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return { 'free' }
