-- Charges all limits of a request, or none: the arithmetic of `limit/gcra.rs` and `limit/calendar.rs` on the time of this store.
--
-- Of each limit come four arguments. A rate has, in nanoseconds: what the request costs, how far ahead the moment may lie at
-- which its bucket is empty again (the theoretical arrival time), how far it can ever have been set ahead, and how far ahead
-- the asking server knows it to lie. Its key holds the moment as seconds and nanoseconds, since a number of Lua is exact up to
-- 2^53 only. A quota has: what the request costs, the quota, `day` or `month`, and what the asking server knows. Its key holds
-- the end of a period, in minutes since 1970, and what was used of it. Of what may run at once there are: 1, how many may,
-- `place`, and the name of the lease with how many milliseconds it holds. Its key is a set of the leases that run, by their ends.
--
-- The answer is "1" or "0", whether all were charged, and of each limit as it was before: how far ahead the moment lay; or the
-- end of the period that is now, what was used of it, and how many seconds are left; or how many run.
local time = redis.call('TIME')
local seconds, nanos = tonumber(time[1]), tonumber(time[2]) * 1000
local held = redis.call('MGET', unpack(KEYS))
local ahead, ends, places, answer, pass, late = {}, {}, {}, { '1' }, true, {}
local millis = seconds * 1000 + math.floor(nanos / 1e6)

local function day_of_month(days)
  local of_era = (days + 719468) % 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  return of_year - math.floor((153 * month + 2) / 5) + 1
end

local function end_of(period)
  local days = math.floor(seconds / 86400)
  if period == 'day' then
    return (days + 1) * 1440
  end
  local within = days - day_of_month(days) + 32
  return (within - day_of_month(within) + 1) * 1440
end

for i = 1, #KEYS do
  local cost, most, kind, known = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2]), ARGV[4 * i - 1], ARGV[4 * i]
  local now = 0
  if kind == 'day' or kind == 'month' then
    ends[i] = end_of(kind)
    -- A period that has not begun was counted by a clock that has been set back since: it counts.
    for _, said in ipairs({ held[i] or '', known }) do
      local e, u = string.match(said, '^(%d+) (%d+)$')
      if e and tonumber(e) >= ends[i] then
        now = math.max(now, tonumber(u))
      end
    end
    answer[i + 1] = string.format('%.0f %.0f %.0f', ends[i], now, ends[i] * 60 - seconds)
  elseif kind == 'place' then
    local name, length = string.match(known, '^(%S+) (%d+)$')
    places[i] = { name, length }
    -- Those that ended; and those that no clock but one that was set back can have set so far ahead: they are prolonged if they run.
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', string.format('%.0f', millis))
    redis.call('ZREMRANGEBYSCORE', KEYS[i], string.format('(%.0f', millis + tonumber(length)), '+inf')
    now = redis.call('ZCARD', KEYS[i])
    answer[i + 1] = string.format('%.0f', now)
  else
    local longest = tonumber(kind)
    now = tonumber(known)
    if held[i] then
      local s, n = string.match(held[i], '^(%d+) (%d+)$')
      now = math.max(now, (tonumber(s) - seconds) * 1e9 + (tonumber(n) - nanos))
      -- Nothing was ever set so far ahead: the clock was set back, which must lock nobody out.
      if now > longest then
        now = longest
        late[i] = true
      end
    end
    answer[i + 1] = string.format('%.0f', now)
  end
  ahead[i] = now
  if now + cost > most then
    pass = false
  end
end
for i = 1, #KEYS do
  local after = ahead[i]
  if pass then
    after = after + tonumber(ARGV[4 * i - 3])
  end
  if places[i] then
    if pass then
      redis.call('ZADD', KEYS[i], string.format('%.0f', millis + tonumber(places[i][2])), places[i][1])
      redis.call('PEXPIRE', KEYS[i], places[i][2])
    end
  elseif ends[i] then
    if pass then
      local left = (ends[i] * 60 - seconds) * 1000 + 1
      redis.call('SET', KEYS[i], string.format('%.0f %.0f', ends[i], after), 'PX', string.format('%.0f', left))
    end
  elseif pass or late[i] then
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
