-- Charges all limits of a request, or none: the arithmetic of `limit/gcra.rs` on the time of this store.
--
-- A key holds the moment at which its bucket is empty again (the theoretical arrival time), as seconds and nanoseconds, since
-- a number of Lua is exact up to 2^53 only. Of each limit come four arguments, in nanoseconds: what the request costs, how far
-- ahead the moment may lie, how far it can ever have been set ahead, and how far ahead the asking server knows it to lie.
-- The answer is "1" or "0", whether all were charged, and how far ahead each moment lay before.
local time = redis.call('TIME')
local seconds, nanos = tonumber(time[1]), tonumber(time[2]) * 1000
local held = redis.call('MGET', unpack(KEYS))
local ahead, answer, pass, late = {}, { '1' }, true, {}
for i = 1, #KEYS do
  local cost, tolerance = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local longest, known = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  local now = known
  if held[i] then
    local s, n = string.match(held[i], '^(%d+) (%d+)$')
    now = math.max(known, (tonumber(s) - seconds) * 1e9 + (tonumber(n) - nanos))
    -- Nothing was ever set so far ahead: the clock was set back, which must lock nobody out.
    if now > longest then
      now = longest
      late[i] = true
    end
  end
  ahead[i] = now
  answer[i + 1] = string.format('%.0f', now)
  if now + cost > tolerance then
    pass = false
  end
end
for i = 1, #KEYS do
  local after = ahead[i]
  if pass then
    after = after + tonumber(ARGV[4 * i - 3])
  end
  if pass or late[i] then
    local n = nanos + after
    local moment = string.format('%.0f %.0f', seconds + math.floor(n / 1e9), n % 1e9)
    -- A moment that has passed says nothing.
    redis.call('SET', KEYS[i], moment, 'PX', string.format('%.0f', math.min(math.ceil(after / 1e6) + 1, 1e13)))
  end
end
if not pass then
  answer[1] = '0'
end
return answer
