-- Uses something up. Argument: for how many milliseconds it is remembered.
if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then
  return { 'first' }
end
return { 'again' }
