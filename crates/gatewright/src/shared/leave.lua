-- Gives places of what runs back. Argument: the name of the lease.
for i = 1, #KEYS do
  redis.call('ZREM', KEYS[i], ARGV[1])
end
return { 'left' }
