-- A step of giving a log of layout 1 an index of this one. While it is being converted its layout is one that nobody
-- knows, so that no instance reads it or writes to it.
--
-- KEYS  1 meta, 2 tail, 3 blocks, 4 the key of the block; from 5 on keys that are no longer used
-- ARGV  1 layout of a log that is being converted, 2 name of who converts it
--       3 `begin`; or `block`, then 4 the first number of the block and from 5 on its fields and their values in turn;
--         or `remove`, or `end`
-- returns  1, or 0 where there is nothing to convert, or another has begun anew

local META, TAIL, BLOCKS = unpack(KEYS, 1, 3)
local CONVERTING, name, step = ARGV[1], ARGV[2], ARGV[3]

local layout, converter = unpack(call('HMGET', META, 'layout', 'converter'))
if step == 'begin' then
  if layout ~= '1' and layout ~= CONVERTING then return 0 end
  call('HSET', META, 'layout', CONVERTING, 'converter', name)
  call('DEL', TAIL, BLOCKS)
  return 1
end
if layout ~= CONVERTING or converter ~= name then return 0 end
-- Whoever waits sees by this that it goes on.
call('HINCRBY', META, 'converted', 1)
if step == 'block' then
  call('DEL', KEYS[4])
  for from = 5, #ARGV, CHUNK do call('HSET', KEYS[4], unpack(ARGV, from, math.min(from + CHUNK - 1, #ARGV))) end
  call('ZADD', BLOCKS, ARGV[4], ARGV[4])
elseif step == 'end' then
  call('HSET', META, 'layout', LAYOUT, 'erasures', '0')
  call('HDEL', META, 'converter', 'converted')
end
for from = 5, #KEYS, CHUNK do call('UNLINK', unpack(KEYS, from, math.min(from + CHUNK - 1, #KEYS))) end
return 1
