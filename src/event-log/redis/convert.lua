-- A step of giving a log of the former layout the index of this one, beside its own and while it is used; the last one
-- gives it the layout. Whoever converts claims it first, and does its steps one behind the other: meta has its name, and
-- how many it has done.
--
-- KEYS  1 meta, 2 entries, 3 tail, 4 blocks, 5 terms, 6 what they are called once the log has this layout; for `clear`,
--       from 7 on the keys of blocks that are listed; for `block`, 7 its key
-- ARGV  1 name of who converts it; 2 how many steps it has done; both empty for `clear` where nobody converts it
--       3 the step:
--       `claim`, whoever had claimed it before
--       `cancel`, whoever had claimed it before: nobody converts it then
--       `clear` removes what stands of the index
--       `block`, then 4 its first number, and from 5 on its fields and their values in turn
--       `tail`, then 4 lines to be added to it
--       `end`, then 4 epoch, 5 erasures, 6 oldest number and 7 last one of the entries, and 8 how many from the oldest on
--         are indexed
-- returns  nil where the log is not of the former layout, or another has claimed it since; 0 where it was cancelled, or
--          Redis has lost a step, or done one twice; 1 where the step is done; for `end`, where the entries are others by
--          now: epoch, erasures, oldest number, last one, and how many there are

local META, ENTRIES, TAIL, BLOCKS, TERMS, FORMER_TERMS = unpack(KEYS, 1, 6)
local name, done, step = ARGV[1], ARGV[2], ARGV[3]

local layout, converter, epoch, erasures, oldest =
  unpack(call('HMGET', META, 'layout', 'converter', 'epoch', 'erasures', 'oldest'))
if layout ~= FORMER_LAYOUT then return nil end
if step == 'claim' then
  call('HSET', META, 'converter', name .. ' 0')
  return 1
elseif step == 'cancel' then
  call('HDEL', META, 'converter')
  return 1
end
if converter and string.sub(converter, 1, #name + 1) ~= name .. ' ' then return nil end
if (converter or ' ') ~= name .. ' ' .. done then return 0 end

if step == 'clear' then
  call('DEL', TAIL, BLOCKS)
  for k = 7, #KEYS do call('UNLINK', KEYS[k]) end
  if not converter then return 1 end
elseif step == 'block' then
  -- First the write that Redis refuses when its memory is full.
  call('ZADD', BLOCKS, ARGV[4], ARGV[4])
  call('DEL', KEYS[7])
  for from = 5, #ARGV, CHUNK do call('HSET', KEYS[7], unpack(ARGV, from, math.min(from + CHUNK - 1, #ARGV))) end
elseif step == 'tail' then
  call('APPEND', TAIL, ARGV[4])
else
  local last = call('XREVRANGE', ENTRIES, '+', '-', 'COUNT', 1)[1]
  local found = {
    epoch, erasures or '0', oldest, last and text(numberOf(last[1])) or '0', text(call('XLEN', ENTRIES)),
  }
  for i = 1, #found do
    if found[i] ~= ARGV[3 + i] then return found end
  end
  call('HSET', META, 'layout', LAYOUT)
  call('HSETNX', META, 'erasures', '0')
  call('HDEL', META, 'converter')
  if call('EXISTS', TERMS) == 1 then call('RENAME', TERMS, FORMER_TERMS) end
  return 1
end
call('HSET', META, 'converter', name .. ' ' .. text(done + 1))
return 1
