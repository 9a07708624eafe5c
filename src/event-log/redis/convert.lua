-- A step of giving a log of the layout before the index of this one, beside its own and while it is used; the last one
-- gives it the layout.
--
-- KEYS  1 meta, 2 entries, 3 tail, 4 blocks; for `begin`, from 5 on the keys of blocks that an earlier attempt has left;
--       for `block`, 5 its key
-- ARGV  1 name of who converts it; 2 the step:
--       `begin`
--       `block`, then 3 its first number, and from 4 on its fields and their values in turn
--       `tail`, then 3 lines to be added to it
--       `end`, then 3 epoch, 4 first and 5 last number of the entries that were indexed, and 6 how many there are
-- returns  nil where the log is not of the layout before, or another has begun since; 1 where the step is done; for
--          `end`, where the entries are others by now: epoch, first and last number, and how many there are

local META, ENTRIES, TAIL, BLOCKS = unpack(KEYS, 1, 4)
local name, step = ARGV[1], ARGV[2]

local layout, converter, epoch = unpack(call('HMGET', META, 'layout', 'converter', 'epoch'))
if layout ~= FORMER_LAYOUT then return nil end
if step == 'begin' then
  call('HSET', META, 'converter', name)
  call('DEL', TAIL, BLOCKS)
  for k = 5, #KEYS do call('UNLINK', KEYS[k]) end
  return 1
end
if converter ~= name then return nil end

if step == 'block' then
  for from = 4, #ARGV, CHUNK do call('HSET', KEYS[5], unpack(ARGV, from, math.min(from + CHUNK - 1, #ARGV))) end
  call('ZADD', BLOCKS, ARGV[3], ARGV[3])
  return 1
elseif step == 'tail' then
  call('APPEND', TAIL, ARGV[3])
  return 1
end

local first, last = call('XRANGE', ENTRIES, '-', '+', 'COUNT', 1)[1], call('XREVRANGE', ENTRIES, '+', '-', 'COUNT', 1)[1]
local found = {
  epoch, first and text(numberOf(first[1])) or '0', last and text(numberOf(last[1])) or '0', text(call('XLEN', ENTRIES)),
}
for i = 1, #found do
  if found[i] ~= ARGV[2 + i] then return found end
end
call('HSET', META, 'layout', LAYOUT)
call('HSETNX', META, 'erasures', '0')
call('HDEL', META, 'converter')
return 1
