-- Takes a part of another log in as one atomic act, with the numbers, tags and times that it had there. While a log is
-- being taken in its layout is one that nobody knows, so that no instance reads it or writes to it.
--
-- KEYS  1 meta, 2 entries, 3 ids, 4 erased, 5 tail, 6 blocks
-- ARGV  1 layout of a log that is being taken in
--       2 epoch, 3 cursor key and 4 oldest number of the log
--       5 number behind which the part begins
--       6 number, 7 tag and 8 receivedAt of its last entry
--       9 plan, JSON: `ids`, the numbers and ids in turn; `erased`, the numbers and what is kept of them in turn
--       10 what is added to the tail of the index
--       from 11 on, for each entry that has its event: number, tag, receivedAt, stored event
-- returns  the layout of what is there, empty for another log; the number up to which it is there, with its tag; and the
--          length of the tail

local META, ENTRIES, IDS, ERASED, TAIL, BLOCKS = unpack(KEYS)
local FIRST_ENTRY = 11
local MOVING, before, number = ARGV[1], ARGV[5], ARGV[6]

local meta = call('HMGET', META, 'layout', 'epoch', 'cursorKey', 'number', 'tag')
if not meta[1] then
  if call('EXISTS', ENTRIES, IDS, TAIL, BLOCKS) > 0 then return { '', '0', '', 0 } end
elseif meta[2] ~= ARGV[2] or meta[3] ~= ARGV[3] then
  return { '', '0', '', 0 }
elseif meta[1] ~= MOVING or meta[4] ~= before then
  return { meta[1], meta[4], meta[5], 0 }
end

local plan = cjson.decode(ARGV[9])
-- First the write that Redis refuses when its memory is full: then none of the others is made either.
call('HSET', META, 'layout', MOVING, 'epoch', ARGV[2], 'cursorKey', ARGV[3], 'oldest', ARGV[4],
  'number', number, 'tag', ARGV[7], 'receivedAt', ARGV[8], 'countsFrom', '0',
  'erasures', '0')
for at = FIRST_ENTRY, #ARGV, 4 do
  call('XADD', ENTRIES, ARGV[at] .. '-0', 't', ARGV[at + 1], 'r', ARGV[at + 2], 'e', ARGV[at + 3])
end
-- `command` with `values`, some at a time.
local function each(command, key, values)
  for from = 1, #values, CHUNK do call(command, key, unpack(values, from, math.min(from + CHUNK - 1, #values))) end
end
each('ZADD', IDS, plan.ids)
each('HSET', ERASED, plan.erased)
if ARGV[10] ~= '' then call('APPEND', TAIL, ARGV[10]) end
return { MOVING, number, ARGV[7], call('STRLEN', TAIL) }
